"""The embedded default: synthetic writers in true .gnt files."""

from pathlib import Path

import numpy as np
import pytest

from datamodules._base import DataSettings
from datamodules.readers.gb2312 import LEVEL1
from datamodules.readers.gnt import gnt_character, read_gnt
from datamodules.synthetic import handwriting as _handwriting
from datamodules.synthetic_hwdb import SyntheticHWDB, build, spread, writers_folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SyntheticHWDB:
    data = SyntheticHWDB(40, writers=(3, 2))
    data.setup()
    return data


def test_every_writer_writes_every_character_once(small: SyntheticHWDB) -> None:
    assert small.info.synthetic
    assert small.info.sizes == {
        "train": 120,
        "val": 280,
        "test": 80,
    }  # 7 writers give the 256 that latency needs
    for part, writers in ((small.train, 3), (small.val, 7), (small.test, 2)):
        assert np.bincount(part.labels).tolist() == [writers] * 40
        assert np.unique(part.writers, return_counts=True)[1].tolist() == [40] * writers
    assert len(np.unique(np.concatenate([part.writers for part in (small.train, small.val, small.test)]))) == 3 + 7 + 2


def test_no_writer_is_in_two_parts(small: SyntheticHWDB) -> None:
    images = [{part.image(i).tobytes() for i in range(len(part))} for part in (small.train, small.val, small.test)]
    assert sum(map(len, images)) == len(set.union(*images)) == 480


def test_the_cache_holds_true_gnt_files(small: SyntheticHWDB) -> None:
    files = sorted(writers_folder(small.characters).glob("*.gnt"))
    assert len(files) == 12
    for file in files:
        records = list(read_gnt(file))
        assert [gnt_character(record.tag) for record in records] == list(small.characters)
        assert all(record.image.min() < 128 for record in records)


def test_a_second_load_reads_what_the_first_wrote(small: SyntheticHWDB, monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(*arguments: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr(_handwriting, "write_synthetic_writer", draw)
    assert SyntheticHWDB(40, writers=(3, 2)).fingerprint == small.fingerprint


def test_a_runs_seed_does_not_change_the_characters(
    small: SyntheticHWDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HCCR_BENCH_CACHE", str(tmp_path))  # drawn again from nothing
    assert SyntheticHWDB(40, writers=(3, 2), seed=9).fingerprint == small.fingerprint


def test_more_writers_keep_the_earlier_ones(small: SyntheticHWDB) -> None:
    more = SyntheticHWDB(40, writers=(4, 3))
    for part, wider in ((small.train, more.train), (small.test, more.test)):
        assert all((part.image(i) == wider.image(i)).all() for i in range(len(part)))


@pytest.mark.parametrize("classes", [2, 30, 3755])
def test_classes_are_spread_over_level_1(classes: int) -> None:
    chosen = spread(classes)
    assert len(set(chosen)) == classes
    assert (chosen[0], chosen[-1]) == (LEVEL1[0], LEVEL1[-1])
    assert sorted(chosen, key=LEVEL1.index) == list(chosen)


def test_what_the_suite_asks_is_what_comes() -> None:
    data = build(DataSettings(classes=5, writers=(2, 1)))
    assert len(data.characters) == 5
    assert len(data.writers["train"]) == 2
    whole = build(DataSettings())
    assert (len(whole.characters), len(whole.writers["train"]), len(whole.writers["test"])) == (3755, 240, 60)


@pytest.mark.parametrize(
    ("classes", "writers", "says"),
    [(1, (2, 1), "classes, got 1"), (3756, (2, 1), "classes, got 3756"), (5, (2, 0), "at least one writer")],
)
def test_what_cannot_be_drawn_is_refused(classes: int, writers: tuple[int, int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        SyntheticHWDB(classes, writers)


def test_a_data_root_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="takes no --data-root; did you mean --dataset image_folder"):
        build(DataSettings(tmp_path))
