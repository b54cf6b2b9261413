"""Draws synthetic handwriting and invented pictographs."""
