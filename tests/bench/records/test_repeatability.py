"""Intervals of ratios hold what another run would measure."""

import math

import pytest
from fake.records import record

from bench.records.load import Stored
from bench.records.protocols import Protocol
from bench.records.repeatability import Spread, between_runs, widened
from bench.records.rows import board_rows


def test_the_interval_within_a_run_and_the_spread_between_runs_add_as_squares() -> None:
    low, high = widened(10.0, 10.0 / math.exp(0.03), 10.0 * math.exp(0.03), 0.04)
    assert (math.log(10 / low), math.log(high / 10)) == pytest.approx((0.05, 0.05))
    assert widened(10.0, 9.0, 12.0, 0.0) == pytest.approx((9.0, 12.0))


def repeat(machine: str, **ratio: object) -> Stored:
    found = record("latency_repeat", 0.5, suite="performance", machine={"name": machine})
    spread = {
        "between_runs": {"eager": 0.01, "exported": 0.02, "noisy": 0.05}, "hours": 1.5, "latency_version": "4",
        "freedom": {"eager": 21, "exported": 21, "noisy": 4},
    }  # fmt: skip
    found["measurements"] = {"ratio": {"version": "4", "value": 1.02, **spread, **ratio}}
    return Stored("", found)


def test_the_spread_is_that_of_the_machine_s_own_record() -> None:
    older = record("latency_repeat", 0.5, suite="performance", machine={"name": "older-2c"})
    older["measurements"] = {"ratio": {"version": "3", "value": 1.05}}
    stored = [
        repeat("here-2c"),
        repeat("other-2c", latency_version="3"),
        repeat("short-2c", hours=0.4),
        Stored("", older),
    ]
    (name, spread), *none = between_runs(stored, "4").items()
    assert (name, none) == ("here-2c", [])
    # Student's t of 21: 2.080, of 4: 2.776
    assert (spread.eager, spread.exported, spread.noisy) == pytest.approx((0.0208, 0.0416, 0.1388), rel=1e-3)
    kinds = [spread.of(runtime, noisy=False) for runtime in ("", "compile", "onnxruntime", "openvino-int8")]
    assert kinds == [spread.eager, spread.eager, spread.exported, spread.exported]
    assert spread.of("", noisy=True) == spread.of("onnxruntime", noisy=True) == spread.noisy


def test_a_kind_that_was_never_measured_has_the_widest_spread() -> None:
    (spread,) = between_runs([repeat("a-2c", between_runs={"noisy": 0.05})], "4").values()
    assert spread.eager == spread.exported == spread.noisy > 0.1


def test_boards_widen_the_ratios_of_that_machine_alone() -> None:
    rows = {}
    for machine in ("here-2c", "there-2c"):
        found = record("lenet5", 0.9, machine={"name": machine})
        latency = {"version": "1", "value": 1e6, "ratio_to_reference": 2.0, "ratio_ci": [1.98, 2.02]}
        found["measurements"] |= {"latency": latency, "latency@onnxruntime": dict(latency)}
        rows[machine] = found
    stored = [Stored("", one) for one in rows.values()]
    protocols = {"latency": Protocol("1", "")}
    between = {"here-2c": Spread(0.05, 0.1, 0.2)}
    here, there = sorted(board_rows(stored, protocols, between), key=lambda row: row.machine)
    assert (there["ratio"].low, there["ratio"].high) == (1.98, 2.02)
    assert (here["ratio"].low, here["ratio"].high) == pytest.approx(widened(2.0, 1.98, 2.02, 0.05))
    assert here["ratio@onnxruntime"].high == pytest.approx(widened(2.0, 1.98, 2.02, 0.1)[1])
    assert here["ratio"].value == 2.0
