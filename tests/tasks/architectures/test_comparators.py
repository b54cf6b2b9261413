"""Networks that others are measured against: counts, and the shape of every printed row."""

import math

import pytest
import torch
from torch import nn

from bench.measurements._mac_counter import count
from tasks.architectures import ARCHITECTURES


def meta(system, classes=3755):
    name, _, variant = system.partition(":")
    module = ARCHITECTURES.load(name)
    with torch.device("meta"):
        return module.build(variant, classes, *module.INPUT).eval(), module.INPUT


# By hand; with batch normalisation's moving statistics. In brackets what is printed.
COUNTS = [
    # 3,650 + 45,100 + 135,150 + 270,200 + 450,250 + 675,300 + 945,350 + 1,260,400, then 1,440,900 + 180,200 + 754,755
    # (23.5 MB); the Sobel operator over 64x64 is 73,728 multiply-adds
    ("directmap_cnn", 6_161_255, 263_097_400 + 73_728),
    # convolutions 4,811,328, normalisation 10,368, weighted pool 16,128, classifier 1,685,995 (6,523,819)
    ("melnyk_net", 6_523_819, 1_201_400_384),
    # 1,000 + 80,200 + 240,300 + 480,400 + 800,500 + 1,881,255
    ("mcdnn", 3_483_655, 74_981_900),
    # convolutions, 3456 x 1024, classifier; normalisation 4 and PReLU 1 for each of 1,664 maps and 1,024 units
    ("cnn9layer:plain", 3_466_080 + 3_538_944 + 1025 * 3755 + 5 * (1664 + 1024), 593_964_032),
    # the factors to each rank have 474 biases (1.52e8)
    ("cnn9layer:lowrank", 773_856 + 474 + 3_538_944 + 1025 * 3755 + 5 * (1664 + 1024), 151_996_928),
    # the authors' published network; 16 Gabor kernels of 7x7 over 120x120 are 11,289,600 multiply-adds
    ("hccr_googlenet:grey", 6_448_163, 276_438_848),
    ("hccr_googlenet:gabor", 6_473_251, 276_438_848 + 8 * 49 * 64 * 57 * 57 + 11_289_600),
]


@pytest.mark.parametrize(("system", "params", "macs"), COUNTS)
def test_costs_are_those_published(system, params, macs):
    network, (channels, size) = meta(system)
    moving = sum(buffer.numel() for name, buffer in network.named_buffers() if "running" in name)
    assert sum(parameter.numel() for parameter in network.parameters()) + moving == params
    counted = count(network, torch.empty(1, channels, size, size, device="meta"))
    assert (counted.macs, counted.incomplete) == (macs, ())


# What comes out of each named layer, as maps x side or as features.
ROWS = {
    "directmap_cnn": "directions 8x64 places 8x32 conv1 50x32 conv2 100x32 pool2 100x16 conv3 150x16 conv4 200x16 "
    "pool4 200x8 conv5 250x8 conv6 300x8 pool6 300x4 conv7 350x4 conv8 400x4 pool8 400x2 flatten 1600 hidden1 900 "
    "hidden2 200 classifier 3755",
    "melnyk_net": "conv1_1 64x96 conv1_2 64x96 pool1 64x48 conv2_1 96x48 conv2_2 64x48 conv2_3 96x48 pool2 96x24 "
    "conv3_1 128x24 conv3_2 96x24 conv3_3 128x24 pool3 128x12 conv4_1 256x12 conv4_2 192x12 conv4_3 256x12 pool4 256x6 "
    "conv5_1 448x6 conv5_2 256x6 conv5_3 448x6 pool 448x1 classifier 3755",
    "mcdnn": "conv1 100x46 pool1 100x23 conv2 200x22 pool2 200x11 conv3 300x10 pool3 300x5 conv4 400x4 pool4 400x2 "
    "flatten 1600 hidden 500 classifier 3755",
    "cnn9layer:plain": "conv1 96x96 pool_conv1 96x48 conv2 128x48 pool_conv2 128x24 conv3 160x24 pool_conv3 160x12 "
    "conv4_1 256x12 conv4_2 256x12 pool_conv4_2 256x6 conv5_1 384x6 conv5_2 384x6 pool_conv5_2 384x3 flatten 3456 "
    "hidden 1024 classifier 3755",
    "cnn9layer:lowrank": "conv1 96x96 pool_conv1 96x48 conv2_down 40x48 conv2_across 128x48 pool_conv2 128x24 "
    "conv3_down 51x24 conv3_across 160x24 pool_conv3 160x12 conv4_1_down 69x12 conv4_1_across 256x12 "
    "conv4_2_down 89x12 conv4_2_across 256x12 pool_conv4_2 256x6 conv5_1_down 102x6 conv5_1_across 384x6 "
    "conv5_2_down 123x6 conv5_2_across 384x6 pool_conv5_2 384x3 flatten 3456 hidden 1024 classifier 3755",
    "hccr_googlenet:gabor": "gabor 9x120 conv1 64x57 pool1 64x28 reduction2 64x28 conv2 192x28 pool2 192x14 "
    "inception1 256x14 inception2 480x14 pool3 480x7 inception3 512x7 inception4 832x7 pool4 832x2 reduction4 128x2 "
    "flatten 512 hidden 1024 classifier 3755",
}


