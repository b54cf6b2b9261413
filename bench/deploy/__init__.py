"""Deployment: exports trained networks to files that run without this package, and runs such files."""
