"""Suite robustness: the trainings of suite hccr, taken over; conditions beside clean in every record."""

import shutil
from dataclasses import replace
from typing import Any

import pytest
from fake.house import FIGURES, Heard, House

from bench.measurements import robustness
from bench.run import estimate, runner
from bench.run import row as row_module
from bench.run.plan import Plan
from bench.suites.hccr import SUITE as HCCR
from bench.suites.robustness import PAPERS_OWN, SUITE
from bench.system import parse_system


def robust(house: House, *systems: str, **changes: Any) -> Plan:
    """The same rows in a suite of another name that measures robustness too."""
    plan = house.plan(*(systems or ("acme_tiny",)), **changes)
    suite = replace(plan.suite, measurements=(*FIGURES, "robustness"))
    return replace(plan, request=replace(plan.request, suite="robust"), suite=suite)


def run(plan: Plan) -> dict[str, Any]:
    (record,) = runner.run(plan, Heard())
    return record


def test_scales_are_those_of_suite_hccr_so_that_trainings_are_the_same() -> None:
    for name, scale in SUITE.scales.items():
        assert replace(scale, systems=(), recipe="") == replace(HCCR.scales[name], systems=(), recipe="")
        assert [parse_system(row, "light").name for row in scale.systems] == list(scale.systems)
    plain = [row for row in SUITE.scales["quick"].systems if "+" not in row]
    assert len(plain) >= 6
    assert set(plain) <= set(HCCR.scales["quick"].systems)


def test_every_training_without_resizing_has_one_with_it_beside() -> None:
    for scale in SUITE.scales.values():
        without = [row for row in scale.systems if row.endswith("-noresize")]
        assert without
        for row in without:
            paper = row.endswith("+paper-noresize")
            assert row.replace("paper-noresize", "paper").replace("-noresize", "-resize") in scale.systems
            assert paper == (row in PAPERS_OWN)


def test_conditions_stand_beside_clean_and_are_kept_while_current(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = robust(house)
    made = run(plan)
    assert made["status"] == "whole"
    clean = made["measurements"]["accuracy"]
    for figure in robustness.FIGURES:
        found = made["measurements"][figure]
        assert (found["unit"], found["version"], found["n"]) == ("ratio", robustness.VERSION, clean["n"])
        assert found["ci_low"] <= found["value"] <= found["ci_high"]
        assert found["drop"] == pytest.approx(clean["value"] - found["value"])
        assert found["drop_ci"][0] <= found["drop"] <= found["drop_ci"][1]
    (cost,) = estimate.costs(plan)
    assert cost["todo"] == "nothing"
    monkeypatch.setattr(robustness, "VERSION", "99")
    (cost,) = estimate.costs(plan)
    assert cost["todo"] == "measure"
    monkeypatch.setattr(row_module, "train", lambda *arguments: pytest.fail("trained"))
    again = run(plan)["measurements"]
    assert {again[figure]["version"] for figure in robustness.FIGURES} == {"99"}
    assert again["accuracy"] == clean


def test_a_row_that_another_suite_has_trained_is_not_trained_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = house.run("acme_tiny")
    before = {path: path.read_bytes() for path in (house.place / "runs" / "tiny").rglob("*") if path.is_file()}
    plan = robust(house)
    (cost,) = estimate.costs(plan)
    assert (cost["todo"], cost["seconds_train"]) == ("measure", 0)
    assert not (house.place / "runs" / "robust").exists()  # asking for the cost moves nothing
    with monkeypatch.context() as patch:
        patch.setattr(row_module, "train", lambda *arguments: pytest.fail("trained"))
        made = run(plan)
    assert (made["status"], made["suite"]) == ("whole", "robust")
    assert made["checkpoint_sha256"] == first["checkpoint_sha256"]
    assert made["seconds"]["train"] == first["seconds"]["train"]
    assert made["measurements"]["accuracy"] == first["measurements"]["accuracy"]
    assert {path: path.read_bytes() for path in before} == before
    own = {path.name for path in plan.folder(plan.systems[0], 0).iterdir()}
    assert {"weights.safetensors", "predictions.npz", "predictions@flip.npz"} <= own


def test_a_row_stored_from_it_waits_for_what_another_suite_has_trained(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.run("acme_tiny")
    plan = robust(house)
    kept = run(plan)
    shutil.rmtree(plan.folder(plan.systems[0], 0))  # its record alone is left
    monkeypatch.setattr(row_module, "train", lambda *arguments: pytest.fail("trained"))
    parent, stored = runner.run(robust(house, "acme_tiny", "acme_tiny+u8-4"), Heard())
    assert parent["measurements"] == kept["measurements"]
    assert (stored["status"], stored["error"]) == ("whole", None)
    assert stored["measurements"]["accuracy@flip"]["n"] == len(house.data.test)


def test_another_seed_or_fresh_is_trained(house: House) -> None:
    house.run("acme_tiny")
    assert estimate.costs(robust(house, seeds=(1,)))[0]["todo"] == "train"
    assert estimate.costs(robust(house, fresh=True))[0]["todo"] == "train"
    next((house.place / "runs" / "tiny").rglob("weights.safetensors")).write_bytes(b"others")
    assert estimate.costs(robust(house))[0]["todo"] == "train"


def test_the_passes_over_the_test_part_are_in_the_estimate(house: House) -> None:
    plain, tested = (estimate.costs(plan)[0] for plan in (house.plan("acme_tiny"), robust(house)))
    images = 3 * len(house.data.test)
    more = estimate.training_seconds(images, plain["macs"]) / 3
    assert tested["seconds_measure"] - plain["seconds_measure"] == pytest.approx(more)
