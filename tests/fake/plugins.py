"""Architectures of another package, written and put on the path at test time: small ones, and ones that fail."""

from pathlib import Path

import pytest

TINY = '''"""Two layers with normalisation and dropout."""

import multiprocessing

import torch
from torch import nn

SOURCE = "nowhere"
VARIANTS = ()
INPUT = (1, 16)
LAYOUT = "contiguous"
RECIPE = {
    "light": {"batch": 32, "lr": 0.01, "augmentation": {"rotate": 5.0}},
    "paper": {"batch": 32, "schedule": "plateau", "augmentation": {}, "optimizer": "sgd", "lr": 0.05},
}


class Tiny(nn.Sequential):
    steps = 0

    def forward(self, images):
        PLACE
        return super().forward(images)


def build(variant, classes, channels, size):
    return Tiny(
        nn.Conv2d(channels, 8, 5, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5),
        nn.Linear(8 * 6 * 6, classes),
    )
'''
PLACES = {
    "acme_tiny": "pass",
    "acme_step": "self.steps += self.training\n        if self.steps == 3: raise ArithmeticError('third step')",
    "acme_eval": "if not self.training: raise ArithmeticError('reading /home/someone/secret/net.bin')",
    "acme_timed": "if multiprocessing.parent_process() is not None: raise ArithmeticError('timed')",
    "acme_export": "if torch.compiler.is_exporting(): raise ArithmeticError('no such operator')",
    "acme_chatty": "print('a network prints')",
}
NAMES = (*PLACES, "acme_build", "acme_import", "acme_recipe", "acme_garbled")


def offer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package with an architecture of each of NAMES into a folder, and put it on the path."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {name: TINY.replace("PLACE", place) for name, place in PLACES.items()}
    texts["acme_build"] = TINY.replace("return Tiny(", "raise ArithmeticError('no such layer')\n    return Tiny(")
    texts["acme_import"] = TINY.replace("class Tiny", "raise ArithmeticError('imported')\n\n\nclass Tiny")
    texts["acme_recipe"] = TINY.replace('"batch": 32', '"batches": 32')
    texts["acme_garbled"] = "def ("
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    package = folder / "acme-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    points = "\n".join(f"{name} = {name}" for name in NAMES)
    (package / "entry_points.txt").write_text(f"[hccr_bench.architectures]\n{points}\n")
    monkeypatch.syspath_prepend(folder)
