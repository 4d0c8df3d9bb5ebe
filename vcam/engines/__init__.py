"""Matting engines: each turns a small picture into an affine matte."""
