"""Uniform steps: by hand, and how far weights may move."""

import numpy as np
import pytest

from tasks.compression.codecs import uniform
from tasks.compression.codecs.uniform import KINDS, Settings, decode, encode, quantise
from tasks.compression.container import RAW, from_bytes, to_bytes


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def test_multiples_of_a_step_by_hand() -> None:
    weights = np.array([[-3.0, 0.0], [1.0, 3.0]], np.float32)
    found = quantise(weights, 3)  # 3 is the greatest multiple of 3 bits, so a step of 1 changes nothing
    assert found.table.tolist() == [1.0]
    assert found.codes.tolist() == [1, 4, 5, 7]
    assert np.array_equal(decode(found), weights)


@pytest.mark.parametrize("per_output", [False, True])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_codes_come_back_bit_for_bit(bits: int, per_output: bool) -> None:
    stored = quantise(normal(6, 5, 3, 3), bits, per_output)
    content = to_bytes({}, {"w": stored})
    (back,) = from_bytes(content, "w.packed")[1].values()
    assert np.array_equal(back.codes, stored.codes)
    assert np.array_equal(decode(back), decode(stored))
    assert len(stored.table) == (6 if per_output else 1)
    assert stored.codes.max() < 1 << bits


def test_four_bits_take_half_a_byte() -> None:
    stored = quantise(normal(100, 100), 4)
    assert len(to_bytes({}, {"w": stored})) == pytest.approx(100 * 100 / 2 + 4, abs=120)


def test_eight_bits_move_no_weight_by_more_than_half_a_step_inside_the_range() -> None:
    weights = normal(50, 50)
    stored = quantise(weights, 8)
    moved = np.abs(decode(stored) - weights)
    inside = np.abs(weights) < 127 * stored.table[0]
    assert moved[inside].max() <= stored.table[0] / 2 * 1.0001
    assert inside.mean() > 0.99


def test_the_step_errs_less_than_the_one_that_spans_all(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = normal(100, 100)
    best = np.square(decode(quantise(weights, 4)) - weights).mean()
    # Max, IRE Transactions on Information Theory 6 (1960), 7-12: 16 equal steps leave 0.01154 of a normal variable.
    assert best == pytest.approx(0.01154, rel=0.1)
    monkeypatch.setattr(uniform, "_SHARES", np.array([1.0]))
    assert best < 0.7 * np.square(decode(quantise(weights, 4)) - weights).mean()


def test_a_step_for_each_channel_errs_less_where_channels_differ() -> None:
    weights = normal(8, 100) * np.logspace(-2, 0, 8, dtype=np.float32)[:, None]
    weights[3] = 0
    errors = [np.square(decode(quantise(weights, 4, each)) - weights).mean(axis=1) for each in (False, True)]
    assert (errors[1] <= errors[0] + 1e-12).all()
    assert errors[1][0] < errors[0][0] / 10
    assert errors[1][3] == 0


def test_widths_follow_the_kind_of_layer_and_the_rest_is_kept() -> None:
    tensors = {
        "conv.weight": normal(8, 3, 3, 3), "bn.weight": normal(8), "bn.bias": normal(8),
        "pool.weight": normal(8, 1, 4, 4),
        "fc.weight": normal(10, 8), "fc.bias": normal(10),
    }  # fmt: skip
    found = encode(tensors, Settings())
    assert {name: one.bits for name, one in found.items() if one.kind != RAW} == {
        "conv.weight": 8, "pool.weight": 8, "fc.weight": 4,
    }  # fmt: skip


def test_what_cannot_be_coded_is_named() -> None:
    with pytest.raises(ValueError, match=r"layer fc\.weight: wanted 2 to 8 bits, got 1"):
        encode({"fc.weight": normal(2, 2)}, Settings(linear_bits=1))
    with pytest.raises(ValueError, match=r"layer fc\.weight: wanted finite weights"):
        encode({"fc.weight": np.full((2, 2), np.inf, np.float32)}, Settings())
    wrong = quantise(normal(4, 4), 4, per_output=True)
    with pytest.raises(ValueError, match="wanted 1 or 2 steps, got 4"):
        decode(type(wrong)((2, 8), wrong.kind, wrong.bits, wrong.table, wrong.codes))


def test_rows_have_a_step_for_each_output_of_fully_connected_layers_alone() -> None:
    tensors = {"conv.weight": normal(6, 5, 3, 3), "fc.weight": normal(7, 40), "fc.bias": normal(7)}
    found = encode(tensors, Settings(rows=True))
    assert [(one.kind, len(one.table)) for one in found.values()] == [(KINDS[0], 1), (KINDS[1], 7), (RAW, 7)]
    assert not (found["fc.weight"].table.view(np.uint32) & 0xFFFF).any()  # bfloat16
    _, read = from_bytes(to_bytes({}, found), "x")
    np.testing.assert_array_equal(decode(read["fc.weight"]), decode(found["fc.weight"]))
    plain = encode(tensors, Settings())
    assert len(to_bytes({}, found)) - len(to_bytes({}, plain)) == pytest.approx(7 * 2 - 4, abs=12)  # the header's names


def test_a_row_of_small_weights_keeps_them_beside_great_ones() -> None:
    weights = normal(2, 64) * np.array([[1.0], [0.001]], np.float32)
    for stored, lost in ((quantise(weights, 4, per_output=True), 0.2), (quantise(weights, 4), 1.0)):
        small = weights[1]
        assert np.abs(decode(stored)[1] - small).max() <= lost * np.abs(small).max()
    assert not decode(quantise(weights, 4))[1].any()
