"""Sections of a board, one file each."""
