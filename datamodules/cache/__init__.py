"""The packed cache: a dataset is packed once, then memory-mapped."""
