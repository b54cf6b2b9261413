"""Exit policies within budgets of time, by hand: chosen on validation characters, read on test characters."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fake import tiny_cascade
from fake.rows import characters, row
from fake.tiny_cascade import sealed

from bench.measurements import _budgets, exit_curve
from bench.measurements._budgets import within_budgets
from bench.records.predictions import Predictions
from tasks.compression.packing import pack
from tasks.compression.storage import parse_storage
from tasks.early_exits.cascade import cascade_of, every_head
from tasks.early_exits.policy import Costs, ExitPolicy, HeadAnswers
from tasks.recogniser import load_recogniser

PARTS = Costs((2.0, 2.0, 6.0), (1.0, 1.0, 2.0))  # up to each head, alone: 3, 5 and 12
TIMES = Costs(PARTS.stages, PARTS.heads, alone=(300.0, 800.0, 1200.0))
TEMPERATURES = (1.5, 1.0, 0.5)


def answers(top, sure):
    """The first head is as sure as told, the second never; the mean of the last two is always wrong."""
    confidence = np.stack([np.array(sure), np.full(len(sure), 1e-3), np.full(len(sure), 0.5)], 1)
    return HeadAnswers(np.array(top, np.int32).T, confidence.astype(np.float32), np.full(len(sure), 4, np.int32))


# Ten of class 0. The final head reads all; the first one reads those that it is sure of, and from 0.2 down errs.
VALIDATION = answers([[0] * 5 + [1] * 5, [1] * 10, [0] * 10], [0.9] * 2 + [0.6] * 3 + [0.2] * 5)
# The first head is sure of nine of ten, and right of four of these.
TEST = answers([[0] * 4 + [1] * 6, [1] * 10, [0] * 10], [0.9] * 9 + [0.2])


def made(folder, **changes):
    network = sealed()
    cascade_of(network).policy = ExitPolicy({"two": 0.98}, True, TEMPERATURES)
    zeros = np.zeros(10, np.int64)
    found = Predictions(np.zeros((10, 1), np.int32), np.ones(10, np.float32), zeros, np.full(10, 2, np.int8), TEST)
    return row(folder, network, size=16, classes=5, **{"predictions": found, **changes})


def test_the_most_accurate_policy_on_validation_characters_is_read_on_test_characters(tmp_path, monkeypatch):
    monkeypatch.setattr(_budgets, "BUDGETS", (0.2, 0.4, 0.7, 0.95))
    monkeypatch.setattr(_budgets, "head_answers", lambda *given: (VALIDATION, np.zeros(10, np.int64)))
    found = within_budgets(made(tmp_path), PARTS, TIMES)
    # Nobody leaves for less than 300, a quarter of 1,200. Who is asked at the first head in vain pays 1200 * 13 / 12,
    # so that with half of them leaving the mean is 800, with a fifth 1,100, with all 300; 0.4 is 480: all leave.
    assert [one["budget"] for one in found] == [0.4, 0.7, 0.95]
    least, half, most = found
    assert (list(least["leaves_at"]), least["average"], least["temperatures"]) == (["one"], False, list(TEMPERATURES))
    assert least["leaves_at"]["one"] <= 0.2
    assert (least["accuracy"], least["exit_rate"], least["latency"], least["macs"]) == (0.4, 1.0, 300.0, 3.0)
    for one in (half, most):  # of two that read all rightly the one that takes less
        assert (list(one["leaves_at"]), one["average"]) == (["one"], False)
        assert 0.2 < one["leaves_at"]["one"] <= 0.6
        # On the test characters nine leave, five of them misread.
        assert (one["accuracy"], one["exit_rate"]) == (0.5, 0.9)
        assert one["latency"] == pytest.approx((9 * 300 + 1300) / 10)
        assert one["macs"] == pytest.approx((9 * 3 + 13) / 10)


def test_test_characters_choose_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(_budgets, "head_answers", lambda *given: (VALIDATION, np.zeros(10, np.int64)))
    first = made(tmp_path)
    other = made(tmp_path, predictions=Predictions(*(getattr(first.predictions, name) for name in
        ("top", "probability", "labels", "exits")), VALIDATION))  # fmt: skip
    policies = ("budget", "leaves_at", "average", "temperatures")
    ours, theirs = (within_budgets(one, PARTS, TIMES) for one in (first, other))
    assert [[one[key] for key in policies] for one in ours] == [[one[key] for key in policies] for one in theirs]
    assert [one["accuracy"] for one in ours] != [one["accuracy"] for one in theirs]


@pytest.mark.parametrize("storage", ["", "u8-4", "c4-folded"])
def test_validation_characters_are_read_once_by_the_rows_own_network(tmp_path, monkeypatch, storage):
    split = SimpleNamespace(val=characters(70))
    one = made(tmp_path, datamodule=split)
    if storage:
        packed = tmp_path / "weights.packed"
        content = pack(one.recogniser.network, parse_storage(storage), "tiny_cascade", 5, 1, 16).content
        packed.write_bytes(content)
        monkeypatch.setattr("tasks.building.ARCHITECTURES.load", lambda name: tiny_cascade)
        one = made(tmp_path, datamodule=split, recogniser=load_recogniser("tiny_cascade", 5, packed))
    network, seen = one.recogniser.network, []
    handle = cascade_of(network).head_layers("last").register_forward_hook(lambda *given: seen.append(len(given[2])))
    found, labels = _budgets._validation_answers(one)
    handle.remove()
    assert sum(seen) == 70
    assert (labels == 0).all()
    images = torch.cat([one.recogniser.preprocess(split.val.image(index)) for index in range(70)])
    with torch.inference_mode():
        wanted = torch.stack([head.amax(1) for head in every_head(network, images)], 1)
    np.testing.assert_allclose(found.confidence, wanted.numpy(), atol=1e-5)


def test_the_curve_has_the_budgets_beside_its_points(tmp_path):
    times = {"one": 1e6, "two": 2e6, "last": 3e6}
    timed = {"exit_latency": {"exits": {name: {"mean": value} for name, value in times.items()}}}
    detail = exit_curve.measure(made(tmp_path, measured=timed)).detail
    assert [one["budget"] for one in detail["budgets"]] == [0.6, 0.7, 0.8, 0.9]  # the first exit takes a third
    assert detail["chosen"]["exit_rate"] == 0.0  # by the row's own policy, which budgets do not touch
