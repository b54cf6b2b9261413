"""What records say beside the published robustness."""

from pathlib import Path

import pytest
from fake.records import condition, record, write

from bench.audit.auditor import audit
from bench.audit.claims import load_claims
from bench.plugins import SUITES
from bench.records.load import read_stored
from bench.records.protocols import present_protocols
from bench.system import parse_system

CLAIMS = {claim.id: claim for claim in load_claims() if claim.paper == "mobilenet-hccr"}
OF = {"rotation": "accuracy@rotation", "flip": "accuracy@flip", "resize": "accuracy@resize"}
WITHOUT = {"rotation": 0.82, "flip": 0.93, "resize": 0.66}
WITH = {"rotation": 0.81, "flip": 0.85, "resize": 0.82}


def robust(recipe: str, values: dict[str, float], **changes) -> dict:
    found = record(f"mobilenet_v2+{recipe}", 0.95, suite="robustness", recipe={"name": recipe}, **changes)
    return {**found, "measurements": {**found["measurements"], **condition(0.95, values)}}


def beside(folder: Path, *records: dict) -> dict:
    write(folder, *records)
    found = audit(list(CLAIMS.values()), read_stored(folder)[0], present_protocols())
    return {verdict.claim.id.removeprefix("mobilenet-hccr/"): verdict.measured for verdict in found}


@pytest.mark.parametrize(("without", "including"), [("light-noresize", "light-resize"), ("paper-noresize", "paper")])
def test_records_of_each_training_speak_to_its_own_claims(tmp_path: Path, without: str, including: str) -> None:
    found = beside(tmp_path, robust(without, WITHOUT), robust(including, WITH))
    for stem, recipe, values in (("robust", without, WITHOUT), ("resize-aug", including, WITH)):
        for name, value in values.items():
            (measured,) = found[f"results/{stem}-{name}"]
            assert (measured["recipe"], measured["value"]) == (recipe, pytest.approx(100 * value))
            assert measured["low"] < measured["value"] < measured["high"]
    outcomes = {}
    for name in ("lift-resize", "cost-rotation", "cost-flip"):
        (measured,) = found[f"cmp/resize-{name}"]
        outcomes[name] = measured["outcome"]
    assert outcomes == {"lift-resize": "held", "cost-rotation": "undecided", "cost-flip": "held"}


def test_an_effect_the_other_way_round_did_not_hold(tmp_path: Path) -> None:
    found = beside(tmp_path, robust("light-noresize", WITH), robust("light-resize", WITHOUT))
    assert [one["outcome"] for one in found["cmp/resize-lift-resize"]] == ["did not hold"]


def test_halves_of_different_pairs_are_not_compared_nor_other_recipes_heard(tmp_path: Path) -> None:
    found = beside(tmp_path, robust("light", WITHOUT), robust("paper-noresize", WITHOUT), robust("light-resize", WITH))
    assert not found["cmp/resize-lift-resize"]
    assert [one["recipe"] for one in found["results/robust-flip"]] == ["paper-noresize"]


def test_older_protocols_do_not_speak(tmp_path: Path) -> None:
    old = robust("light-noresize", WITHOUT)
    for name in OF.values():
        old["measurements"][name]["version"] = "0"
    found = beside(tmp_path, old)
    assert not found["results/robust-flip"]


def test_stored_systems_speak_to_the_claims_that_name_them(tmp_path: Path) -> None:
    claims = [claim for claim in load_claims() if "system" in claim.check.get("measured", {})]
    recipe = SUITES.load("compression").SUITE.recipe
    names = [claim.check["measured"]["system"] for claim in claims]
    assert [parse_system(name, recipe).name for name in names] == names
    assert len(set(names)) == 7
    records = [
        record(name, 0.5 + number / 100, **({"storage": {"name": name.split("+")[1]}} if "+" in name else {}))
        for number, name in enumerate(names)
    ]
    write(tmp_path, *records, record("vgg16", 0.9), record("resnet:50", 0.9))
    for number, verdict in enumerate(audit(claims, read_stored(tmp_path)[0], present_protocols())):
        assert [one["system"] for one in verdict.measured] == [names[number]]
        assert verdict.measured[0]["value"] == pytest.approx(50 + number)
