"""Comparisons: each file here without a leading underscore is a row of suite ``performance``.

A file defines ``GOAL`` (the wanted ratio, as text), ``LIMIT`` (the largest ratio that meets it, or the smallest if the
file has ``BETTER = "higher"``), ``VERSION`` and ``compare() -> Measurement``, whose value is the ratio of the measured
program to its reference, both measured in one run.
"""
