"""Parameters, stored size and multiply-adds of a whole row."""

import json
from pathlib import Path

import torch
from fake.rows import row
from torch import Tensor, nn

from bench.measurements import macs, params, params_keras, size_bytes
from tasks.normalised import Normalised
from tasks.recogniser import save_weights

NETWORK = (nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 6 * 6, 10))
LEARNED = 4 * 9 + 2 * 4 + 4 * 36 * 10 + 10


def test_params(tmp_path: Path) -> None:
    measured = params.measure(row(tmp_path, nn.Sequential(*NETWORK), size=8))
    assert measured.value == LEARNED
    # buffers: moving mean and variance, and the number of batches
    assert measured.detail == {"trainable": LEARNED, "total": LEARNED + 2 * 4 + 1}


def test_params_fitted_without_gradients_count(tmp_path: Path) -> None:
    measured = params.measure(row(tmp_path, nn.Linear(4, 3).requires_grad_(False)))
    assert (measured.value, measured.detail["trainable"]) == (15, 0)


def test_shared_params_count_once(tmp_path: Path) -> None:
    first, second = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
    second.weight = first.weight
    found = row(tmp_path, nn.Linear(4, 4))
    found.recogniser.network = nn.Sequential(first, second)
    assert params.measure(found).value == 16


def test_params_as_keras_prints_them(tmp_path: Path) -> None:
    assert params_keras.measure(row(tmp_path, nn.Sequential(*NETWORK), size=8)).value == LEARNED + 2 * 4


def test_size_is_the_file_of_header_and_weights(tmp_path: Path) -> None:
    found = row(tmp_path, nn.Linear(16, 8))
    measured = size_bytes.measure(found).value
    header = int.from_bytes(found.weights.read_bytes()[:8], "little")
    assert json.loads(found.weights.read_bytes()[8 : 8 + header])["weight"]["shape"] == [8, 16]
    assert measured == 8 + header + 4 * (16 * 8 + 8)


def test_macs_of_a_row_at_its_own_input(tmp_path: Path) -> None:
    found = row(tmp_path, Normalised(nn.Sequential(*NETWORK)), size=8)
    measured = macs.measure(found)
    assert measured.value == 36 * 4 * 9 + 4 * 36 * 10
    # uint8 to ink: a division and a subtraction; then batch normalisation
    assert measured.detail == {"incomplete": [], "elementwise": 2 * 64 + 4 * 36}


def test_macs_without_a_formula_have_no_value(tmp_path: Path) -> None:
    class Weighted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.rand(8, 8))

        def forward(self, x: Tensor) -> Tensor:
            return (x * self.weight).flatten(1)

    measured = macs.measure(row(tmp_path, Normalised(Weighted()), size=8))
    assert measured.value is None
    assert measured.detail["incomplete"] == ["aten::mul with a parameter"]


def test_labels_in_the_header_are_no_part_of_the_stored_size(tmp_path: Path) -> None:
    found = row(tmp_path, nn.Linear(4, 3))
    bare = found.weights.stat().st_size
    save_weights(found.recogniser.network, found.weights, {"labels": "x" * 1000})
    assert found.weights.stat().st_size > bare + 1000
    assert size_bytes.measure(found).value == bare
