"""Fakes and makers that tests and benchmarks share."""
