"""What is left to do: the estimate says what the run then does."""

import json
from pathlib import Path
from typing import Any

import pytest
from fake.house import Heard, House

from bench.measurements import latency, macs
from bench.records.load import read_stored
from bench.records.record import Measurement, read_record
from bench.run import estimate
from bench.run import row as row_module

LEADERBOARDS = Path(__file__).resolve().parents[3] / "leaderboards"


def cost(house: House, **changes: Any) -> dict[str, Any]:
    (row,) = estimate.costs(house.plan("acme_tiny", **changes))
    return row


def test_a_row_costs_what_the_run_will_do(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    new = cost(house)
    assert new["todo"] == "train"
    assert new["seconds"] == sum(new[name] for name in new if name.startswith("seconds_"))
    assert new["seconds_train"] > 0
    (made,) = house.run("acme_tiny")
    kept = cost(house)
    assert (kept["todo"], kept["seconds"]) == ("nothing", 0)
    again = cost(house, fresh=True)
    assert (again["todo"], again["seconds_train"]) == ("train", made["seconds"]["train"])
    monkeypatch.setattr(latency, "VERSION", "99")
    stale = cost(house)
    assert (stale["todo"], stale["seconds_train"]) == ("measure", 0)
    assert stale["seconds"] == stale["seconds_export"] + stale["seconds_time"] > 0
    also = cost(house, runtimes=("onnxruntime",))
    assert also["seconds_export"] - stale["seconds_export"] == pytest.approx(estimate.SECONDS_TO_EXPORT, rel=1e-2)
    assert also["seconds_time"] - stale["seconds_time"] == pytest.approx(estimate.SECONDS_TO_TIME, rel=1e-2)


def test_a_record_that_does_not_name_the_plug_in_is_current(house: House) -> None:
    (made,) = house.run("acme_tiny")
    del made["dataset"]["plugin"]
    house.paths()[0].write_text(json.dumps(made))
    assert cost(house)["todo"] == "nothing"


def test_a_row_that_is_trained_but_not_measured_costs_the_measuring(house: House) -> None:
    house.run("acme_tiny")
    house.paths()[0].unlink()
    assert cost(house)["todo"] == "measure"
    next((house.place / "runs").rglob("weights.safetensors")).write_bytes(b"others")
    assert cost(house)["todo"] == "train"


def test_a_stale_row_whose_weights_are_gone_costs_its_training(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.run("acme_tiny")
    monkeypatch.setattr(latency, "VERSION", "99")
    next((house.place / "runs").rglob("trained.json")).write_text("{")
    assert cost(house)["todo"] == "train"


def test_a_row_with_an_uncountable_operator_is_partial_and_kept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Measurement(None, {"incomplete": ["acme::fold"], "elementwise": 1})
    monkeypatch.setattr(macs, "measure", lambda row: counted)
    (made,) = house.run("acme_tiny")
    assert (made["status"], made["error"]) == ("partial", None)
    before = house.files()
    monkeypatch.setattr(row_module, "train", lambda *arguments: pytest.fail("trained"))
    monkeypatch.setattr(macs, "measure", lambda row: pytest.fail("measured"))
    heard = Heard()
    assert house.run("acme_tiny", heard=heard) == [made]
    assert (heard.kept, house.files()) == ({"acme_tiny": True}, before)
    assert cost(house)["todo"] == "nothing"
    next((house.place / "runs").rglob("weights.safetensors")).unlink()
    assert house.run("acme_tiny") == [made]


def test_a_measurement_that_failed_is_taken_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(row: Any) -> Measurement:
        raise ArithmeticError("no memory")

    with monkeypatch.context() as patch:
        patch.setattr(macs, "measure", broken)
        assert house.run("acme_tiny")[0]["status"] == "partial"
    assert cost(house)["todo"] == "measure"
    assert house.run("acme_tiny")[0]["status"] == "whole"
    assert read_record(house.paths()[0])["status"] == "whole"


def test_estimates_of_training_lie_near_what_the_committed_records_took() -> None:
    records = [item.record for item in read_stored(LEADERBOARDS)[0] if item.record["suite"] == "hccr"]
    factors = []
    for made in [one for one in records if not one["parent"] and one["seconds"]["train"] > 5]:  # less matters to nobody
        images = made["recipe"]["epochs"] * made["dataset"]["train"]
        guess = estimate.training_seconds(images, made["measurements"]["macs"]["value"], made["recipe"]["batch"])
        factors.append(max(guess / made["seconds"]["train"], made["seconds"]["train"] / guess))
    factors.sort()
    assert len(factors) > 10
    assert factors[len(factors) // 2] < 2.5
    assert factors[-1] < 10
