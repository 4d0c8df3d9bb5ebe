"""The image and the compose file against a real Docker engine: `make test-container`."""
