"""From wired stages to a running camera: threads, hand-over, fail-closed output, supervision."""
