"""Networks as packed files: answers come from the bytes on disk."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from datamodules._errors import DataError
from tasks.architectures import ARCHITECTURES, fire_cascade
from tasks.compression.container import HEADER_AT, from_bytes, to_bytes
from tasks.compression.folding import folded
from tasks.compression.packing import Packed, pack, pack_quantised, quantise
from tasks.compression.storage import parse_storage
from tasks.early_exits.cascade import every_logits
from tasks.normalised import Normalised
from tasks.recogniser import load_recogniser


def built(architecture: str, classes: int = 20) -> Normalised:
    """A network with random weights and lively batch normalisation."""
    name, _, variant = architecture.partition(":")
    module = ARCHITECTURES.load(name)
    torch.manual_seed(0)
    network = Normalised(module.build(variant, classes, *module.INPUT), module.LAYOUT).eval()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for values in (layer.running_var, layer.weight.data):
                nn.init.uniform_(values, 0.5, 2)
            for values in (layer.running_mean, layer.bias.data):
                nn.init.normal_(values)
    return network


def packed(network: Normalised, storage: str, architecture: str = "fire:gwap", classes: int = 20) -> Packed:
    found = parse_storage(storage)
    assert found is not None
    return pack(network, found, architecture, classes, *ARCHITECTURES.load(architecture.partition(":")[0]).INPUT)


def answers(network: nn.Module) -> torch.Tensor:
    images = torch.randint(0, 256, (2, 1, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return network(images)


@pytest.fixture(scope="module")
def fire() -> Normalised:
    return built("fire:gwap")


@pytest.mark.parametrize("storage", ["u8-8", "c256-kmeans", "u8-8-rows-folded", "u8-8-rows"])
def test_a_file_of_eight_bits_answers_nearly_as_the_network(fire: Normalised, tmp_path: Path, storage: str) -> None:
    path = tmp_path / "weights.packed"
    made = packed(fire, storage)
    path.write_bytes(made.content)
    network = load_recogniser("fire:gwap", 20, path).network
    before, after = answers(fire), answers(network)
    assert float((after - before).abs().max()) < 0.05 * float(before.abs().max())
    assert not torch.equal(after, before)
    assert torch.equal(answers(load_recogniser("fire:gwap", 20, path).network), after)
    weights = sum(p.numel() for p in fire.parameters() if p.ndim > 1)
    assert weights < len(made.content) < weights * 1.15
    assert made.entropy_bytes < len(made.content)


def test_every_weight_is_one_that_the_file_can_say(fire: Normalised, tmp_path: Path) -> None:
    path = tmp_path / "weights.packed"
    path.write_bytes(packed(fire, "u8-4").content)
    state = load_recogniser("fire:gwap", 20, path).network.state_dict()
    assert len(np.unique(state["network.classifier.weight"].numpy())) <= 16
    assert 16 < len(np.unique(state["network.fire4.expand3.0.weight"].numpy())) <= 256
    for name, value in fire.state_dict().items():
        if value.ndim <= 1:
            assert torch.equal(state[name], value), name  # batch normalisation and biases, its counters too


def test_folding_leaves_out_normalisation_and_little_else(fire: Normalised) -> None:
    network = folded(fire, torch.zeros(1, 1, 64, 64, dtype=torch.uint8))
    assert not [one for one in network.modules() if isinstance(one, nn.BatchNorm2d)]
    assert torch.allclose(answers(network), answers(fire), atol=1e-3, rtol=1e-3)
    channels = sum(one.num_features for one in fire.modules() if isinstance(one, nn.BatchNorm2d))
    saved = len(packed(fire, "u8-4").content) - len(packed(fire, "u8-4-folded").content)
    assert saved == pytest.approx(3 * 4 * channels, abs=1500)  # scale, shift, mean and variance become one bias


def test_folding_reaches_every_head_of_a_cascade() -> None:
    torch.manual_seed(0)
    network = Normalised(fire_cascade.build("", 10, 1, 64)).eval()
    with torch.no_grad():  # statistics that a training would leave
        for one in network.modules():
            if isinstance(one, nn.BatchNorm2d):
                one.running_mean.normal_(std=0.1)
                one.running_var.uniform_(0.5, 2)
    image = torch.zeros(1, 1, 64, 64, dtype=torch.uint8)
    image[..., 20:40, 20:40] = 255
    without = folded(network, image)
    assert not [one for one in without.modules() if isinstance(one, nn.BatchNorm2d)]
    for after, before in zip(every_logits(without, image), every_logits(network, image), strict=True):
        assert torch.allclose(after, before, atol=1e-3, rtol=1e-3)


def test_what_is_used_before_its_normalisation_is_not_folded_silently() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution, self.norm = nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)
            nn.init.constant_(self.norm.weight, 3.0)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            maps = self.convolution(images)
            return maps + self.norm(maps)

    with pytest.raises(ValueError, match="folding batch normalisation changes outputs"):
        folded(Twice().eval(), torch.rand(1, 1, 8, 8))


def test_files_of_others_are_refused(fire: Normalised, tmp_path: Path) -> None:
    path = tmp_path / "weights.packed"
    path.write_bytes(packed(fire, "c32").content)
    found = r"weights\.packed: byte 20: wanted a network {} with {} classes, got fire:gwap with 20 classes"
    for architecture, classes in (("fire:gap", 20), ("lenet5", 20), ("fire:gwap", 21)):
        with pytest.raises(DataError, match=found.format(architecture, classes)):
            load_recogniser(architecture, classes, path)
    path.write_bytes(packed(fire, "c32", "fire:gap").content)
    with pytest.raises(DataError, match=r"byte 20: wanted the tensors of fire:gap, got others: network\.pool\.weight"):
        load_recogniser("fire:gap", 20, path)


def test_a_changed_byte_is_refused_and_one_with_a_matching_checksum_is_seen(fire: Normalised, tmp_path: Path) -> None:
    path = tmp_path / "weights.packed"
    content = bytearray(packed(fire, "u8-4").content)
    before = answers(fire)
    place = HEADER_AT + int.from_bytes(content[12:16], "little") + 100
    content[place] ^= 0x80
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"wanted tensor network\.conv1\.0\.weight .* damaged"):
        load_recogniser("fire:gwap", 20, path)
    about, tensors = from_bytes(packed(fire, "u8-4").content, path)
    tensors["network.conv1.0.weight"].codes[0] ^= 0x80
    path.write_bytes(to_bytes(about, tensors))
    assert not torch.allclose(answers(load_recogniser("fire:gwap", 20, path).network), before, rtol=1e-3)


def test_numbers_of_other_kinds_are_refused() -> None:
    network = Normalised(nn.Sequential(nn.Linear(4, 4).double())).eval()
    with pytest.raises(ValueError, match=r"network\.0\.weight: wanted float32 to pack, got torch\.float64"):
        pack(network, parse_storage("u8-4"), "x", 4, 1, 2)


@pytest.mark.parametrize(("storage", "most"), [("u8-4", 3.30e6), ("u8-4-folded", 3.25e6)])
def test_the_cascade_at_3755_classes_takes_what_its_paper_prints(storage: str, most: float) -> None:
    # fire-hccr, table 5: 3.3 MB; the size does not depend on what the weights are.
    made = packed(built("fire_cascade", 3755), storage, "fire_cascade", 3755)
    assert len(made.content) <= most


@pytest.mark.parametrize(
    "name",
    [
        "u8-4",
        "u2-8-rows-folded",
        "u8-4-rows",
        "c1",
        "c256-kmeans-bias1-folded",
        "c-within1",
        "c-within0",
        "c-within0.5-kmeans",
        "c-within12.25-kmeans-folded",
        "c32-bias1-of-classifier.0-classifier.3",
    ],
)
def test_names_of_storages_read(name: str) -> None:
    found = parse_storage(name)
    assert found is not None
    assert found.name == name
    assert found.settings.folded == name.endswith("-folded")


def test_layers_that_are_named_are_quantised_alone(fire: Normalised, tmp_path: Path) -> None:
    path = tmp_path / "weights.packed"
    path.write_bytes(packed(fire, "c16-of-classifier-fire4").content)
    kinds = {name: one.kind for name, one in from_bytes(path.read_bytes(), path)[1].items()}
    found = {name.removeprefix("network.").removesuffix(".weight") for name, kind in kinds.items() if kind != "raw"}
    assert found == {"fire4.squeeze.0", "fire4.expand1.0", "fire4.expand3.0", "classifier"}
    torch.testing.assert_close(answers(load_recogniser("fire:gwap", 20, path).network), answers(fire), atol=2, rtol=0)
    with pytest.raises(ValueError, match=r"c16-of-fire: wanted layers called fire or below it, got no such layer"):
        packed(fire, "c16-of-fire")


def test_named_layers_that_centroids_make_no_smaller_stay_as_they_are(fire: Normalised, tmp_path: Path) -> None:
    path = tmp_path / "weights.packed"
    path.write_bytes(packed(fire, "c256-of-network").content)
    coded = from_bytes(path.read_bytes(), path)[1]
    assert coded["network.classifier.weight"].kind == "centroid"
    assert coded["network.fire2.expand1.0.weight"].kind == "centroid"  # 1,024 weights
    assert coded["network.pool.weight"].kind == "centroid"
    lenet = built("lenet5")
    with pytest.raises(ValueError, match=r"called c1 or below it, got none that 256 centroids make smaller"):
        packed(lenet, "c256-of-c1", "lenet5")
    assert packed(lenet, "c256-of-network", "lenet5").numbers == packed(lenet, "c256", "lenet5").numbers


@pytest.mark.parametrize("learned", ["retrained", "conventional"])
@pytest.mark.parametrize(
    "name", ["c4-of-fire4", "c4-kmeans-folded", "c-within1", "c-within0.5-kmeans-folded", "u8-4-folded"]
)
def test_any_storage_may_learn_again(name: str, learned: str) -> None:
    plain, found = parse_storage(name), parse_storage(f"{name}-{learned}")
    assert plain is not None
    assert found == replace(plain, name=f"{name}-{learned}", learned=learned)
    for other in (f"c4-{learned}-folded", f"c3-{learned}", f"c4-{learned}-{learned}", learned):
        assert parse_storage(other) is None


def test_a_quantised_network_packs_as_its_file_and_may_not_move(fire: Normalised) -> None:
    storage = parse_storage("c32-bias1")
    assert storage is not None
    found = quantise(fire, storage, 1, 64)
    assert pack_quantised(found, storage, "fire:gwap", 20) == packed(fire, "c32-bias1")
    state = found.network.state_dict()
    state["network.conv1.1.weight"].add_(1)  # of batch normalisation: free to learn
    moved = pack_quantised(found, storage, "fire:gwap", 20)
    assert moved.content != packed(fire, "c32-bias1").content
    state["network.classifier.weight"][0, 0] += 1e-6
    with pytest.raises(ValueError, match=r"network\.classifier\.weight: wanted the weights of its codes"):
        pack_quantised(found, storage, "fire:gwap", 20)


@pytest.mark.parametrize(
    "name",
    [
        "u8",
        "u1-4",
        "u9-4",
        "u8-4-",
        "c3",
        "c512",
        "c32-folded-bias1",
        "c32-of-b-a",
        "c32-of-a-a",
        "c32-of-fire4-folded",
        "c32-of-fire4-kmeans",
        "c32-of-fire4-retrained-on",
        "c32-of",
        "c32-of-",
        "c32-width",
        "u8-4-channel",
        "u8-4-of-fire4",
        "",
        "paper",
        "c-within",
        "c-within1.0",
        "c-within01",
        "c-within-1",
        "c-within100",
        "c-within1-bias1",
        "c-within1-folded-kmeans",
    ],
)
def test_other_names_are_none(name: str) -> None:
    assert parse_storage(name) is None
