"""A failure is a row: other people's plug-ins that raise, one run of them beside good ones, really timed."""

import json
from typing import Any

import pytest
from fake.house import FIGURES, Heard, House

Run = tuple[list[dict[str, Any]], Heard]
FAILING = ("acme_build", "acme_step", "acme_eval", "acme_import", "acme_recipe", "acme_garbled")


@pytest.fixture(scope="module")
def crowd(built: House) -> Run:
    """One run of good and failing plug-ins, with the real measuring process."""
    heard = Heard()
    return built.run("acme_tiny", *FAILING, "acme_timed", "acme_tiny+paper", heard=heard), heard


def test_good_rows_finish_beside_failing_ones(crowd: Run) -> None:
    records = {record["system"]: record for record in crowd[0]}
    for name in ("acme_tiny", "acme_tiny+paper"):
        record = records[name]
        assert (record["status"], record["error"]) == ("whole", None)
        assert record["measurements"]["accuracy"]["value"] > 0.8
        assert record["measurements"]["latency"]["value"] > 1000
        assert record["measurements"]["latency"]["ratio_to_reference"] > 0
        # 5 × 5 windows at 6 × 6 places for 8 maps, and 288 × 2 weights of the classifier.
        assert record["measurements"]["macs"]["value"] == 25 * 36 * 8 + 288 * 2
        assert record["measurements"]["params"]["value"] == (25 + 1) * 8 + 2 * 8 + (288 + 1) * 2


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("acme_build", "ArithmeticError: no such layer"),
        ("acme_step", "ArithmeticError: third step"),
        ("acme_eval", "ArithmeticError: reading net.bin"),  # a path by its base name
        ("acme_import", "ArithmeticError: imported"),
        ("acme_recipe", "KeyError: \"recipe light: unknown settings ['batches']\""),
        ("acme_garbled", "SyntaxError: "),
    ],
)
def test_a_plug_in_that_fails_is_a_row_with_its_error(crowd: Run, built: House, name: str, says: str) -> None:
    (record,) = (one for one in crowd[0] if one["system"] == name)
    assert record["status"] == "failed"
    assert record["error"].startswith(says)
    assert record["measurements"] == {}
    assert json.loads(built.files()[name]) == record


def test_a_plug_in_that_fails_while_it_is_timed_keeps_its_figures(crowd: Run) -> None:
    (record,) = (one for one in crowd[0] if one["system"] == "acme_timed")
    assert record["status"] == "partial"
    found = record["measurements"]
    assert "ArithmeticError: timed" in found["latency"]["error"]
    assert found["latency"]["value"] is None
    assert all(found[name]["value"] is not None for name in FIGURES if name != "latency")


def test_an_export_that_fails_is_an_error_at_its_runtime_and_not_the_end_of_the_row(built: House) -> None:
    (record,) = built.run("acme_export", runtimes=("onnxruntime",))
    found = record["measurements"]
    assert (record["status"], record["error"]) == ("whole", None)
    assert found["latency"]["value"] > 1000
    for name in ("accuracy", "latency", "process_bytes"):
        if name in FIGURES:
            assert found[f"{name}@onnxruntime"]["value"] is None
            assert "ArithmeticError: no such operator" in found[f"{name}@onnxruntime"]["error"]


def test_rows_are_reported_in_order_and_timed_last(crowd: Run) -> None:
    records, heard = crowd
    order = [record["system"] for record in records]
    timed = [system for _, _, system, phase in heard.phases if phase == "time"]
    trained = [system for _, _, system, phase in heard.phases if phase == "train"]
    assert timed == order
    unreadable = {"acme_recipe", "acme_import", "acme_garbled"}  # their settings are needed before training
    assert trained == [name for name in order if name not in unreadable]
    assert [phase for *_, phase in heard.phases] == ["train"] * len(trained) + ["time"] * len(timed)
    assert not any(heard.kept.values())
