"""Measurements: a file here without a leading underscore is one figure."""
