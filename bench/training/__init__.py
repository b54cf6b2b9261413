"""Training: turns a recipe into trained weights."""
