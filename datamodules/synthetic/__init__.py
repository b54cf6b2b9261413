"""Synthetic handwriting: characters drawn by a program."""
