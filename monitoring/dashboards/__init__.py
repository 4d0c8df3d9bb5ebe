"""The dashboards as code, by Grafana's own builders, which know every field and its type."""
