"""Readers of file formats: bytes to characters."""
