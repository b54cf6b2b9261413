"""Whole files of small networks: their sizes, what is remembered, and verdicts that follow the network."""

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from fake.claims import claim

from bench.audit import files
from bench.audit.auditor import Auditor
from bench.audit.claims import load_claims
from bench.audit.files import DRAWN, Files, gaussian, shapes_of
from bench.audit.networks import Built, Networks
from tasks.architectures import lenet5
from tasks.compression.clustering import equal_population
from tasks.compression.hdf5 import write_hdf5


@pytest.fixture
def built() -> Built:
    return Networks().built("lenet5", 10)


@pytest.fixture
def layers(built: Built) -> list[str]:
    return [name.removesuffix(".weight") for name, shape in shapes_of(built).items() if len(shape) > 1]


def test_the_size_is_that_of_the_file(built: Built, layers: list[str], tmp_path: Path) -> None:
    shapes = shapes_of(built)
    chosen = {f"{layers[-1]}.weight": 16, f"{layers[0]}.weight": 2, f"{layers[0]}.bias": 1}
    arrays = []
    for name, shape in shapes.items():
        weights = gaussian(name, shape)
        arrays.append((name, equal_population(weights, chosen[name]).weights if name in chosen else weights))
    whole = write_hdf5(tmp_path / "net.h5", arrays)
    found = Files(tmp_path).size(shapes, chosen, DRAWN)
    assert found == pytest.approx(whole, abs=1024)  # HDF5 leaves gaps between its blocks


def test_a_verdict_follows_the_network(layers: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check = {"kind": "clusters", "layers": layers[-2:], "clusters": 4, "classes": 10}
    printed = Auditor([], Files(tmp_path)).finding(check, "lenet5").computed
    assert printed is not None
    made = claim(num=printed, printed=f"{printed:.2f}", unit="%", system="lenet5", check=check)
    assert Auditor([made], Files(tmp_path)).verdict(made).verdict == "exact"
    build = lenet5.build
    monkeypatch.setattr(lenet5, "build", lambda variant, classes, channels, size: build(variant, 2000, channels, size))
    broken = Auditor([made], Files(tmp_path)).verdict(made)
    assert broken.verdict != "exact"
    assert broken.computed != printed


def test_files_are_written_once_for_each_state_of_the_code(
    built: Built, layers: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = {"layers": layers[-1:], "clusters": [4, 1, 2]}
    first = Files(tmp_path).shrunk(built, check)
    assert [path.name for path in tmp_path.iterdir()] == [f"storage-{files.code_hash()[:16]}.json"]
    with monkeypatch.context() as patch:
        patch.setattr(files, "write_hdf5", lambda *arguments: pytest.fail("written again"))
        assert Files(tmp_path).shrunk(built, check) == first
    next(tmp_path.iterdir()).write_text("{")  # damaged
    assert Files(tmp_path).shrunk(built, check) == first
    monkeypatch.setattr(files, "code_hash", lambda: "0" * 64)
    assert Files(tmp_path).shrunk(built, check) == first
    assert len(list(tmp_path.iterdir())) == 2
    assert all(json.loads(path.read_text()) for path in tmp_path.iterdir())


def test_fewer_clusters_widen_the_range_and_the_first_is_the_figure(
    built: Built, layers: list[str], tmp_path: Path
) -> None:
    found = {k: Files(tmp_path).shrunk(built, {"layers": layers, "clusters": k}) for k in (16, 1)}
    both = Files(tmp_path).shrunk(built, {"layers": layers, "clusters": [16, 1]})
    assert both.computed == found[16].computed
    assert found[1].computed > found[16].computed > 0
    assert both.low <= found[16].low
    assert both.high >= found[1].computed
    assert "gzip level 4, one chunk per array, seeded Gaussian weights" in both.why


def test_a_filter_is_read_off_a_written_layer(
    layers: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = {
        "kind": "stored",
        "filter": "gzip",
        "layers": layers[-1:],
        "clusters": 8,
        "system": "lenet5",
        "classes": 10,
    }
    made = claim(check=check)
    without = Auditor([made]).verdict(made)
    assert (without.verdict, "bench audit --with-storage" in without.why) == ("needs data", True)
    assert Auditor([made], Files(tmp_path)).verdict(made).verdict == "exact"

    def plain(path: Path, arrays: list[tuple[str, np.ndarray]]) -> None:
        with h5py.File(path, "w") as file:
            for name, array in arrays:
                file.create_dataset(name, data=array)

    monkeypatch.setattr(files, "write_hdf5", plain)
    assert Auditor([made], Files(tmp_path)).verdict(made).verdict == "contradicted"


@pytest.mark.slow
def test_resnet_50_shrinks_as_printed(tmp_path: Path) -> None:
    claims = [one for one in load_claims() if one.id == "quant-retrain/results/resnet50/size-reduction-abstract"]
    found = Auditor(claims, Files(tmp_path)).verdict(claims[0])
    assert found.verdict == "exact"
    assert found.computed == pytest.approx(52.5, abs=0.3)  # 52.45 and 52.54 are printed


def test_the_command_line_writes_files_where_asked(
    bench: Callable[[str], tuple[int, str, str]], layers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    check = {"kind": "clusters", "layers": layers, "clusters": 16, "classes": 10}
    made = claim("p/size", num=50, printed="50", unit="%", system="lenet5", check=check)
    monkeypatch.setattr("bench.audit.claims.load_claims", lambda: [made])
    whole, sampled = (json.loads(bench(f"audit --json{more}")[1])["claims"][0] for more in (" --with-storage", ""))
    assert "A whole HDF5 file" in whole["why"]
    assert "A whole HDF5 file" not in sampled["why"]
    assert whole["computed"] == pytest.approx(sampled["computed"], abs=5)  # a small file needs more to find its arrays
