"""Sources: each delivers frames, from a camera, a file or a drawn scene."""
