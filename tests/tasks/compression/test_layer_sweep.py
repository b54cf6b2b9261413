"""Networks with some weights replaced, evaluated on validation images."""

import numpy as np
import pytest
import torch
from fake import tiny_cascade
from torch import nn

from tasks.compression import layer_sweep
from tasks.compression.layer_sweep import ValidationEvaluator, settle
from tasks.compression.packing import encode, tensors_of
from tasks.compression.storage import parse_storage
from tasks.early_exits.cascade import EarlyExits, cascade_of
from tasks.early_exits.policy import ExitPolicy
from tasks.normalised import Normalised


def plain() -> Normalised:
    """Layers one after the other, one of which works in place at a layer's edge."""
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Conv2d(4, 6, 3), nn.ReLU(inplace=True),
        nn.Flatten(), nn.Linear(6 * 12 * 12, 5),
    )  # fmt: skip
    return Normalised(layers).eval()


@pytest.fixture
def images() -> torch.Tensor:
    return tiny_cascade.noise(37)


def labels_of(network: Normalised, images: torch.Tensor) -> np.ndarray:
    with torch.no_grad():
        return network(images).argmax(1).numpy()


@pytest.mark.parametrize("build", [plain, tiny_cascade.sealed])
def test_answers_are_those_of_the_changed_network_in_whatever_order_it_is_asked(build, images) -> None:
    network = build()
    labels = labels_of(network, images)
    evaluate = ValidationEvaluator(network, images, labels)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    weights = {name: value for name, value in tensors_of(network).items() if value.ndim > 1}
    random = np.random.default_rng(0)
    names = [*weights, *reversed(weights), *random.choice(list(weights), 6)]
    for name in names:
        changed = {name: random.normal(size=weights[name].shape).astype(np.float32)}
        found = evaluate(changed)
        with torch.no_grad():
            other = build()
            other.load_state_dict({**before, name: torch.from_numpy(changed[name])})
            cascade = cascade_of(other)
            answer = other(images) if cascade is None else EarlyExits(other)(images)[0]
        assert np.array_equal(found.correct["answer"], answer.argmax(1).numpy() == labels), name
        assert found.changed > 0
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert evaluate({}).changed == 0


def test_a_layer_before_the_change_is_not_computed_again(images) -> None:
    network = plain()
    evaluate = ValidationEvaluator(network, images, labels_of(network, images))
    runs = {"first": 0, "last": 0}
    network.network[0].register_forward_hook(lambda *_: runs.update(first=runs["first"] + 1))
    network.network[6].register_forward_hook(lambda *_: runs.update(last=runs["last"] + 1))
    last = tensors_of(network)["network.6.weight"].copy()
    evaluate({"network.6.weight": 2 * last})
    once = runs["first"]
    for factor in range(3, 6):
        evaluate({"network.6.weight": factor * last})
    assert runs["first"] == once
    assert runs["last"] == 4 * once


def test_every_head_of_a_cascade_is_evaluated_and_the_answer_follows_the_policy(images) -> None:
    network = tiny_cascade.sealed()
    cascade = cascade_of(network)
    assert cascade is not None
    cascade.policy = ExitPolicy({"one": 0.6}, average=True, temperatures=(1.5, 1.0, 0.8))
    evaluate = ValidationEvaluator(network, images, labels_of(network, images))
    found = evaluate({})
    assert list(found.correct) == ["answer", "one", "two", "last"]
    assert found.correct["last"].all()
    with torch.no_grad():
        answer = EarlyExits(network)(images)[0].argmax(1).numpy()
    assert np.array_equal(found.correct["answer"], answer == labels_of(network, images))
    assert not found.correct["answer"].all()
    zero = np.zeros_like(tensors_of(network)["network.classifiers.two.3.weight"])
    broken = evaluate({"network.classifiers.two.3.weight": zero})
    assert broken.correct["two"].sum() < found.correct["two"].sum()
    assert all(np.array_equal(broken.correct[head], found.correct[head]) for head in ("one", "last"))


def test_divergence_by_hand() -> None:
    network = Normalised(nn.Sequential(nn.Flatten(), nn.Linear(1, 2, bias=False))).eval()
    nn.init.zeros_(network.network[1].weight)
    evaluate = ValidationEvaluator(network, torch.zeros(3, 1, 1, 1, dtype=torch.uint8), np.zeros(3, np.int64))
    found = evaluate({"network.1.weight": np.array([[np.log(3)], [0]], np.float32)})  # black ink is 1: odds of 3 to 1
    assert found.changed == pytest.approx(0.5 * np.log(0.5 / 0.75) + 0.5 * np.log(0.5 / 0.25))
    assert found.correct["answer"].all()


@pytest.mark.parametrize("storage", ["c-within100", "c-within0-kmeans", "c-within5-kmeans-folded"])
def test_a_storage_is_settled_and_then_packs(storage: str, images) -> None:
    if storage == "c-within100":
        assert parse_storage(storage) is None  # a budget has two digits at most
        storage = "c-within99"
    named = parse_storage(storage)
    assert named is not None
    network = plain()
    with pytest.raises(ValueError, match=f"{storage}: wanted the centroids of each layer"):
        encode(tensors_of(network), named)
    settled, found = settle(network, named, 1, 16, images, labels_of(network, images))
    assert settled.settings.clusters == found.clusters
    assert max(found.as_dict()["validation"]["lost"].values()) <= (named.settings.within or 0)
    coded = encode(tensors_of(layer_sweep.as_stored(network, settled, 1, 16)), settled)
    assert {name: len(one.table) for name, one in coded.items() if one.kind == "centroid"} == found.clusters
    if storage == "c-within99":
        assert set(found.clusters.values()) == {1}


def test_no_images_are_refused() -> None:
    with pytest.raises(ValueError, match="wanted validation images to choose centroids by, got none"):
        ValidationEvaluator(plain(), torch.empty(0, dtype=torch.uint8), np.empty(0, np.int64))
