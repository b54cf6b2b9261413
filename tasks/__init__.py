"""Tasks: LightningModules that train and evaluate networks on batches, with loss, metrics and augmentation."""
