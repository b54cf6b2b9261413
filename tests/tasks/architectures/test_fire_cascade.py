"""The cascade: three heads on one network, each with the printed cost, and stages that can stop early."""

import pytest
import torch

from bench.measurements._mac_counter import count
from tasks.architectures import fire
from tasks.architectures.fire_cascade import HEADS, build

# fire-hccr, Table 1, and section 3.3: 38,010,880 up to fire4, 57,278,464 up to fire6; a fire module (12,582,912 or
# 7,077,888), a weight per value of the maps (65,536 or 24,576) and the classifier. Printed in Table 4.
EXITS = [
    ("mid_a", 38_010_880 + 12_582_912 + 65_536 + 256 * 3755, 0.52e8),
    ("mid_b", 57_278_464 + 7_077_888 + 24_576 + 384 * 3755, 0.66e8),
    ("final", 88_997_888 + 32_768 + 512 * 3755, 0.91e8),
]


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    made = build("", 5, 1, 64)
    for layer in made.modules():  # so that evaluation differs from a network as it is made
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(layer.running_mean, std=0.1)
    return made


@pytest.fixture
def images():
    return torch.rand(3, 1, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("head", "macs", "printed"), EXITS)
def test_every_exit_costs_what_table_4_prints(head, macs, printed):
    with torch.device("meta"):
        cascade = build("", 3755, 1, 64).eval()
    counted = count(cascade.up_to(head), torch.empty(1, 1, 64, 64, device="meta"))
    assert (counted.macs, counted.incomplete) == (macs, ())
    assert abs(macs - printed) < 0.005e8  # half of the last digit printed


def test_parameters_are_those_of_three_heads():
    with torch.device("meta"):
        cascade = build("", 3755, 1, 64)
    # Table 1 counts batch normalisation's moving statistics, parameters() does not: fire5 and fire7 have 50,304 and
    # 112,320 with them, and 2 x 288 and 2 x 432 of them.
    mid_a = 50_304 - 2 * 288 + 256 * 16 * 16 + 257 * 3755
    mid_b = 112_320 - 2 * 432 + 384 * 8 * 8 + 385 * 3755
    final = 724_288 + 512 * 8 * 8 + 513 * 3755
    assert sum(parameter.numel() for parameter in cascade.parameters()) == mid_a + mid_b + final
    stored = sum(value.numel() for value in cascade.state_dict().values() if value.is_floating_point())
    assert round(stored * 4 / 2**20, 1) == 20.4  # Table 5, in MiB


def test_training_gives_the_logits_of_all_heads(network, images):
    found = network.train()(images)
    assert [logits.shape for logits in found] == [(3, 5)] * 3
    assert [layer.p for layer in network.modules() if isinstance(layer, torch.nn.Dropout)] == [0.5, 0.2, 0.2]


def test_evaluation_answers_as_the_final_head(network, images):
    network.eval()
    assert torch.equal(network(images), network.final(images))
    plain = fire.build("gwap", 5, 1, 64).eval()
    plain.load_state_dict(network.final.state_dict())  # under the names that fire gives them
    assert torch.equal(network(images), plain(images))


def test_stages_go_on_where_the_one_before_stopped(network, images):
    network.eval()
    maps, shapes = images, []
    for head in HEADS:
        maps = network.stage(head, maps)
        shapes.append(tuple(maps.shape[1:]))
        assert torch.equal(network.head(head, maps), network.up_to(head)(images))
    assert shapes == [(256, 16, 16), (384, 8, 8), (512, 8, 8)]
    assert torch.equal(network.head("final", maps), network(images))


def test_an_early_exit_runs_no_later_layer(network, images):
    ran = []
    handles = [
        layer.register_forward_hook(lambda *_, name=name: ran.append(name)) for name, layer in network.named_modules()
    ]
    network.eval().head("mid_a", network.stage("mid_a", images))
    for handle in handles:
        handle.remove()
    assert "final.fire4" in ran
    assert "mid_a.classifier" in ran
    assert not [name for name in ran if name.startswith(("final.pool_fire5", "final.fire5", "final.fire6", "mid_b"))]
