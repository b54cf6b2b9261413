"""Memory probe: a fresh process that classifies one character and prints its memory use, for ``process_bytes``."""

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.runtimes._base import open_prepared

SMAPS = Path("/proc/self/smaps_rollup")  # Linux: sums over all mappings of this process


def memory_in_use() -> dict[str, int]:
    """Memory of this process in bytes, by the kernel's names such as ``Pss``; OSError on systems without SMAPS."""
    if not SMAPS.exists():
        raise OSError("this system does not report the memory of a process with shared pages in part (PSS)")
    lines = [line.split() for line in SMAPS.read_text().splitlines()[1:]]  # such as Pss: 52 kB
    return {name.rstrip(":"): int(amount) * 1024 for name, amount, _ in lines}


def main(runtime: str, file: str, character: str) -> None:
    """Classify the character in a ``.npy`` file by a prepared file of a runtime, and print the memory use as JSON."""
    cv2.setNumThreads(1)
    try:
        classifier = open_prepared(runtime, Path(file))()
        classifier(np.load(character))
        answer: dict[str, Any] = memory_in_use()
    except Exception as error:  # the parent raises it again from this text
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
