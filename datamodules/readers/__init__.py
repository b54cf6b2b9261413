"""Readers of file formats: bytes to images."""
