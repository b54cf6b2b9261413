"""Tasks: batches meet networks. Loss, metrics, optimiser and augmentation live here."""
