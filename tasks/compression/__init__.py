"""Compresses trained networks: weights to packed files, and back."""
