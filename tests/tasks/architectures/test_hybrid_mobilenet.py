"""Hybrid MobileNet: the paper's tables cell by cell, and its two ways of pooling."""

from functools import cache

import pytest
import torch

from bench.measurements._mac_counter import count
from tasks.architectures.hybrid_mobilenet import RECIPE, VARIANTS, FractionalMaxPool, build
from tasks.recipes import recipe_for

# Tables 4 to 6, parameters: the pooling has none, so that one count stands for three tables. As Keras counts: with
# batch normalisation's moving mean and variance. (delta and alpha, classes) -> counted, printed in millions.
PARAMETERS = {
    ("d1-a1", 10): (3_239_114, 3.23),
    ("d2-a1", 10): (6_443_178, 6.44),
    ("d2-a0.5", 10): (1_651_802, 1.65),
    ("d2-a0.25", 10): (433_458, 0.43),
    ("d4-a1", 10): (12_851_306, 12.85),
    ("d4-a0.5", 10): (3_286_074, 3.28),
    ("d4-a0.25", 10): (858_146, 0.85),
    ("d1-a1", 100): (3_331_364, 3.33),
    ("d2-a1", 100): (6_535_428, 6.53),
    ("d2-a0.5", 100): (1_697_972, 1.70),
    ("d2-a0.25", 100): (456_588, 0.46),
    ("d4-a1", 100): (12_943_556, 12.94),
    ("d4-a0.5", 100): (3_332_244, 3.33),
    ("d4-a0.25", 100): (881_276, 0.88),
}
# 3 tables of 14 cells; Tables 5 and 6 repeat the baseline, which has strides, as their d1-a1.
CELLS = [
    (table, "stride" if setting == "d1-a1" else pooling, setting, classes)
    for table, pooling in ((4, "stride"), (5, "mp3"), (6, "fmp"))
    for setting, classes in PARAMETERS
]

# Multiply-adds as counted and as printed in millions, CIFAR-10. Table 5 prints the cost of one more first
# convolution with a stride (0.221 M at a width of 1) where a first convolution without one costs 0.664 M more.
MULTIPLY_ADDS = [
    ("stride-d1-a1", 11_596_288, 11.58),
    ("stride-d2-a1", 22_961_152, 22.96),
    ("stride-d2-a0.5", 5_975_552, 5.97),
    ("stride-d2-a0.25", 1_611_520, 1.61),
    ("stride-d4-a1", 45_690_880, 45.69),
    ("stride-d4-a0.5", 11_835_392, 11.83),
    ("stride-d4-a0.25", 3_165_184, 3.16),
    ("mp3-d2-a1", 23_624_704, 23.18 + 0.664 - 0.221),
    ("mp3-d2-a0.5", 6_307_328, 6.08 + (0.664 - 0.221) / 2),
    ("mp3-d2-a0.25", 1_777_408, 1.67 + (0.664 - 0.221) / 4),
    ("mp3-d4-a1", 46_354_432, 45.91 + 0.664 - 0.221),
    ("mp3-d4-a0.5", 12_167_168, 11.94 + (0.664 - 0.221) / 2),
    ("mp3-d4-a0.25", 3_331_072, 3.22 + (0.664 - 0.221) / 4),
    ("fmp-d2-a1", 139_007_232, 139),
    ("fmp-d2-a0.5", 35_936_896, 35.9),
    ("fmp-d2-a0.25", 9_576_768, 9.5),
    ("fmp-d4-a1", 277_119_488, 277),
    ("fmp-d4-a0.5", 71_426_304, 71.2),
    ("fmp-d4-a0.25", 18_929_792, 18.9),
]

# Tables 1 to 3: what comes out of each row, at a width of 1 and one map per channel; (maps, side).
ROWS = {
    "stride": "stem:32,16 1:32,16 1:64,16 2:64,8 2:128,8 3:128,8 3:128,8 4:128,4 4:256,4 5:256,4 5:256,4 6:256,2 "
    "6:512,2 7:512,2 7:512,2 8:512,2 8:512,2 9:512,2 9:512,2 10:512,2 10:512,2 11:512,2 11:512,2 12:512,1 12:1024,1 "
    "13:1024,1 13:1024,1",
    "mp3": "stem:32,32 pool0:32,16 1:32,16 1:64,16 pool1:64,8 2:64,8 2:128,8 3:128,8 3:128,8 pool3:128,4 4:128,4 "
    "4:256,4 5:256,4 5:256,4 pool5:256,2 6:256,2 6:512,2 7:512,2 7:512,2 8:512,2 8:512,2 9:512,2 9:512,2 10:512,2 "
    "10:512,2 11:512,2 11:512,2 pool11:512,1 12:512,1 12:1024,1 13:1024,1 13:1024,1",
    "fmp": "stem:32,32 pool0:32,22 1:32,22 1:64,22 2:64,22 2:128,22 pool2:128,15 3:128,15 3:128,15 4:128,15 4:256,15 "
    "pool4:256,10 5:256,10 5:256,10 6:256,10 6:512,10 pool6:512,6 7:512,6 7:512,6 8:512,6 8:512,6 pool8:512,4 9:512,4 "
    "9:512,4 10:512,4 10:512,4 pool10:512,2 11:512,2 11:512,2 12:512,2 12:1024,2 pool12:1024,1 13:1024,1 13:1024,1",
}


