"""Datasets: bytes on disk become batches. A file here without a leading underscore is a dataset."""

from datamodules._plugins import Registry

DATASETS = Registry("datamodules", entry_points="hccr_bench.datasets")
