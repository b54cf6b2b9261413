"""Networks with early exits: the cascade, its exit policy, and the training of its heads."""
