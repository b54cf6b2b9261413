"""Clusters of weights, against ones worked out by hand, and their rules."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tasks.compression.clustering import METHODS, Clustered, coarser, equal_population, k_means
from tasks.compression.codecs.centroid import Settings, coded, decode, encode
from tasks.compression.container import RAW, from_bytes, to_bytes


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def test_equal_population_by_hand() -> None:
    weights = np.array([[3.0, -1.0, 10.0], [0.0, 4.0, -3.0]], np.float32)
    found = equal_population(weights, 2)  # {-3, -1, 0} and {3, 4, 10}
    assert found.codes.tolist() == [[1, 0, 1], [0, 1, 0]]
    assert found.centroids.tolist() == pytest.approx([-4 / 3, 17 / 3])
    assert found.weights.dtype == np.float32
    assert found.weights.shape == weights.shape


def test_k_means_finds_separate_groups() -> None:
    weights = np.array([0, 0.1, 0.2, 9, 9.1, 20, 20.1, 30], np.float32)
    found = k_means(weights, 4)
    assert found.codes.tolist() == [0, 0, 0, 1, 1, 2, 2, 3]
    assert found.centroids.tolist() == pytest.approx([0.1, 9.05, 20.05, 30])


def test_k_means_errs_least_on_normal_weights() -> None:
    weights = normal(100_000)

    def error(found: Clustered) -> float:
        return float(np.square(found.weights - weights).mean())

    errors = {name: error(method(weights, 32)) for name, method in METHODS.items()}
    assert errors["kmeans"] < errors["population"]
    # Max, IRE Transactions on Information Theory 6 (1960), 7-12: the best 32 levels leave 0.002499.
    assert errors["kmeans"] == pytest.approx(0.002499, rel=0.05)


@settings(deadline=None, max_examples=50)
@given(
    arrays(np.float32, st.integers(16, 200), elements=st.floats(-4, 4, width=16)),  # few values, so many are equal
    st.sampled_from([1, 2, 4, 8, 16]),
)
def test_clusters_hold_equal_numbers_and_stand_at_their_means(weights: np.ndarray, clusters: int) -> None:
    found = equal_population(weights, clusters)
    sizes = np.bincount(found.codes, minlength=clusters)
    assert sizes.max() - sizes.min() <= 1
    for code in range(clusters):
        assert found.centroids[code] == pytest.approx(weights[found.codes == code].mean(dtype=np.float64), abs=1e-6)
    order = np.argsort(weights, kind="stable")
    assert (np.diff(found.codes[order].astype(int)) >= 0).all()  # equal weights as they stand


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("clusters", [1, 2, 32, 256])
def test_stored_clusters_come_back_bit_for_bit(method: str, clusters: int) -> None:
    found = METHODS[method](normal(40, 50), clusters)
    stored = coded(found)
    assert stored.bits == {1: 0, 2: 1, 32: 5, 256: 8}[clusters]
    content = to_bytes({}, {"w": stored})
    (back,) = from_bytes(content, "w.packed")[1].values()
    assert np.array_equal(decode(back), found.weights)
    assert len(content) == pytest.approx(2000 * stored.bits / 8 + 4 * clusters, abs=150)


def test_as_many_clusters_as_weights_change_nothing() -> None:
    weights = normal(16, 16)
    assert np.array_equal(equal_population(weights, 256).weights, weights)


def test_coarser_clusters_are_those_of_another_sort() -> None:
    weights = normal(37, 41)
    fine = equal_population(weights, 256)
    for clusters in (256, 32, 1):
        found, wanted = coarser(weights, fine, clusters), equal_population(weights, clusters)
        assert np.array_equal(found.codes, wanted.codes)
        assert found.centroids.tolist() == pytest.approx(wanted.centroids.tolist(), abs=1e-6)
    with pytest.raises(ValueError, match="wanted at most the 2 existing clusters, got 4"):
        coarser(weights, equal_population(weights, 2), 4)


@pytest.mark.parametrize("method", METHODS)
def test_wrong_numbers_of_clusters_are_refused(method: str) -> None:
    for clusters in (0, 3, 512):
        with pytest.raises(ValueError, match=f"wanted a power of two from 1 to 256 for the clusters, got {clusters}"):
            METHODS[method](normal(1000), clusters)
    with pytest.raises(ValueError, match="at most as many clusters as weights, 15, got 16"):
        METHODS[method](normal(15), 16)
    with pytest.raises(ValueError, match="finite"):
        METHODS[method](np.array([1, np.nan], np.float32), 2)


def network() -> dict[str, np.ndarray]:
    return {
        "conv.weight": normal(8, 1, 3, 3), "conv.bias": normal(8), "bn.weight": normal(8), "bn.bias": normal(8),
        "bn.running_mean": normal(8), "fc.weight": normal(10, 200), "fc.bias": normal(10),
    }  # fmt: skip


def test_a_network_keeps_what_is_no_weight_and_what_would_grow() -> None:
    tensors = network()
    found = encode(tensors, Settings(clusters=64))
    kinds = {name: one.kind for name, one in found.items()}
    assert kinds.pop("fc.weight") == "centroid"
    assert set(kinds.values()) == {RAW}  # 64 centroids of conv's 72 weights would take more than they do
    assert encode(tensors, Settings(clusters=4))["conv.weight"].bits == 2
    assert all(np.array_equal(found[name].table, tensors[name].ravel()) for name in kinds)


def test_biases_at_one_centroid_are_their_mean_and_normalisation_is_kept() -> None:
    tensors = network()
    found = encode(tensors, Settings(clusters={"fc.weight": 16}, one_bias=True))
    assert decode(found["fc.bias"]).tolist() == pytest.approx([tensors["fc.bias"].mean()] * 10)
    assert decode(found["conv.bias"]).tolist() == pytest.approx([tensors["conv.bias"].mean()] * 8)
    assert {found[name].kind for name in ("bn.weight", "bn.bias", "bn.running_mean", "conv.weight")} == {RAW}


def test_layers_that_cannot_be_cut_are_named() -> None:
    with pytest.raises(ValueError, match=r"layer conv\.weight: .* at most as many clusters as weights, 72, got 128"):
        encode(network(), Settings(clusters={"conv.weight": 128}))
    with pytest.raises(ValueError, match=r"layer fc\.weight: wanted a power of two"):
        encode(network(), Settings(clusters={"fc.weight": 48}))
    with pytest.raises(ValueError, match=r"no weights of a layer called bn\.weight; there are: conv\.weight, fc\."):
        encode(network(), Settings(clusters={"bn.weight": 2}))
