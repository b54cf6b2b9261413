"""Suite ``performance``: what a comparison's limit means, and what its record says."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from bench.comparisons import _run as comparing
from bench.records.record import Measurement
from bench.run.plan import Request


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, ratio: float | None, **literals: object) -> dict:
    module = SimpleNamespace(VERSION="1", LIMIT=2.5, compare=lambda: Measurement(ratio, {"n": 3}), **literals)
    known = SimpleNamespace(check=lambda name: None, load=lambda name: module)
    monkeypatch.setattr(comparing, "COMPARISONS", known)
    request = Request("performance", systems=("made_up",), out=folder)
    (record,) = comparing.run_comparisons(request, Console(quiet=True))
    return record


@pytest.mark.parametrize(
    ("literals", "ratio", "verdict"),
    [
        ({"GOAL": "at most 2.5"}, 2.5, "met"),
        ({"GOAL": "at most 2.5"}, 2.6, "missed"),
        ({"GOAL": "at least 2.5", "BETTER": "higher"}, 2.5, "met"),
        ({"GOAL": "at least 2.5", "BETTER": "higher"}, 2.4, "missed"),
        ({"GOAL": "at least 2.5", "BETTER": "higher"}, None, "missed"),
        ({"GOAL": "at most 2.5", "BETTER": "lower"}, 3.0, "missed"),
    ],
)
def test_verdict(
    literals: dict[str, str],
    ratio: float | None,
    verdict: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record = run(tmp_path, monkeypatch, ratio, **literals)
    assert record["verdict"] == verdict
    assert record["goal"] == literals["GOAL"]
    assert record["measurements"]["ratio"]["value"] == ratio
