"""Measurements, each with a named baseline in the same run: machines are noisy, ratios are not."""
