"""Smaller files for trained networks: weights to packed bytes, and back."""
