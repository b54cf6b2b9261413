"""Suites: a file here without a leading underscore is one and holds ``SUITE``."""
