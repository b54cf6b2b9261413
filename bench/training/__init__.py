"""Training: from a recipe to trained weights."""
