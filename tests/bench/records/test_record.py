"""Records: written whole or not at all, and never over something that is none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake.records import record

from bench.records import record as record_module
from bench.records.load import read_stored
from bench.records.record import (
    RANKED,
    Measurement,
    RecordError,
    read_record,
    record_path,
    slug,
    status_of,
    write_record,
)
from datamodules import _files as _cache
from datamodules._files import whole_file


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    made = record("fire:gwap+paper", seed=2)
    path = write_record(tmp_path, made)
    assert path == tmp_path / "hccr" / "synthetic_hwdb" / "fire--gwap__paper@cpu-2c-quick-s2.json"
    assert read_record(path) == made
    assert path.read_text(encoding="utf-8").endswith("}\n")


def test_a_record_without_a_dataset_has_a_place(tmp_path: Path) -> None:
    assert record_path(tmp_path, record(dataset=None)).parent == tmp_path / "hccr" / "none"


def test_characters_stay_readable(tmp_path: Path) -> None:
    assert "永" in write_record(tmp_path, record(error="永")).read_text(encoding="utf-8")


def test_writing_again_replaces_the_whole(tmp_path: Path) -> None:
    write_record(tmp_path, record(accuracy=0.5))
    path = write_record(tmp_path, record(accuracy=0.6))
    assert read_record(path)["measurements"]["accuracy"]["value"] == 0.6
    assert len(list(path.parent.iterdir())) == 1


@pytest.mark.parametrize("fails", ["fsync", "replace", "write_bytes"])
def test_a_failed_write_leaves_the_old_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    path = write_record(tmp_path, record(accuracy=0.5))
    before = path.read_bytes()

    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_cache.os if fails == "fsync" else Path, fails, full)
    with pytest.raises(OSError, match="No space left"):
        write_record(tmp_path, record(accuracy=0.6))
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    def write() -> None:
        with whole_file(tmp_path / "a" / "b.json") as partial:
            partial.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert list((tmp_path / "a").iterdir()) == []


def without(key: str) -> Callable[[dict[str, Any]], Any]:
    return lambda made: {name: value for name, value in made.items() if name != key}


DAMAGE: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "cut": (lambda made: json.dumps(made)[:200].encode(), "not a readable record"),
    "empty": (lambda made: b"", "not a readable record"),
    "binary": (lambda made: b"\xff\xfe\x00", "not a readable record"),
    "list": (lambda made: [made], "wanted schema 1, got list"),
    "older": (lambda made: {**made, "schema": 0}, "wanted schema 1, got 0"),
    "newer": (lambda made: {**made, "schema": 2}, "wanted schema 1, got 2"),
    "other": (lambda made: {"name": "something else"}, "wanted schema 1, got None"),
    "lacking": (without("machine"), "lacks machine"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_no_record_is_named_and_kept(tmp_path: Path, damage: str) -> None:
    change, says = DAMAGE[damage]
    path = write_record(tmp_path, record())
    found = change(record())
    path.write_bytes(found if isinstance(found, bytes) else json.dumps(found).encode())
    before = path.read_bytes()
    for action in (lambda: read_record(path), lambda: write_record(tmp_path, record())):
        with pytest.raises(RecordError) as caught:
            action()
        assert str(path) in str(caught.value)
        assert says in str(caught.value)
        assert "move it away" in str(caught.value)
    assert path.read_bytes() == before


def test_reading_all_names_each_that_is_none(tmp_path: Path) -> None:
    for seed in range(3):
        write_record(tmp_path / "results", record(seed=seed))
    broken = record_path(tmp_path / "results", record(seed=1))
    broken.write_text("{")
    found, errors = read_stored(tmp_path)
    assert [one.record["seed"] for one in found] == [0, 2]
    assert [broken.name in str(error) for error in errors] == [True]


@pytest.mark.parametrize("missing", RANKED)
def test_whole_means_that_every_ranked_figure_has_a_value(missing: str) -> None:
    figures = record()["measurements"]
    assert status_of(figures) == "whole"
    assert status_of({**figures, missing: {"value": None, "error": "x"}}) == "partial"
    assert status_of({name: value for name, value in figures.items() if name != missing}) == "partial"


def test_zero_is_a_value() -> None:
    assert status_of({name: {"value": 0} for name in RANKED}) == "whole"


def test_a_measurement_states_its_protocol() -> None:
    found = Measurement(3, {"n": 5}).as_dict("count", "2")
    assert found == {"version": "2", "unit": "count", "value": 3, "n": 5}


def test_machine_names_are_slugs() -> None:
    assert slug("AMD EPYC 9654 96-Core Processor (@ 2.4GHz)") == "amd-epyc-9654-96-core-processor-2-4ghz"
    assert record_module.slug_system("fire:gwap+paper") == "fire--gwap__paper"
