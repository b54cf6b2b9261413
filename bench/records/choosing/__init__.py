"""``bench choose``: what there is to choose from, on which machine, and what is chosen."""
