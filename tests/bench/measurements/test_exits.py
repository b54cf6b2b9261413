"""The figures of early exits on answers and times that are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from fake import tiny_cascade
from fake.rows import row
from fake.tiny_cascade import sealed
from torch import nn

from bench.measurements import exit_accuracy, exit_curve, exit_latency, exit_rate, expected_macs, macs
from bench.plugins import MEASUREMENTS
from bench.records.predictions import Predictions, read_predictions, write_predictions
from bench.records.statistics import wilson
from tasks.compression.packing import pack
from tasks.compression.storage import parse_storage
from tasks.early_exits.cascade import cascade_of
from tasks.early_exits.policy import GRID, ExitPolicy, HeadAnswers
from tasks.early_exits.training import multiply_adds
from tasks.normalised import Normalised
from tasks.recogniser import load_recogniser

# Multiply-adds by hand: 8x8, 4x4 and 2x2 maps of 3x3 windows; classifiers of five classes take 2x2 maps.
STAGES = (64 * 9 * 4, 16 * 9 * 4 * 6, 4 * 9 * 6 * 8)
CLASSIFIERS = (16 * 5, 24 * 5, 32 * 5)
ALONE = sum(STAGES) + CLASSIFIERS[2]


def network(exits=("one",), average=True, threshold=0.9):
    made = sealed()
    cascade_of(made).policy = ExitPolicy(dict.fromkeys(exits, threshold), average)
    return made


def answers():
    """Ten characters of class 0: six leave at the first head, five of them read rightly; the rest is read rightly."""
    top = np.zeros((10, 3), np.int32)
    top[5, 0] = 1
    top[8:, 0] = 1
    top[9, 2] = 1  # the final head alone errs on the last, the mean does not
    confidence = np.full((10, 3), 0.5, np.float32)
    confidence[:6, 0] = 0.95
    exits = np.array([0] * 6 + [2] * 4, np.int8)
    classes = np.array([[0]] * 5 + [[1]] + [[0]] * 4, np.int32)
    heads = HeadAnswers(top, confidence, np.zeros(10, np.int32))
    return Predictions(classes, np.full(10, 0.5, np.float32), np.zeros(10, np.int64), exits, heads)


def cascade_row(folder, **changes):
    return row(folder, network(), size=16, classes=5, **{"predictions": answers(), **changes})


def test_each_head_alone(tmp_path):
    found = exit_accuracy.measure(cascade_row(tmp_path))
    assert found.value == 0.9
    assert {name: one["value"] for name, one in found.detail["exits"].items()} == {"one": 0.7, "two": 1, "last": 0.9}
    assert (found.detail["ci_low"], found.detail["ci_high"]) == wilson(9, 10)
    # The cascade errs on the sixth, the final head on the tenth.
    paired = found.detail["paired"]
    assert {name: paired[name] for name in ("only_cascade", "only_final", "p", "difference")} == {
        "only_cascade": 1, "only_final": 1, "p": 1.0, "difference": 0.0
    }  # fmt: skip
    half = 1.959964 * 3**0.5 / 12  # half a character added to each count: 1.5 and 1.5 of 12
    assert (paired["ci_low"], paired["ci_high"]) == (pytest.approx(-half), pytest.approx(half))


def test_the_cascade_is_above_its_final_head_where_it_alone_reads_more(tmp_path):
    better = replace(answers(), top=np.zeros((10, 1), np.int32))  # the final head still errs on the last
    paired = exit_accuracy.measure(cascade_row(tmp_path, predictions=better)).detail["paired"]
    assert (paired["only_cascade"], paired["only_final"], paired["difference"]) == (1, 0, 0.1)
    centre, half = 1 / 12, 1.959964 * (2 - 1 / 12) ** 0.5 / 12  # 1.5 against 0.5 of 12
    assert (paired["ci_low"], paired["ci_high"]) == (pytest.approx(centre - half), pytest.approx(centre + half))


def test_who_leaves_where(tmp_path):
    found = exit_rate.measure(cascade_row(tmp_path))
    assert (found.value, found.detail["n"]) == (0.6, 10)
    assert found.detail["exits"] == {
        "one": {"value": 0.6, "accuracy": 5 / 6}, "two": {"value": 0.0, "accuracy": None},
        "last": {"value": 0.4, "accuracy": 1.0},
    }  # fmt: skip
    assert (found.detail["leaves_at"], found.detail["average"]) == ({"one": 0.9}, True)


def test_expected_multiply_adds_are_the_mean_over_the_paths(tmp_path):
    found = expected_macs.measure(cascade_row(tmp_path))
    short, long = STAGES[0] + CLASSIFIERS[0], sum(STAGES) + sum(CLASSIFIERS)
    assert found.detail["exits"] == {"one": short, "two": long - STAGES[2] - CLASSIFIERS[2], "last": long}
    assert found.value == pytest.approx(0.6 * short + 0.4 * long)
    assert found.detail["share_of_final"] == pytest.approx(found.value / ALONE)


def test_macs_are_those_of_the_longest_path(tmp_path):
    asked = {(("one",), True): sum(CLASSIFIERS), (("one",), False): 80 + 160, ((), False): 160, (("two",), True): 280}
    for (exits, average), heads in asked.items():
        made = row(tmp_path, network(exits, average), size=16, classes=5)
        assert macs.measure(made).value == sum(STAGES) + heads


def test_both_counts_of_the_parts_agree(tmp_path):
    made = cascade_row(tmp_path)
    chosen_by = multiply_adds(cascade_of(made.recogniser.network), 1, 16)
    paths = expected_macs.measure(made).detail["exits"]
    assert paths["last"] == sum(chosen_by.stages) + sum(chosen_by.heads)


class Weighted(nn.Module):
    """Products with a learned vector, whose cost no operator shows."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(6))

    def forward(self, maps):
        return maps.mean((2, 3)) * self.weight


