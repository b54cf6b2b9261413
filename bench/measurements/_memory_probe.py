"""A fresh process that classifies one character and says how much memory it holds; started by ``process_bytes``."""

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.runtimes._base import read_loader

SMAPS = Path("/proc/self/smaps_rollup")  # Linux: sums over all mappings of this process


def held() -> dict[str, int]:
    """Bytes by the kernel's names, such as ``Pss``.

    Raises:
        OSError: a system without this file.
    """
    found = {}
    for line in SMAPS.read_text().splitlines()[1:]:
        name, amount, unit = line.split()
        assert unit == "kB"
        found[name.rstrip(":")] = int(amount) * 1024
    return found


def main(loader: str, character: str) -> None:
    """Classify the character in a ``.npy`` file with a pickled loader, and print what is then held."""
    cv2.setNumThreads(1)
    try:
        classifier = read_loader(Path(loader))()
        classifier(np.load(character))
        answer: dict[str, Any] = held()
    except Exception as error:  # only text crosses to the parent, which raises it again
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
