"""Networks with early exits: their policy, their forward pass and their training."""
