"""Records: the JSON file of each row, and what is computed from records alone."""
