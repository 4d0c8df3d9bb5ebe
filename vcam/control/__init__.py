"""Changing a running vcam: an HTTP API for the page, for ``vcam ctl`` and for others, and what keeps it safe."""
