"""Comparisons: a file here without a leading underscore is a row of suite ``performance``.

Such a file holds ``GOAL`` (what the ratio should be, as text), ``LIMIT`` (the largest ratio that meets it; the
smallest where the file says ``BETTER = "higher"``), ``VERSION`` and ``compare() -> Measurement``, whose value is the
ratio of what is measured to what it is measured against, both in one run.
"""
