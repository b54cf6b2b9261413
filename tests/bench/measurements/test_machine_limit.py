"""The least time of the machine, by hand, and rates that a machine can have."""

from pathlib import Path

import pytest
from fake.rows import row
from torch import nn

from bench.measurements import machine_limit
from bench.measurements.machine_limit import least_ns, peaks

RATES = [[1000, 8e9], [4000, 4e9]]  # bytes, bytes a second


@pytest.mark.parametrize(("macs", "weight_bytes", "wanted"), [
    (2000, 800, (1000, "multiply-adds")),  # 2000 at 2 a nanosecond; 800 bytes at 8 take 100
    (100, 800, (100, "weights")),
    (100, 1001, (1001 / 4, "weights")),  # no longer held by the smaller cache
    (100, 8000, (2000, "weights")),  # larger than all: at the last rate
])  # fmt: skip
def test_the_longer_of_computing_and_reading(macs: int, weight_bytes: int, wanted: tuple[float, str]) -> None:
    assert least_ns(macs, weight_bytes, 2e9, RATES) == wanted


def test_a_rows_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {"fp32_macs_per_s": 1e9, "int8_macs_per_s": 1e12, "bytes_per_s": [[10**9, 1e9]]}
    monkeypatch.setattr(machine_limit, "peaks", lambda: rates)
    network = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, bias=False), nn.Flatten(), nn.Linear(2 * 8 * 8, 5))
    found = machine_limit.measure(row(tmp_path, Floats(network), size=8))
    macs, weights = 2 * 9 * 64 + 128 * 5, 2 * 9 + 128 * 5 + 5
    assert found.value == pytest.approx(4 * weights)  # a byte takes a nanosecond, as does a multiply-add
    assert macs < 4 * weights
    assert (found.detail["by"], found.detail["int8_by"]) == ("weights", "weights")
    assert found.detail["int8"] == pytest.approx(weights)
    assert {name: found.detail[name] for name in rates} == rates


def test_unknown_multiply_adds_have_no_limit(tmp_path: Path) -> None:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(nn.init.ones_(nn.Linear(8, 8).weight))

        def forward(self, images):
            return (images.float()[:, 0] * self.weight).sum(1)

    with pytest.raises(ValueError, match="multiply-adds not known: aten::mul with a parameter"):
        machine_limit.measure(row(tmp_path, Recurrent(), size=8))


def test_rates_of_this_machine() -> None:
    found = peaks()
    assert 1e8 < found["fp32_macs_per_s"] < 1e13  # multiply-adds, not FLOPs of an accelerator
    assert found["int8_macs_per_s"] > 0.5 * found["fp32_macs_per_s"]
    assert [size for size, _ in found["bytes_per_s"]] == sorted(size for size, _ in found["bytes_per_s"])
    assert all(1e8 < rate < 1e13 for _, rate in found["bytes_per_s"])
    assert peaks() is found  # once a program


class Floats(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images):
        return self.network(images.float())
