"""Suites: each file here without a leading underscore is a suite, and defines ``SUITE``."""
