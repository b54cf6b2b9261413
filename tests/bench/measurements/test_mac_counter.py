"""Strict counting against closed forms, torch's own counter and operators that no formula knows."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from bench.measurements._mac_counter import Count, count


class Functional(nn.Module):
    """Whatever a function does with two parameters."""

    def __init__(self, function, *shapes: tuple[int, ...]) -> None:
        super().__init__()
        self.weights = nn.ParameterList(nn.Parameter(torch.rand(shape)) for shape in shapes)
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, *self.weights)


class WeightedPool(nn.Module):
    """A product with a weight, whose cost it declares."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(8, 4, 4))

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.weight).sum((2, 3))

    def multiply_adds(self, x: Tensor) -> int:
        return x.numel()


@torch.library.custom_op("probe::linear_int8", mutates_args=())
def linear_int8(x: Tensor, weight: Tensor) -> Tensor:
    return x @ weight.float().T


MAPS = (1, 8, 10, 12)
CASES = {
    "convolution": (nn.Conv2d(8, 6, 3, padding=1), MAPS, 10 * 12 * 6 * 8 * 9),
    "strided": (nn.Conv2d(8, 6, 3, stride=2, bias=False), MAPS, 4 * 5 * 6 * 8 * 9),
    "grouped": (nn.Conv2d(8, 6, 3, groups=2), MAPS, 8 * 10 * 6 * 4 * 9),
    "depthwise": (nn.Conv2d(8, 16, 3, groups=8), MAPS, 8 * 10 * 16 * 9),
    "asymmetric": (nn.Conv2d(8, 6, (1, 5)), MAPS, 10 * 8 * 6 * 8 * 5),
    "transposed": (nn.ConvTranspose2d(8, 6, 2, stride=2), MAPS, 10 * 12 * 8 * 6 * 4),
    "linear": (nn.Linear(12, 7), (1, 12), 12 * 7),
    "linear on positions": (nn.Linear(12, 7), MAPS, 8 * 10 * 12 * 7),
    "F.linear": (Functional(F.linear, (7, 12)), (1, 12), 12 * 7),
    "matmul": (Functional(torch.matmul, (12, 5)), MAPS, 8 * 10 * 12 * 5),
    "einsum": (Functional(lambda x, w: torch.einsum("bchw,nw->bchn", x, w), (5, 12)), MAPS, 8 * 10 * 12 * 5),
    "products of activations": (Functional(lambda x: x @ x.transpose(2, 3)), MAPS, 8 * 10 * 12 * 10),
    "called twice": (Functional(lambda x, w: F.linear(F.linear(x, w), w), (12, 12)), (1, 12), 2 * 12 * 12),
}


@pytest.mark.parametrize(("network", "shape", "macs"), CASES.values(), ids=CASES)
def test_closed_forms(network: nn.Module, shape: tuple[int, ...], macs: int) -> None:
    found = count(network.eval(), torch.rand(shape))
    assert (found.macs, found.incomplete) == (macs, ())


def small_network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.PReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(), nn.Linear(4, 10),
    ).eval()  # fmt: skip


def test_elementwise_operators_stand_apart() -> None:
    found = count(small_network(), torch.rand(1, 1, 16, 16))
    map16, map8 = 4 * 16 * 16, 4 * 8 * 8
    # normalisation and ReLU at full size; pooling and PReLU at half; the average
    assert found == Count(map16 * 9 + map8 * 9 + 40, 2 * map16 + 2 * map8 + 4, ())


def test_agrees_with_torch() -> None:
    network, image = small_network(), torch.rand(1, 1, 16, 16)
    with FlopCounterMode(display=False) as flops:
        network(image)
    assert count(network, image).macs * 2 == flops.get_total_flops()


def test_counts_each_forward_pass_alone() -> None:
    network, image = small_network(), torch.rand(1, 1, 16, 16)
    assert count(network, image) == count(network, image)


def test_counts_without_computing() -> None:
    network = small_network()
    expected = count(network, torch.rand(1, 1, 16, 16))
    assert count(network.to("meta"), torch.rand(1, 1, 16, 16, device="meta")) == expected


def test_recurrent_network_is_incomplete() -> None:
    found = count(nn.LSTM(16, 16).eval(), torch.rand(5, 1, 16))
    assert found.incomplete


def test_unknown_operator_is_named() -> None:
    network = Functional(lambda x: linear_int8(x, torch.ones(3, 4, dtype=torch.int8)))
    assert count(network.eval(), torch.rand(1, 4)).incomplete == ("probe::linear_int8",)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, w: (x * w).sum(1),
        lambda x, w: w.expand(2, 4) * x,
        lambda x, w: x.clone().mul_(w),
        lambda x, w: x * w.softmax(1),
        lambda x, w: x / w,
        lambda x, w: x * (w * 2 + 1).clone(),
    ],
    ids=["product", "view", "in place", "derived", "quotient", "derived twice"],
)
def test_product_with_a_parameter_is_incomplete(function) -> None:
    found = count(Functional(function, (1, 4)).eval(), torch.rand(2, 4))
    assert [name.rstrip("_ ") for name in found.incomplete] in (
        ["aten::mul with a parameter"], ["aten::mul_ with a parameter"], ["aten::div with a parameter"],
    )  # fmt: skip


def test_weights_may_be_prepared_by_products() -> None:
    scaled = Functional(lambda x, w, scale: F.linear(x, w * scale), (3, 4), (3, 1))
    assert count(scaled.eval(), torch.rand(1, 4)) == Count(12, 0, ())


def test_product_of_activations_is_elementwise() -> None:
    assert count(Functional(lambda x: x * x.sigmoid()).eval(), torch.rand(1, 4)) == Count(0, 8, ())


def test_declared_cost_stands_for_what_is_inside() -> None:
    network = nn.Sequential(nn.Conv2d(2, 8, 3, padding=1), WeightedPool(), nn.Linear(8, 3)).eval()
    assert count(network, torch.rand(1, 2, 4, 4)) == Count(16 * 8 * 2 * 9 + 8 * 16 + 24, 0, ())


def test_outermost_declaration_wins() -> None:
    class Whole(nn.Sequential):
        def multiply_adds(self, x: Tensor) -> int:
            return 1000

    assert count(Whole(WeightedPool(), nn.Linear(8, 3)).eval(), torch.rand(1, 8, 4, 4)).macs == 1000


def test_refuses_training_mode() -> None:
    with pytest.raises(ValueError, match="eval mode"):
        count(nn.Dropout(), torch.rand(1, 4))
