"""Made-up boards for ``bench choose``, and its answers."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake.records import in_runtime, record, write

Bench = Callable[[str], tuple[int, str, str]]
BOARDS, RUNS = Path("leaderboards"), Path("runs")
ORT, INT8 = "onnxruntime", "onnxruntime-int8"
HWDB = {"name": "hwdb100", "synthetic": False, "fingerprint": "sha256:real", "classes": 100, "train": 6300, "val": 700,
        "test": 3000, "plugin": "image_folder"}  # fmt: skip


def row(system: str, accuracy: float, ratio: float, size_mb: float | None, **changes: Any) -> dict[str, Any]:
    """A record with ONNX Runtime four times as fast as eager."""
    return in_runtime(record(system, accuracy, 4 * ratio, **changes), ORT, ratio, None, size_mb)


def write_board() -> None:
    """2 ms a unit of ratio: lenet5 1 ms, fire:gap 4 ms, fire:gwap 5 ms, resnet:18 10 ms, all but dominated."""
    write(
        BOARDS,
        row("lenet5", 0.80, 0.5, 0.3),
        row("fire:gap", 0.95, 2.0, 3),
        row("fire:gwap", 0.955, 2.5, 3.2),
        row("resnet:18", 0.99, 5.0, 45),
        row("googlenet", 0.94, 5.0, 22),
    )


def answer(bench: Bench, flags: str = "") -> Any:
    """The document of a command that is right."""
    code, out, err = bench(f"choose --json {flags}")
    assert err == ""
    found = json.loads(out, parse_constant=_no_number)  # Infinity and NaN
    assert code == int(found["chosen"] is None)
    return found


def printed(bench: Bench, flags: str = "") -> str:
    """What is printed, each run of spaces as one."""
    return re.sub(" +", " ", bench(f"choose {flags}")[1])


def _no_number(text: str) -> float:
    pytest.fail(f"{text} is no JSON")
