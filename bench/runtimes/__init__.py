"""Runtimes: a file here without a leading underscore runs recognisers."""
