"""Pictures of the dashboards from live data, for the README: what Grafana shows, drawn without Grafana."""