@cache
def meta(variant, classes=10):
    with torch.device("meta"):
        return build(variant, classes, 3, 32).eval()


def test_all_cells_are_there():
    assert len(CELLS) == 42
    assert len(VARIANTS) == 27


@pytest.mark.parametrize(("table", "pooling", "setting", "classes"), CELLS)
def test_parameters_are_those_of_the_table(table, pooling, setting, classes):
    counted, printed = PARAMETERS[setting, classes]
    network = meta(f"{pooling}-{setting}", classes)
    moving = sum(buffer.numel() for name, buffer in network.named_buffers() if "running" in name)
    assert sum(parameter.numel() for parameter in network.parameters()) + moving == counted
    # The paper rounds some cells and cuts others: 3.239 to 3.23, 1.698 to 1.70.
    assert printed in (round(counted / 1e6, 2), counted // 10_000 / 100)


@pytest.mark.parametrize(("variant", "macs", "printed"), MULTIPLY_ADDS)
def test_multiply_adds_are_those_of_the_table(variant, macs, printed):
    counted = count(meta(variant), torch.empty(1, 3, 32, 32, device="meta"))
    assert counted.macs == macs
    assert not counted.incomplete
    assert macs / 1e6 == pytest.approx(printed, rel=0.009)  # 9.577 is printed as 9.5


@pytest.mark.parametrize("pooling", ROWS)
def test_every_row_has_the_shape_of_the_table(pooling):
    network = meta(f"{pooling}-d1-a1")
    maps, found = torch.empty(1, 3, 32, 32, device="meta"), []
    for name, layer in network.features.named_children():
        maps = layer(maps)
        assert maps.shape[2] == maps.shape[3]
        found.append(f"{name.removeprefix('depthwise').removeprefix('pointwise')}:{maps.shape[1]},{maps.shape[2]}")
    assert found == ROWS[pooling].split()


def test_depth_multiplier_widens_the_depthwise_outputs_alone():
    convolutions = [layer[0] for name, layer in meta("mp3-d4-a0.25").features.named_children() if "pool" not in name]
    assert [(c.in_channels, c.out_channels) for c in convolutions[:5]] == [
        (3, 8),
        (8, 32),
        (32, 16),
        (16, 64),
        (64, 32),
    ]


@pytest.mark.parametrize("outputs", [3, 4, 5])
def test_fractional_pooling_takes_the_maximum_of_disjoint_regions(outputs):
    pool, maps = FractionalMaxPool(5, outputs).eval(), torch.rand(2, 3, 5, 5)
    ends = [(i + 1) * 5 // outputs for i in range(outputs)]  # 1 3 5, 1 2 3 5, 1 2 3 4 5
    regions = list(zip([0, *ends], ends, strict=False))
    wanted = [[maps[:, :, a:b, c:d].amax((2, 3)) for c, d in regions] for a, b in regions]
    assert torch.equal(pool(maps), torch.stack([torch.stack(row, 2) for row in wanted], 2))


def test_fractional_pooling_draws_while_training_and_keeps_still_in_evaluation():
    torch.manual_seed(0)
    pool, maps = FractionalMaxPool(22, 15), torch.arange(22 * 22.0).view(1, 1, 22, 22)
    drawn = [pool(maps) for _ in range(8)]
    rows = [tuple((found[0, 0, :, -1] // 22).int().tolist()) for found in drawn]
    columns = [tuple((found[0, 0, -1] % 22).int().tolist()) for found in drawn]
    assert len(set(rows)) > 1
    assert rows != columns
    for lasts in rows + columns:  # of regions of one or two that cover everything
        assert lasts[-1] == 21
        assert {b - a for a, b in zip((-1, *lasts), lasts, strict=False)} == {1, 2}
    pool.eval()
    assert torch.equal(pool(maps), pool(maps))


def test_recipes_are_the_papers_and_a_modern_one():
    paper, modern = (recipe_for(name, RECIPE) for name in ("paper", "modern"))
    assert (paper.optimizer, paper.schedule, paper.augmentation.identity) == ("adam", "constant", True)
    assert (modern.optimizer, modern.lr, modern.momentum) == ("sgd", 0.1, 0.9)
    assert modern.augmentation.flip_left_right == 0.5
    assert [layer.p for layer in meta("fmp-d1-a1").modules() if isinstance(layer, torch.nn.Dropout)] == [0.1]
