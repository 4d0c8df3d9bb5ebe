"""Frame processors: from a decoded picture to one composed picture per output."""
