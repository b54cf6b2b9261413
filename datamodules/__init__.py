"""Datasets as Lightning datamodules: each file here without a leading underscore is one dataset."""

from datamodules._plugins import Registry

DATASETS = Registry("datamodules", entry_points="hccr_bench.datasets")