@pytest.mark.parametrize("system", ROWS)
def test_every_row_has_its_shape(system):
    network, (channels, size) = meta(system)
    maps, found = torch.empty(1, channels, size, size, device="meta"), {}
    for name, layer in network.named_children():
        maps = layer(maps)
        found[name] = f"{maps.shape[1]}x{maps.shape[2]}" if maps.ndim == 4 else f"{maps.shape[1]}"
    words = ROWS[system].split()
    wanted = dict(zip(words[::2], words[1::2], strict=True))
    assert {name: shape for name, shape in found.items() if name in wanted} == wanted


def test_low_rank_normalises_after_the_second_factor_alone():
    network, _ = meta("cnn9layer:lowrank")
    names = [name for name, _ in network.named_children()]
    at = names.index("conv4_1_down")
    assert names[at : at + 4] == ["conv4_1_down", "conv4_1_across", "norm_conv4_1", "prelu_conv4_1"]
    assert network.conv4_1_down.kernel_size == (3, 1)
    assert network.conv4_1_across.kernel_size == (1, 3)


def test_melnyks_pools_count_real_places_and_sum_with_weights_of_one():
    network = ARCHITECTURES.load("melnyk_net").build("", 3, 1, 96)
    corner = network.pool1(torch.ones(1, 1, 96, 96))[0, 0, -1, -1]
    assert corner == 1  # four places, not nine
    torch.testing.assert_close(network.pool(torch.full((1, 448, 6, 6), 0.5))[0, :, 0, 0], torch.full((448,), 18.0))


@pytest.fixture
def directions():
    return ARCHITECTURES.load("directmap_cnn").DirectionMaps(1)


def test_direction_maps_add_up_to_the_gradient(directions):
    image = torch.rand(1, 1, 9, 9, generator=torch.Generator().manual_seed(0))
    maps = directions(image)[0]
    angles = torch.arange(8) * math.pi / 4
    x = (maps * angles.cos()[:, None, None]).sum(0)
    y = (maps * angles.sin()[:, None, None]).sum(0)
    padded = nn.functional.pad(image, (1, 1, 1, 1))[0, 0]
    smooth_y = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    smooth_x = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4
    torch.testing.assert_close(x, (smooth_y[:, 2:] - smooth_y[:, :-2]) / 2)
    torch.testing.assert_close(y, (smooth_x[2:] - smooth_x[:-2]) / 2)
    assert (maps >= 0).all()
    assert ((maps > 1e-7).sum(0) <= 2).all()  # the two neighbouring directions


def test_an_edge_goes_to_its_direction(directions):
    image = torch.zeros(1, 1, 8, 8)
    image[..., 4:] = 1  # brighter to the right
    inner = directions(image)[0, :, 2:6, 3]
    assert inner.argmax(0).tolist() == [0] * 4
    assert inner[0].tolist() == [0.5] * 4
    diagonal = torch.ones(8, 8).tril().view(1, 1, 8, 8)  # brighter to the lower left
    assert directions(diagonal)[0, :, 3:5, 3:5].sum((1, 2)).argmax() == 3


def test_gabor_maps_are_those_of_the_formula():
    module = ARCHITECTURES.load("hccr_googlenet")
    kernels = module.gabor_kernels()
    wave = math.pi / 2 / math.sqrt(2)
    for turn, x, y in ((0, 0, 0), (0, 2, -1), (2, 3, 3), (5, -1, 2)):
        angle = turn * math.pi / 8
        envelope = wave**2 / (4 * math.pi**2) * math.exp(-(wave**2) * (x * x + y * y) / (8 * math.pi**2))
        phase = wave * (x * math.cos(angle) + y * math.sin(angle))
        real, imaginary = kernels[2 * turn, y + 3, x + 3], kernels[2 * turn + 1, y + 3, x + 3]
        assert real == pytest.approx(envelope * (math.cos(phase) - math.exp(-2 * math.pi**2)), abs=1e-7)
        assert imaginary == pytest.approx(envelope * math.sin(phase), abs=1e-7)


def test_gabor_maps_are_scaled_each_and_a_blank_image_has_none():
    maps = ARCHITECTURES.load("hccr_googlenet").GaborMaps(1)
    image = torch.zeros(2, 1, 24, 24)
    image[0, :, :, 11:13] = 1  # one upright stroke
    found = maps(image)
    assert found.shape == (2, 9, 24, 24)
    assert torch.equal(found[:, :1], image)
    assert found[0, 1:].amax((1, 2)).tolist() == [1.0] * 8
    assert found[0, 1:].amin((1, 2)).tolist() == [0.0] * 8
    assert found[1].abs().max() == 0
    across, along = maps.kernels[0, 0], maps.kernels[8, 0]
    responses = [nn.functional.conv2d(image[:1], kernel[None, None]).abs().max() for kernel in (across, along)]
    assert responses[0] > 2 * responses[1]  # waves across the stroke answer it


@pytest.mark.parametrize("system", ["cnn9layer:lowrank", "melnyk_net"])
def test_inputs_that_do_not_fit_name_the_layer(system):
    name, _, variant = system.partition(":")
    with pytest.raises(ValueError, match=r"an input of 1x1x1 does not fit: layer pool\S+ \(\w+Pool2d\) wants maps of"):
        ARCHITECTURES.load(name).build(variant, 3, 1, 1)
