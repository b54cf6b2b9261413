"""Images a second that ``bench recognize --batch`` reads, against those a second that its runtime alone classifies."""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from bench.comparisons._recognised import random_export, write_images
from bench.deploy.load import ExportedRecogniser, open_exported
from bench.deploy.recognize import BATCH, recognize_batches
from bench.records.provenance import cores
from bench.records.record import Measurement
from bench.records.statistics import bootstrap_ratio

GOAL = "at least 0.8 of the rate of the runtime's own batches"
LIMIT = 0.8
BETTER = "higher"
VERSION = "1"
IMAGES = 2048  # a folder; of few, the last batches leave cores idle
ROUNDS = 7


def compare() -> Measurement:
    """Median over rounds of the two rates' ratio: files decoded, cut out and fitted, against fitted ones in memory.

    Both classify by as many threads as there are cores, each a batch of BATCH at a time. A round has both, in turns.
    """
    threads, rates = cores(), []
    with tempfile.TemporaryDirectory() as folder:
        home, files = random_export(Path(folder)), write_images(Path(folder), IMAGES)
        recogniser = open_exported(home, threads, batch=True)
        _alone(recogniser, threads)
        for _ in range(ROUNDS):
            started = time.perf_counter()
            answers = list(recognize_batches(recogniser, files, 1, threads))
            between = time.perf_counter()
            _alone(recogniser, threads)
            rates.append((IMAGES / (between - started), IMAGES / (time.perf_counter() - between)))
    refused = sum(bool(answer.error) for answer in answers)
    if refused:
        raise RuntimeError(f"{refused} of {IMAGES} images are refused, which takes no classifying")
    read, alone = np.array(rates).T
    ratio, low, high = bootstrap_ratio(np.log(read / alone), seed=0)
    detail = {"n": ROUNDS, "ci_low": low, "ci_high": high, "threads": threads}
    return Measurement(
        ratio, {**detail, "images_per_second": float(np.median(read)), "alone_per_second": float(np.median(alone))}
    )


def _alone(recogniser: ExportedRecogniser, threads: int) -> None:
    batch = np.full((BATCH, recogniser.size, recogniser.size), 255, np.uint8)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(recogniser.classify, [batch] * (IMAGES // BATCH)))
