"""The choice of layers and centroids, on networks so small that the right one is known."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.compression.clustering import CLUSTERS
from tasks.compression.codecs.centroid import Settings, encode, stored_bytes
from tasks.compression.layer_choice import MARGIN, Choice, Evaluation, choose, points_lost
from tasks.compression.packing import to_bytes

IMAGES = 1000
SIZE = 4096  # weights a layer


def layers(*names: str, values: int = 256, size: int = SIZE) -> dict[str, np.ndarray]:
    """Layers of whole numbers 0 … values - 1, each equally often, and a bias that no one may touch."""
    weights = np.arange(size).reshape(64, -1) % values
    return {f"{name}.{what}": one for name in names for what, one in
            (("weight", weights.astype(np.float32)), ("bias", np.ones(64, np.float32)))}  # fmt: skip


def evaluation(changed: float, images: int = IMAGES, **right: int) -> Evaluation:
    """So many images read rightly by each way of answering, the same ones each time as far as they go."""
    return Evaluation({way: np.arange(images) < count for way, count in right.items()}, changed)


def right(found: Evaluation) -> dict[str, int]:
    return {way: int(which.sum()) for way, which in found.correct.items()}


class Sums:
    """Loses so many images a layer for each unit by which its weights are moved; notes what it was asked."""

    def __init__(self, tensors: Mapping[str, np.ndarray], **lost: float) -> None:
        self.tensors, self.lost = tensors, lost
        self.asked: list[dict[str, int]] = []

    def __call__(self, changed: Mapping[str, np.ndarray]) -> Evaluation:
        self.asked.append({name.split(".")[0]: len(np.unique(values)) for name, values in changed.items()})
        moved = {name: float(np.abs(values - self.tensors[name]).mean()) for name, values in changed.items()}
        lost = sum(self.lost[name.split(".")[0]] * value for name, value in moved.items())
        return evaluation(lost / IMAGES, answer=900 - round(lost))


def chosen(found: Choice) -> dict[str, int]:
    return {name.split(".")[0]: clusters for name, clusters in found.clusters.items()}


def test_layers_that_change_nothing_go_to_one_centroid_and_sensitive_ones_stay_as_fine_as_they_must() -> None:
    tensors = layers("free", "kept", values=16)
    found = choose(tensors, Sums(tensors, free=0, kept=500), budget=1)
    assert chosen(found) == {"free": 1, "kept": 16}  # 16 values in 16 clusters are exact; 8 would move each by a half
    assert right(found.after) == {"answer": 900}


def test_a_layer_that_bears_no_quantising_stays_in_float32() -> None:
    tensors = layers("free", "raw", values=4096)  # 4,096 values: even 256 clusters move them
    found = choose(tensors, Sums(tensors, free=0, raw=1000), budget=1)
    assert chosen(found) == {"free": 1}
    assert [(option.clusters, option.lost > 1) for option in found.sweep["raw.weight"]] == [(256, True)]
    assert found.as_dict()["clusters"] == {"free.weight": 1, "raw.weight": None}


def test_losses_that_do_not_add_up_are_seen_on_the_whole_network() -> None:
    """Each layer alone loses nothing at 2 centroids; both together are more than the budget bears."""
    tensors = layers("a", "b", values=4)

    def evaluate(changed: Mapping[str, np.ndarray]) -> Evaluation:
        coarse = [name for name, values in changed.items() if len(np.unique(values)) < 4]
        return evaluation(0.1 * len(coarse), answer=900 - 50 * (len(coarse) == 2))

    found = choose(tensors, evaluate, budget=1)
    assert chosen(found) == {"a": 1, "b": 4}
    assert points_lost(found.before, found.after) == 0


def test_the_budget_buys_bytes_where_they_cost_least() -> None:
    """Of two layers of unlike size, and equally sensitive, the larger one is quantised more."""
    tensors = layers("small", size=512) | layers("large", size=65536)
    found = chosen(choose(tensors, Sums(tensors, small=0.5, large=0.5), budget=1))
    assert found["large"] < found["small"]
    generous = chosen(choose(tensors, Sums(tensors, small=0.5, large=0.5), budget=8))
    assert all(generous[name] <= found[name] for name in found)
    assert generous != found


def test_a_budget_of_nothing_keeps_the_accuracy() -> None:
    tensors = layers("a", "b", values=64)
    found = choose(tensors, Sums(tensors, a=10, b=100), budget=0)
    assert right(found.after) == right(found.before)
    assert chosen(found)["a"] <= chosen(found)["b"] == 64


def test_no_way_of_answering_breaks_behind_the_others() -> None:
    tensors = layers("trunk", "head", values=16)

    def evaluate(changed: Mapping[str, np.ndarray]) -> Evaluation:
        broken = "head.weight" in changed and len(np.unique(changed["head.weight"])) < 8
        return evaluation(float(len(changed)), answer=900, early=100 if broken else 900)

    found = choose(tensors, evaluate, budget=1)
    assert chosen(found) == {"trunk": 1, "head": 8}
    assert right(found.after)["early"] == 900


def test_fewer_centroids_than_too_few_are_not_tried() -> None:
    tensors = layers("a", values=256)
    evaluate = Sums(tensors, a=10)
    found = choose(tensors, evaluate, budget=1)
    swept = [option.clusters for option in found.sweep["a.weight"]]
    lost = [option.lost for option in found.sweep["a.weight"]]
    assert swept == list(reversed(CLUSTERS))[: len(swept)]
    assert lost[-1] > 1 >= max(lost[:-1])
    assert min(asked["a"] for asked in evaluate.asked if asked) == swept[-1]


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(0, 200), min_size=1, max_size=4), st.sampled_from([0, 0.5, 1, 5]))
def test_it_keeps_within_budget_and_count_whatever_is_lost_where(lost: list[float], budget: float) -> None:
    names = [f"n{number}" for number in range(len(lost))]
    tensors = layers(*names, values=128, size=512)
    evaluate = Sums(tensors, **dict(zip(names, lost, strict=True)))
    found = choose(tensors, evaluate, budget)
    assert points_lost(found.before, found.after, MARGIN) <= budget
    # At most 36 steps take 6 bisections.
    assert found.evaluations == len(evaluate.asked) <= len(CLUSTERS) * len(lost) + 8
    after = evaluate({name: encode_one(tensors, name, k) for name, k in found.clusters.items()})
    assert (right(after), after.changed) == (right(found.after), found.after.changed)
    assert choose(tensors, evaluate, budget).as_dict() == found.as_dict()  # the same again


def encode_one(tensors: Mapping[str, np.ndarray], name: str, clusters: int) -> np.ndarray:
    stored = encode(tensors, Settings(clusters={name: clusters}))[name]
    return stored.table[stored.codes].reshape(stored.shape)


def test_chance_is_counted_in() -> None:
    """3 images lost and 1 gained of 200: 1 point, and one standard error of the difference is another."""
    before, after = np.arange(200) < 150, np.arange(200) < 147
    after[199] = True
    before, after = (Evaluation({"answer": one}, 0.0) for one in (before, after))
    assert points_lost(before, after) == 1
    assert points_lost(before, after, margin=1) == 2


def test_bytes_are_those_of_the_file() -> None:
    tensors = layers("a", "b")
    whole = len(to_bytes({}, encode(tensors, Settings(clusters={"a.weight": 256}))))
    for clusters in CLUSTERS:
        less = len(to_bytes({}, encode(tensors, Settings(clusters={"a.weight": clusters}))))
        # Headers differ in a few compressed digits.
        assert whole - less == pytest.approx(stored_bytes(SIZE, 256) - stored_bytes(SIZE, clusters), abs=12)


def test_single_layers_are_swept_by_an_evaluator_of_their_own() -> None:
    tensors = layers("a", values=16)
    evaluate = Sums(tensors, a=500)
    sweep_calls: list[int] = []

    def sweep_evaluate(changed: Mapping[str, np.ndarray]) -> Evaluation:
        sweep_calls.append(len(changed))
        distinct = min((len(np.unique(values)) for values in changed.values()), default=16)
        return evaluation(16 / distinct - 1, images=100, answer=90)  # sees what changes, and no harm in it

    found = choose(tensors, evaluate, budget=1, sweep_evaluate=sweep_evaluate)
    assert chosen(found) == {"a": 16}
    assert [option.lost for option in found.sweep["a.weight"]] == [0] * len(CLUSTERS)
    assert (found.as_dict()["sweep_images"], found.as_dict()["validation"]["images"]) == (100, IMAGES)
    assert found.evaluations == len(sweep_calls) + len(evaluate.asked)


def test_what_cannot_be_chosen_is_refused() -> None:
    tensors = layers("a")
    with pytest.raises(ValueError, match="wanted a budget of 0 points or more, got -1"):
        choose(tensors, Sums(tensors, a=0), budget=-1)
    tensors["a.weight"][0, 0] = np.nan
    with pytest.raises(ValueError, match=r"layer a\.weight: wanted finite weights"):
        choose(tensors, Sums(tensors, a=0), budget=1)
