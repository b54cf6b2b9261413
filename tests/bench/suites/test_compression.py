"""Suite compression: its rows, and which figures each of them has."""

from pathlib import Path

import pytest

from bench.run import estimate
from bench.run.plan import Request, make_plan
from bench.suites.compression import SUITE

EXITS = {"exit_accuracy", "exit_rate", "expected_macs", "exit_latency", "exit_curve"}


def test_figures_of_exits_are_for_systems_with_exits() -> None:
    plan = make_plan(Request("compression", scale="smoke"))
    assert set(SUITE.measurements) - set(plan.scale_measurements) == {"process_bytes"}  # smoke has no time for it
    asked = {system.name: set(plan.measurements(system)) for system in plan.systems}
    assert asked["fire_cascade"] == asked["fire_cascade+joint"] == set(plan.scale_measurements)
    assert asked["fire:gwap"] == set(plan.scale_measurements) - EXITS


def test_exits_are_timed_of_the_network_that_a_stored_one_is_made_from() -> None:
    plan = make_plan(Request("compression", scale="smoke", systems=("fire_cascade+u8-4",), runtimes=("onnxruntime",)))
    asked = {system.name: set(plan.measurements(system)) for system in plan.systems}
    assert asked["fire_cascade"] - asked["fire_cascade+u8-4"] == {"exit_latency", "exit_curve"}
    stored = plan.systems[-1]
    assert ("onnxruntime", "latency") in plan.deployed(stored)
    assert ("onnxruntime", "exit_latency") not in plan.deployed(stored)
    assert ("onnxruntime", "exit_latency") in plan.deployed(plan.systems[1])


def test_both_trainings_are_recipes() -> None:
    plan = make_plan(Request("compression", scale="smoke"))
    recipes = {system.name: plan.recipe(system) for system in plan.systems}
    assert recipes["fire:gwap"].heads is None
    assert "heads" not in recipes["fire:gwap"].as_dict()  # records of networks with one head stay as they are
    assert recipes["fire_cascade"].heads.training == "separate"
    assert recipes["fire_cascade+joint"].heads.training == "joint"
    assert recipes["fire_cascade"].epochs == recipes["fire:gwap"].epochs  # the final network's share
    assert recipes["fire_cascade"].heads.begun
    assert not recipes["fire_cascade+joint"].heads.begun
    assert recipes["fire_cascade"].first_epochs(recipes["fire_cascade"].all_epochs) == 0  # fire:gwap has learnt it


def test_a_cascade_comes_after_the_network_that_it_begins_with() -> None:
    plan = make_plan(Request("compression", scale="smoke", systems=("fire_cascade+u8-4", "fire_cascade+joint")))
    assert [system.name for system in plan.systems] == [
        "fire:gwap", "fire_cascade", "fire_cascade+u8-4", "fire_cascade+joint",
    ]  # fmt: skip
    assert [system.generation for system in plan.systems] == [0, 1, 2, 0]


def test_the_curve_comes_after_the_times_that_it_weighs() -> None:
    order = SUITE.measurements
    assert order.index("exit_latency") < order.index("exit_curve")


def test_the_estimate_has_the_exits_of_a_cascade_in_eager_and_in_every_runtime(tmp_path: Path) -> None:
    request = Request(
        "compression", scale="smoke", systems=("fire_cascade+joint", "fire:gwap"), runtimes=("onnxruntime", "openvino"),
        out=tmp_path, runs=tmp_path,
    )  # fmt: skip
    plan = make_plan(request)
    assert plan.runtimes == ("onnxruntime", "openvino")
    cascade, plain = estimate.costs(plan)
    each = estimate.SECONDS_TO_TIME + estimate.SECONDS_TO_TIME_A_MAC * plain["macs"]
    assert plain["seconds_time"] == pytest.approx(3 * each)
    # Three heads alone and the cascade beside them; each of the heads is exported to both runtimes.
    more = 3 * 4 * each + 2 * 3 * estimate.SECONDS_TO_EXPORT
    assert cascade["seconds_time"] - plain["seconds_time"] == pytest.approx(more, rel=1e-2)
