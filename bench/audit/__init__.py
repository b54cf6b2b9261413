"""The figures that papers print, checked against the systems that they describe."""
