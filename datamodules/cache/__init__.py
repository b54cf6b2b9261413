"""The packed cache: a dataset prepared once, then memory-mapped."""
