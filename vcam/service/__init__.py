"""What the outside may ask a running vcam: metrics and health over HTTP, and logs."""
