"""What surrounds the image, without an engine: scripts around docker, settings, checkers. The engine's own tests are
in tests/container."""