def test_parts_of_unknown_cost_are_refused(tmp_path):
    made = cascade_row(tmp_path)
    cascade_of(made.recogniser.network).classifiers["two"] = Weighted().eval()
    with pytest.raises(ValueError, match="unknown costs: aten::mul with a parameter"):
        expected_macs.measure(made)


def test_every_threshold_has_its_point(tmp_path):
    times = {"one": 1e6, "two": 2e6, "last": 3e6}
    timed = {"exit_latency": {"exits": {name: {"mean": value} for name, value in times.items()}}}
    found = exit_curve.measure(cascade_row(tmp_path, measured=timed))
    assert [point["threshold"] for point in found.detail["points"]] == list(GRID)
    long = 3e6 * (sum(STAGES) + sum(CLASSIFIERS)) / ALONE  # the other heads at the final one's rate
    assert found.value == pytest.approx(0.6 * 1e6 + 0.4 * long)
    assert found.detail["chosen"]["accuracy"] == 0.9
    everyone, nobody = found.detail["points"][0], found.detail["points"][-1]
    assert (everyone["accuracy"], everyone["exit_rate"], everyone["latency"]) == (0.7, 1.0, 1e6)
    assert (nobody["accuracy"], nobody["exit_rate"]) == (1.0, 0.0)  # the mean of the last two errs on none
    with pytest.raises(ValueError, match="wanted the times of its exits, got none; measure exit_latency first"):
        exit_curve.measure(cascade_row(tmp_path))


def scripted(monkeypatch, seen):
    """Timing that notes each policy as the measuring process would load it, and finds each twice as slow a ratio."""

    def timed(prepare, characters, rounds, seed):
        subject = prepare.args[1]
        with monkeypatch.context() as patched:
            patched.setattr("tasks.building.ARCHITECTURES.load", lambda name: tiny_cascade)
            seen.append(cascade_of(subject.load().network).policy)
        ratio = 2.0 * len(seen)
        return {
            "value": 1, "mean": 1e6 * len(seen), "n": 9, "ratio_to_reference": ratio, "noisy": False,
            "ratio_ci": [0.9 * ratio, 1.1 * ratio],
        }  # fmt: skip

    monkeypatch.setattr(exit_latency, "time_apart", timed)


def test_each_exit_is_timed_as_a_system_of_its_own(tmp_path, monkeypatch):
    seen = []
    scripted(monkeypatch, seen)
    made = cascade_row(tmp_path)
    own = cascade_of(made.recogniser.network).policy
    found = exit_latency.measure(made)
    assert [(p.exits, p.average) for p in seen[:3]] == [({"one": 1e-6}, False), ({"two": 1e-6}, False), ({}, False)]
    assert seen[3] == own == cascade_of(made.recogniser.network).policy
    assert found.value == 3e6
    assert found.detail["cascade"]["mean"] == 4e6
    ratio = found.detail["cascade_to_final"]
    assert ratio["value"] == pytest.approx(8 / 6)
    assert 8 / 6 * 0.8 < ratio["ci_low"] < 8 / 6 * 0.9  # wider than either's own interval
    assert 8 / 6 * 1.1 < ratio["ci_high"] < 8 / 6 * 1.2


@pytest.mark.parametrize("storage", ["u8-4", "u8-4-folded", "c4-folded"])
def test_the_exits_of_a_stored_cascade_are_timed_by_its_own_bytes(tmp_path, monkeypatch, storage):
    packed = tmp_path / "weights.packed"
    packed.write_bytes(pack(network(), parse_storage(storage), "tiny_cascade", 5, 1, 16).content)
    monkeypatch.setattr("tasks.building.ARCHITECTURES.load", lambda name: tiny_cascade)
    stored = load_recogniser("tiny_cascade", 5, packed)
    made = row(tmp_path, network(), size=16, classes=5, architecture="tiny_cascade")
    seen = []
    scripted(monkeypatch, seen)
    exit_latency.measure(replace(made, recogniser=stored, weights=packed))
    assert [policy.exits for policy in seen] == [{"one": 1e-6}, {"two": 1e-6}, {}, {"one": 0.9}]


def test_a_network_with_one_head_has_none_of_these(tmp_path):
    plain = row(tmp_path, Normalised(nn.Sequential(nn.Flatten(), nn.Linear(256, 5))), size=16)
    for module in (exit_accuracy, exit_rate, expected_macs, exit_latency, exit_curve):
        with pytest.raises(ValueError, match="small: wanted"):
            module.measure(plain)
        assert MEASUREMENTS.literals(module.NAME)["NEEDS"] == "HEADS"


def test_predictions_of_every_head_are_stored_and_read(tmp_path):
    write_predictions(tmp_path, answers())
    found = read_predictions(tmp_path)
    assert found.exits.tolist() == answers().exits.tolist()
    for name in ("top", "confidence", "together"):
        np.testing.assert_array_equal(getattr(found.heads, name), getattr(answers().heads, name))
    plain = replace(answers(), exits=None, heads=None)
    write_predictions(tmp_path, plain)
    assert read_predictions(tmp_path).heads is None
