"""Every architecture, by the registry alone; then what the papers print of each."""

import re
from functools import partial

import pytest
import torch
import torchvision.models as published
from safetensors.torch import load_file, save_file
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from tasks.architectures import ARCHITECTURES
from tasks.architectures.fire import GlobalWeightedPool, trunk
from tasks.recipes import recipe_for

CLASSES = 7
SYSTEMS = [
    (name, variant) for name in ARCHITECTURES.names() for variant in ARCHITECTURES.literals(name)["VARIANTS"] or ("",)
]
MISFIT = r"layer \S+ \(\w+\) wants .+, got \d+(x\d+)*"


def build(name, variant="", classes=CLASSES, channels=None, size=None):
    module = ARCHITECTURES.load(name)
    return module.build(variant, classes, channels or module.INPUT[0], size or module.INPUT[1])


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def multiply_adds(network, channels, size):
    with FlopCounterMode(display=False) as counter:  # two operations per multiply-add
        network.eval()(torch.empty(1, channels, size, size, device="meta"))
    return {name: sum(ops.values()) // 2 for name, ops in counter.get_flop_counts().items()}


@pytest.fixture(scope="module", params=SYSTEMS, ids=lambda system: ":".join(filter(None, system)))
def system(request):
    torch.manual_seed(0)
    name, variant = request.param
    channels, size = ARCHITECTURES.load(name).INPUT
    return name, variant, build(name, variant), torch.rand(2, channels, size, size)


@pytest.mark.parametrize("name", ARCHITECTURES.names())
def test_literals_are_read_without_an_import_and_make_sense(name):
    literals = ARCHITECTURES.literals(name)
    assert literals["SOURCE"]
    assert literals["__doc__"]
    assert len(set(literals["VARIANTS"])) == len(literals["VARIANTS"]) != 1
    assert literals["INPUT"][0] in (1, 3)
    assert literals["INPUT"][1] > 0
    assert literals["LAYOUT"] in ("channels_last", "contiguous")
    assert literals["CPU_TRAINING"] in ("bf16", "fp32")
    for recipe in ("light", "paper"):
        assert recipe in literals["RECIPE"] or (recipe == "paper" and "no paper" in literals["SOURCE"])
        assert recipe_for(recipe, literals["RECIPE"]).epochs > 0
        assert recipe_for(recipe, literals["RECIPE"]).lr > 0


def test_a_batch_becomes_logits(system):
    _, _, network, images = system
    assert network.eval()(images).shape == (2, CLASSES)


def test_evaluation_is_deterministic_and_takes_each_image_by_itself(system):
    _, _, network, images = system
    network.eval()
    with torch.no_grad():
        both = network(images)
        torch.testing.assert_close(network(images), both, rtol=0, atol=0)
        apart = torch.cat([network(images[:1]), network(images[1:])])
    torch.testing.assert_close(apart, both, rtol=1e-5, atol=1e-4)  # sums are made in another order


def test_weights_survive_safetensors(system, tmp_path):
    name, variant, network, images = system
    save_file(network.state_dict(), tmp_path / "weights.safetensors")  # refuses tensors that share memory
    with torch.device("meta"):
        other = build(name, variant)
    other.load_state_dict(load_file(tmp_path / "weights.safetensors"), assign=True)
    (tmp_path / "weights.safetensors").unlink()
    with torch.no_grad():
        torch.testing.assert_close(other.eval()(images), network.eval()(images))


def test_a_gradient_reaches_every_parameter(system):
    name, _, network, images = system
    learnt = {key: value for key, value in network.named_parameters() if value.requires_grad}
    if recipe_for("light", ARCHITECTURES.load(name).RECIPE).optimizer == "none":
        assert not learnt
        assert callable(network.update)
        assert callable(network.finish)
        return
    output = network.train()(images)
    heads = output if isinstance(output, tuple) else (output,)
    torch.stack([logits.square().sum() for logits in heads]).sum().backward()
    assert [key for key, value in learnt.items() if value.grad is None or not value.grad.any()] == []
    network.zero_grad(set_to_none=True)


def test_an_unknown_variant_is_refused_with_the_known_ones(system):
    name, variant, _, _ = system
    with pytest.raises(ValueError, match=f"unknown variant 'nonesuch'.*{variant or 'none'}"):
        build(name, "nonesuch")


@pytest.mark.parametrize("size", [1, 40])
@pytest.mark.parametrize(("name", "variant"), SYSTEMS)
def test_any_size_either_fits_or_names_the_layer(name, variant, size):
    with torch.device("meta"):
        try:
            network = build(name, variant, channels=3, size=size)
        except ValueError as error:
            message = str(error)
        else:
            message = ""
            assert network.eval()(torch.empty(2, 3, size, size)).shape == (2, CLASSES)
    assert not message or re.search(rf"an input of 3x{size}x{size} does not fit: {MISFIT}", message), message


@pytest.mark.parametrize(
    ("name", "channels", "size", "message"),
    [
        # 52-48-24-20-10-8-4-2 becomes 40-36-18-14-7-5-2 and 2 is less than a 3x3 kernel
        ("shui_cnn", 1, 40, r"layer conv4 \(Conv2d\) wants 256 maps of at least 3x3, got 256x2x2"),
        # 32-7-3-3-1, then a 3x3 pool
        ("alexnet", 3, 32, r"layer features.12 \(MaxPool2d\) wants maps of at least 3x3, got 256x1x1"),
        ("vgg16", 1, 16, r"layer features.30 \(MaxPool2d\) wants maps of at least 2x2, got 512x1x1"),
        # 9-4-2, rounded up to 1; a pool that rounds up takes 2x2 but not 1x1
        ("squeezenet", 1, 8, r"layer features.5 \(MaxPool2d\) wants maps of at least 2x2, got 128x1x1"),
        ("fire", 1, 4, r"layer pool_fire5 \(MaxPool2d\) wants maps of at least 2x2, got 256x1x1"),
    ],
)
def test_a_misfit_says_what_was_wanted_and_what_came(name, channels, size, message):
    variant = (ARCHITECTURES.literals(name)["VARIANTS"] or ("",))[0]
    with torch.device("meta"), pytest.raises(ValueError, match=message):
        build(name, variant, channels=channels, size=size)


@pytest.mark.parametrize(
    ("name", "variant", "classes", "channels", "size", "count"),
    [
        # torchvision's documentation, "num_params"; GoogLeNet without its auxiliary heads
        ("alexnet", "", 1000, 3, 224, 61_100_840),
        ("googlenet", "", 1000, 3, 224, 6_624_904),
        ("vgg16", "", 1000, 3, 224, 138_357_544),
        ("resnet", "18", 1000, 3, 224, 11_689_512),
        ("resnet", "50", 1000, 3, 224, 25_557_032),
        ("mobilenet_v2", "", 1000, 3, 224, 3_504_872),
        ("squeezenet", "", 1000, 3, 224, 1_235_496),
        # Keras' MobileNet: 4,253,864 less the 21,888 moving statistics
        ("mobilenet_v1", "", 1000, 3, 224, 4_231_976),
        # 156 + 2,416 + 48,120 + 10,164 + 850
        ("lenet5", "", 10, 1, 32, 61_706),
        # shui-ocr: 3,328 + 614,592 + 442,624 + 295,040 + 525,312 + 410,000
        ("shui_cnn", "", 400, 1, 52, 2_290_896),
        # fire-hccr: 724,288 below the head; classifier 512 x 3,755 + 3,755
        ("fire", "gap", 3755, 1, 64, 724_288 + 1_926_315),
        ("fire", "gwap", 3755, 1, 64, 724_288 + 512 * 8 * 8 + 1_926_315),
        ("fire", "fc", 3755, 1, 64, 724_288 + (32_768 * 1024 + 1024) + 1025 * 3755),
        ("nearest_mean", "", 30, 1, 64, 4097 * 30),
    ],
)
def test_parameters_are_those_published(name, variant, classes, channels, size, count):
    with torch.device("meta"):
        assert parameters(build(name, variant, classes, channels, size)) == count


@pytest.mark.parametrize(
    ("name", "variant", "classes", "channels", "size", "count"),
    [
        # 117,600 + 240,000 + 48,000 + 10,080 + 840
        ("lenet5", "", 10, 1, 32, 416_520),
        # 7,372,800 + 245,760,000 + 28,311,552 + 1,179,648 + 524,288 + 409,600
        ("shui_cnn", "", 400, 1, 52, 283_557_888),
        # MobileNets, Table 8: 569 M
        ("mobilenet_v1", "", 1000, 3, 224, 568_740_352),
        # fire-hccr, Table 4: 0.91e8
        ("fire", "gwap", 3755, 1, 64, 88_997_888 + 32_768 + 1_922_560),
        ("nearest_mean", "", 30, 1, 64, 4096 * 30),
    ],
)
def test_multiply_adds_are_those_of_the_arithmetic(name, variant, classes, channels, size, count):
    with torch.device("meta"):
        network = build(name, variant, classes, channels, size)
    assert multiply_adds(network, channels, size)["Global"] == count


@pytest.mark.parametrize(
    ("name", "variant", "original"),
    [
        ("alexnet", "", published.alexnet),
        ("vgg16", "", published.vgg16),
        ("googlenet", "", partial(published.googlenet, aux_logits=False, init_weights=True)),
        ("resnet", "18", published.resnet18),
        ("resnet", "50", published.resnet50),
        ("squeezenet", "", published.squeezenet1_1),
        ("mobilenet_v2", "", published.mobilenet_v2),
    ],
)
def test_only_the_first_convolution_differs_from_torchvision(name, variant, original):
    with torch.device("meta"):
        theirs = original(weights=None, num_classes=CLASSES)
        same = build(name, variant, channels=3)
        ours = build(name, variant)
    shapes = {key: value.shape for key, value in theirs.state_dict().items()}
    assert {key: value.shape for key, value in same.state_dict().items()} == shapes
    changed = {key for key, value in ours.state_dict().items() if value.shape != shapes[key]}
    first, new = (
        next(layer for layer in network.modules() if isinstance(layer, nn.Conv2d)) for network in (theirs, ours)
    )
    assert len(changed) == 1
    assert new.weight.shape == (first.weight.shape[0], 1, *first.weight.shape[2:])
    for setting in ("kernel_size", "stride", "padding", "dilation", "groups"):
        assert getattr(new, setting) == getattr(first, setting)
    assert (new.bias is None) == (first.bias is None)


# fire-hccr, Table 1: parameters and multiply-adds by hand, then as printed. Batch normalisation counts four
# values a channel: fire2 is 64x16 + 16x64 + 9x16x64 + 4x144, over 32x32 places.
TABLE_1 = [
    ("conv1", 832, 2_359_296, 832, 2.4e6),
    ("fire2", 11_840, 11_534_336, 12e3, 11.5e6),
    ("fire3", 12_864, 12_582_912, 13e3, 12.6e6),
    ("fire4", 46_208, 11_534_336, 46e3, 11.5e6),
    ("fire5", 50_304, 12_582_912, 50e3, 12.6e6),
    ("fire6", 106_176, 6_684_672, 106e3, 6.7e6),
    ("fire7", 112_320, 7_077_888, 112e3, 7.0e6),
    ("fire8", 190_720, 12_058_624, 190e3, 12.1e6),
    ("fire9", 198_912, 12_582_912, 199e3, 12.6e6),
]


@pytest.mark.parametrize(("layer", "params", "macs", "printed_params", "printed_macs"), TABLE_1)
def test_fire_has_the_cells_of_table_1(layer, params, macs, printed_params, printed_macs):
    with torch.device("meta"):
        network = trunk(1)
    part = network.get_submodule(layer)
    moving = sum(buffer.numel() for name, buffer in part.named_buffers() if "running" in name)
    assert parameters(part) + moving == params
    assert multiply_adds(network, 1, 64)[f"Sequential.{layer}"] == macs
    # The table rounds some cells and cuts others (190,720 to 190K, 7.08M to 7.0M): within one last digit.
    assert abs(params - printed_params) < (1 if printed_params == 832 else 1e3)
    assert abs(macs - printed_macs) < 0.1e6


def test_weighted_pooling_starts_as_the_average_and_weighs_each_place():
    torch.manual_seed(0)
    pool, maps = GlobalWeightedPool(6, 4), torch.rand(3, 6, 4, 4)
    torch.testing.assert_close(pool(maps)[:, :, 0, 0], maps.mean((2, 3)))
    nn.init.normal_(pool.weight)
    torch.testing.assert_close(pool(maps)[:, :, 0, 0], (maps * pool.weight[:, 0]).sum((2, 3)))


@pytest.mark.parametrize("name", ["mobilenet_v1", "mobilenet_v2"])
def test_mobilenets_drop_half_before_the_classifier(name):
    with torch.device("meta"):
        network = build(name)
    assert [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)] == [0.5]


def test_mobilenet_v1_halves_five_times():
    with torch.device("meta"):
        network = build("mobilenet_v1").eval()
        maps = network.blocks(network.stem(torch.empty(1, 1, 64, 64)))
    assert maps.shape == (1, 1024, 2, 2)


def test_building_leaves_no_trace_of_the_size_check():
    network = build("fire", "gwap")
    assert all(layer.training for layer in network.modules())
    assert not any(layer._forward_pre_hooks for layer in network.modules())
    assert all(parameter.device.type == "cpu" for parameter in network.parameters())
