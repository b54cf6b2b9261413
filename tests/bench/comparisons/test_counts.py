"""Other counters' figures: what they count besides multiply-adds, by hand and by themselves."""

import pytest
import torch
from torch import nn

from bench.comparisons import _mac_counters, counts_fvcore, counts_ptflops, counts_torchinfo
from bench.comparisons._mac_counters import Work, compare_counters, peer, work_of
from bench.measurements._mac_counter import count

COUNTERS = [counts_fvcore, counts_ptflops, counts_torchinfo]
# By hand, on 4x4 pixels: the convolution gives 2 x 4 x 4 = 32 values of 9 multiply-adds, the last layer 8 x 5.
MACS = 32 * 9 + 8 * 5
BY_HAND = {
    counts_fvcore: MACS + 2 * 32,  # batch normalisation
    counts_ptflops: MACS + 32 + 5 + 2 * 32 + 2 * 32 + 2 * 32,  # biases, normalisation, ReLU twice, pooling twice
    counts_torchinfo: MACS + 32 + 5 + 4,  # biases, four parameters of batch normalisation
}


@pytest.fixture
def network() -> nn.Module:
    layers = [nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(8, 5)).eval()


@pytest.fixture
def image() -> torch.Tensor:
    return torch.zeros(1, 1, 4, 4)


def test_what_a_pass_does_is_seen(network: nn.Module, image: torch.Tensor) -> None:
    assert work_of(network, image) == Work(
        biased=37, normalised=32, activated=32, pooled=32, averaged=0, module_activated=32, module_pooled=32, derived=0
    )


def test_functions_without_a_module_are_told_apart(image: torch.Tensor) -> None:
    class Functional(nn.Module):
        def forward(self, maps: torch.Tensor) -> torch.Tensor:
            return nn.functional.adaptive_avg_pool2d(nn.functional.relu(maps), 1)

    assert work_of(Functional().eval(), image) == Work(activated=16, pooled=16, averaged=16)


@pytest.mark.parametrize("counter", COUNTERS)
def test_a_counter_gives_the_figure_by_hand_and_all_of_it_is_explained(counter, network, image) -> None:
    assert count(network, image).macs == MACS
    assert counter.peer_count(network, image) == BY_HAND[counter]
    assert MACS + counter.extra_operations(network, work_of(network, image)) == BY_HAND[counter]


@pytest.mark.parametrize("counter", COUNTERS)
def test_no_difference_is_left_on_the_systems(counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mac_counters, "SYSTEMS", ("squeezenet", "mobilenet_v2", "fire:gwap"))
    found = counter.compare()
    assert found.value == 1
    assert all(one["ratio"] > 1 for one in found.detail["systems"].values())


def test_a_difference_that_nothing_explains_is_the_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mac_counters, "SYSTEMS", ("lenet5",))
    found = compare_counters(lambda network, image: 2 * count(network, image).macs, lambda network, work: 0)
    assert found.value == 2


def test_a_missing_counter_says_what_to_install() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'hccr-bench\[peers\]'"):
        peer("no_such_counter")
