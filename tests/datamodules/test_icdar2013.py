"""ICDAR-2013: both HWDB sets train whole, the competition tests."""

from pathlib import Path

import pytest
from fake.gnt import OFFICIAL, part, write_files, write_zips

from datamodules._base import DataSettings
from datamodules._casia import differences
from datamodules._errors import DataError
from datamodules.cache.prepared import Prepared
from datamodules.casia_hwdb import build as build_casia
from datamodules.icdar2013 import PROTOCOL, build


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCCR_BENCH_CACHE", str(tmp_path / "cache"))


def test_official_zips(tmp_path: Path) -> None:
    data = build(DataSettings(write_zips(tmp_path / "data")))
    assert data.info.name == "icdar2013"
    train = {1, 2, 3, 337, 338, 1001, 1002, 1003, 1004, 1240, 1241, 1242}
    assert set(data.train.writers.tolist()) | set(data.val.writers.tolist()) == train
    assert not set(data.train.writers.tolist()) & set(data.val.writers.tolist())
    assert data.test.writers.tolist() == [10_001] * 3 + [10_002] * 3  # apart from HWDB1.0's writers 1 and 2
    assert len(data.train) + len(data.val) == 3 * len(train)


def test_one_data_root_serves_both_protocols(tmp_path: Path) -> None:
    root = write_zips(tmp_path / "data")
    data = build_casia(DataSettings(root))
    assert set(data.test.writers.tolist()) == {1241, 1242}
    assert set(data.train.writers.tolist()) | set(data.val.writers.tolist()) == {1001, 1002, 1003, 1004, 1240}


def test_loose_files_are_told_by_their_names(tmp_path: Path) -> None:
    for name in OFFICIAL:
        write_files(tmp_path / "data", part(name))
    assert set(build(DataSettings(tmp_path / "data")).test.writers.tolist()) == {10_001, 10_002}


@pytest.mark.parametrize("missing", list(OFFICIAL))
def test_each_missing_download_is_named(tmp_path: Path, missing: str) -> None:
    root = write_zips(tmp_path / "data", [name for name in OFFICIAL if name != missing])
    with pytest.raises(DataError, match=rf"wanted {missing}\.zip"):
        build(DataSettings(root)).setup()


@pytest.mark.parametrize(("test", "says"), [(224_419, 0), (224_100, 0), (200_000, 1)])
def test_the_competition_s_size_is_approximate(test: int, says: int) -> None:
    files = [{"role": "test", "count": test, "bad": 0}]  # HWDB1.0's size is not known exactly
    found = differences(PROTOCOL, Prepared(Path("nowhere"), {"files": files, "bad_members": []}))
    assert len(found) == says
    assert all("about 224,419 are published" in text for text in found)
