"""What users type. Each command loads what it needs when it runs, so that ``vcam --help`` answers at once."""
