"""Additions are one file each: an architecture, a dataset, a suite, a measurement, a runtime, a comparison and a codec.

Each is one new file in a copy of the packages; a recipe variant is none. One run uses all of them together.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
FILES = {
    "tasks/architectures/acme_net.py": '''
        """Two layers."""
        from torch import nn
        SOURCE = "nobody"
        VARIANTS = ()
        INPUT = (1, 16)
        LAYOUT = "contiguous"
        CPU_TRAINING = "fp32"
        RECIPE = {"light": {"lr": 0.01, "batch": 32}, "paper": {}}
        def build(variant, classes, channels, size):
            maps = nn.Sequential(nn.Conv2d(channels, 8, 4, stride=4), nn.ReLU(), nn.Flatten())
            return nn.Sequential(maps, nn.Linear(8 * (size // 4) ** 2, classes))
    ''',
    "datamodules/acme_data.py": '''
        """Bars whose place is their class."""
        import numpy as np
        from datamodules._base import CharacterDataModule, DatasetInfo, Splits
        from datamodules._characters import Characters
        SOURCE = "drawn here"
        LICENCE = "free of rights"
        SYNTHETIC = True
        class Bars(CharacterDataModule):
            def load(self):
                return Splits(("a", "b", "c"), part(60, 0), part(20, 1), part(30, 2))
            def describe(self, splits):
                sizes = {"train": len(splits.train), "val": len(splits.val), "test": len(splits.test)}
                return DatasetInfo("acme_data", 3, sizes, SOURCE, LICENCE, SYNTHETIC)
        def part(count, seed):
            random, labels = np.random.default_rng(seed), [index % 3 for index in range(count)]
            images = [random.integers(200, 256, (18, 18), dtype=np.uint8) for _ in labels]
            for image, label in zip(images, labels):
                image[6 * label : 6 * label + 4] = 0
            return Characters.pack(images, labels)
        def build(settings):
            return Bars()
    ''',
    "bench/suites/acme_suite.py": '''
        """A suite of one scale."""
        from bench.suites._base import Scale, Suite
        FIGURES = ("accuracy", "macs", "params", "size_bytes", "latency", "acme_energy")
        QUICK = Scale(("acme_net",), None, None, share=0.05, share_own=0.05, rounds=10)
        SUITE = Suite("Acme", "acme_data", FIGURES, {"quick": QUICK})
    ''',
    "bench/measurements/acme_energy.py": '''
        """Energy of one character, by a rule of thumb."""
        from bench.records.record import Measurement
        NAME = "acme_energy"
        UNIT = "nJ"
        VERSION = "1"
        BETTER = "lower"
        PHASE = "figures"
        COLUMN = ("Energy (nJ)", "number")
        def measure(row):
            """Multiply-adds times a constant."""
            return Measurement(row.measured["params"]["value"] * 0.5)
    ''',
    "bench/runtimes/acme_runtime.py": '''
        """The recogniser as it is."""
        from bench.runtimes._base import Subject
        def prepare(subject: Subject, form: str):
            return subject.load
    ''',
    "bench/comparisons/acme_ratio.py": '''
        """One against two."""
        from bench.records.record import Measurement
        GOAL = "at most 1"
        LIMIT = 1.0
        VERSION = "1"
        def compare():
            return Measurement(0.5, {"n": 1})
    ''',
    "tasks/compression/codecs/acme_sign.py": '''
        """One bit a weight."""
        import numpy as np
        from tasks.compression.codecs._base import Settings, is_weight
        from tasks.compression.container import Coded, raw
        FORMS = ("sign (one bit a weight)",)
        KINDS = ("acme-sign",)
        def parse(name):
            return Settings() if name == "sign" else None
        def encode(tensors, settings):
            return {name: coded(one) if is_weight(name, tensors) else raw(one) for name, one in tensors.items()}
        def coded(weights):
            table = np.array([abs(weights).mean()], np.float32)
            return Coded(weights.shape, KINDS[0], 1, table, (weights > 0).astype(np.uint8).ravel())
        def decode(stored):
            return ((2 * stored.codes.astype(np.float32) - 1) * stored.table[0]).reshape(stored.shape)
    ''',
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages with the new files, and nothing else changed."""
    folder = tmp_path_factory.mktemp("house")
    for package in ("bench", "datamodules", "tasks", "leaderboards"):
        ignored = shutil.ignore_patterns("__pycache__", "results", "*.svg", "*.md")
        shutil.copytree(ROOT / package, folder / package, ignore=ignored)
    for name, text in FILES.items():
        lines = text.strip("\n").splitlines()
        (folder / name).write_text("\n".join(line.removeprefix(" " * 8) for line in lines) + "\n", encoding="utf-8")
    return folder


def bench(house: Path, command: str) -> Any:
    """What a command prints as JSON, run in the copy."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", *command.split(), "--json"], cwd=house, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(house)}, timeout=250,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_every_kind_of_addition_is_one_file(house: Path) -> None:
    for what, name in (("architectures", "acme_net"), ("datasets", "acme_data"), ("suites", "acme_suite"),
                       ("measurements", "acme_energy"), ("runtimes", "acme_runtime")):  # fmt: skip
        assert name in [entry["name"] for entry in bench(house, f"list {what}")]
    systems = ("acme_net", "acme_net~lr=0.02~rotate=0", "acme_net+sign")
    rows = " ".join(f"--system {system}" for system in systems)
    out = bench(house, f"run --suite acme_suite {rows} --runtime acme_runtime --accelerator cpu --out out")
    records = {record["system"]: record for record in out["records"]}
    assert set(records) == set(systems)
    assert {record["status"] for record in records.values()} == {"whole"}
    for record in records.values():
        measured = record["measurements"]
        assert measured["acme_energy"]["value"] == measured["params"]["value"] / 2
        assert measured["latency@acme_runtime"]["value"] > 0
    assert records["acme_net~lr=0.02~rotate=0"]["recipe"]["lr"] == 0.02
    assert records["acme_net+sign"]["storage"]["name"] == "sign"
    board = (house / "out" / "acme_suite.md").read_text(encoding="utf-8")
    assert "Energy (nJ)" in board
    (compared,) = bench(house, "run --suite performance --system acme_ratio --out out")["records"]
    assert compared["verdict"] == "met"
