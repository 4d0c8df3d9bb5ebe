"""What watches vcam: Prometheus' rules, Grafana's dashboards as code, and pictures of them. No part of the product."""
