"""Rate of ``bench recognize --batch`` on image files, against its runtime alone on images in memory."""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from bench.comparisons._exported_file import random_export, write_images
from bench.comparisons._paired import median_ratio
from bench.deploy.load import ExportedRecogniser, open_exported
from bench.deploy.recognize import BATCH, recognize_batches
from bench.records.provenance import cores
from bench.records.record import Measurement

GOAL = "at least 0.8 of the rate of the runtime's own batches"
LIMIT = 0.8
BETTER = "higher"
VERSION = "1"
IMAGES = 2048  # with fewer, the last batches leave cores idle
ROUNDS = 7


def compare() -> Measurement:
    """The rate with decoding, cropping and resizing over the rate on network inputs in memory; median over rounds.

    Both use one thread per core, each with batches of BATCH.
    """
    threads, rates = cores(), []
    with tempfile.TemporaryDirectory() as folder:
        model, files = random_export(Path(folder)), write_images(Path(folder), IMAGES)
        recogniser = open_exported(model, threads, batch=True)
        _alone(recogniser, threads)
        for _ in range(ROUNDS):
            started = time.perf_counter()
            answers = list(recognize_batches(recogniser, files, 1, threads))
            between = time.perf_counter()
            _alone(recogniser, threads)
            rates.append((IMAGES / (between - started), IMAGES / (time.perf_counter() - between)))
    refused = sum(bool(answer.error) for answer in answers)
    if refused:
        raise RuntimeError(f"{refused} of {IMAGES} images are rejected before classification")
    read, alone = np.array(rates).T
    medians = {"images_per_second": float(np.median(read)), "alone_per_second": float(np.median(alone))}
    return median_ratio(read / alone, threads=threads, **medians)


def _alone(recogniser: ExportedRecogniser, threads: int) -> None:
    batch = np.full((BATCH, recogniser.size, recogniser.size), 255, np.uint8)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(recogniser.classify, [batch] * (IMAGES // BATCH)))
