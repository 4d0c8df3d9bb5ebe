"""Sinks: where frames leave, to a virtual camera, a file or nowhere."""
