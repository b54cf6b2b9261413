"""Peak activations against sums by hand, float32 unless said."""

from pathlib import Path

import pytest
import torch
from fake.rows import row
from torch import Tensor, nn
from torch.nn import functional as F

from bench.measurements import peak_activation_bytes
from bench.measurements.peak_activation_bytes import peak_bytes
from tasks.normalised import Normalised

MAP = 32 * 64 * 64 * 4  # one float map of 32 channels


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(32, 32, 3, padding=1), nn.Conv2d(32, 32, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(self.first(x))


class Functional(nn.Module):
    def __init__(self, function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def conv(inputs: int, outputs: int) -> nn.Module:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


IMAGE = torch.rand(1, 1, 64, 64)
CASES = {
    "two maps": (nn.Sequential(conv(1, 32), nn.ReLU()), 2 * MAP),  # 1,048,576
    "in place": (nn.Sequential(conv(1, 32), nn.ReLU(inplace=True)), MAP),
    "a long chain holds two": (nn.Sequential(conv(1, 32), *(conv(32, 32) for _ in range(5))), 2 * MAP),
    "the residual holds three": (nn.Sequential(conv(1, 32), Residual()), 3 * MAP),
    "shrinking": (nn.Sequential(conv(1, 32), nn.AvgPool2d(2), conv(32, 32)), MAP + MAP // 4),
    "views are free": (Functional(lambda x: x.flatten(1).view(64, 64).T[:3]), 0),
    "a composite's inside": (Functional(lambda x: F.linear(x, IMAGE[0, 0]).relu()), 2 * 64 * 64 * 4),
}


@pytest.mark.parametrize(("network", "expected"), CASES.values(), ids=CASES)
def test_by_hand(network: nn.Module, expected: int) -> None:
    assert peak_bytes(network.eval(), IMAGE) == expected


def test_repeats() -> None:
    network = nn.Sequential(conv(1, 32), Residual()).eval()
    assert [peak_bytes(network, IMAGE) for _ in range(3)] == [3 * MAP] * 3


def test_row_counts_the_float_image_but_not_the_uint8_input(tmp_path: Path) -> None:
    network = Normalised(nn.Sequential(conv(1, 32), nn.ReLU()))
    # While the ReLU runs both maps live, and so does the ink, which forward's caller still names.
    ink = 64 * 64 * 4
    assert peak_activation_bytes.measure(row(tmp_path, network)).value == 2 * MAP + ink
