"""The board's section on retraining: what came back, and in what time."""

from dataclasses import replace
from functools import partial

import pytest
from fake import boards as made_boards
from fake.boards import boards
from fake.claims import claim
from fake.records import record

from bench.audit.claims import load_claims
from bench.boards.published import time_ratios
from bench.boards.sections.retraining import compared

TEST = {"before": 0.02, "after": 0.92, "parent": 0.93, "came_back": 0.989, "ci_low": 0.97, "ci_high": 1.0}


def learnt(system, method, **changes):
    made = record(system, 0.92, 1.0)
    curve = [{"epoch": n, "seconds": 10.0 * n, "accuracy": a} for n, a in enumerate((0.02, 0.93, 0.95, 0.96))]
    made["retraining"] = {
        "method": method, "epochs": 3, "seconds": 30.0, "seconds_best": 30.0, "seconds_epoch": 8.0, "curve": curve,
        "test": TEST, **changes,
    }  # fmt: skip
    return made


def without(**changes):
    source = {"name": "kanji", "images": 6300}
    return learnt("fire:gwap+c4-retrained", "retrained", unlabelled=source, seconds_teacher=3.5, **changes)


def conventional(**changes):
    return learnt("fire:gwap+c4-conventional", "conventional", **{"seconds": 80.0, "seconds_best": 25.0, **changes})


def lines(page):
    section = page.split("## Retraining")[1].split("## ")[0]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "`fire" in line]
    return {cells[0].strip("`"): cells[1:] for cells in found}


def test_each_way_has_its_line_and_the_times_stand_side_by_side(tmp_path):
    found = lines(boards(tmp_path, without(), conventional(), record("fire:gwap", 0.93, 1.0))["hccr.md"])
    assert found["fire:gwap+c4-retrained"] == [
        "6,300 images of `kanji`, no labels", "2.00", "92.00", "93.00", "98.90 [97.00–100.00]", "3", "8.00", "3.50",
        "30.0", "0.375", "—", "1.20", "20.0",
    ]  # fmt: skip
    assert found["fire:gwap+c4-conventional"] == [
        "training part, labels", "2.00", "92.00", "93.00", "98.90 [97.00–100.00]", "3", "8.00", "—", "80.0", "—", "—",
        "—", "20.0",
    ]  # fmt: skip
    assert len(found) == 2


def test_images_of_another_set_stand_beside_the_same_conventional_row(tmp_path):
    named = {**without(seconds=40.0), "system": "fire:gwap+c4-retrained-on-conventional"}
    found = lines(boards(tmp_path, without(), named, conventional())["hccr.md"])
    assert found["fire:gwap+c4-retrained-on-conventional"][9] == "0.500"
    assert found["fire:gwap+c4-retrained"][9] == "0.375"


def test_one_without_the_other_has_no_ratio(tmp_path):
    nothing = {**TEST, "came_back": None, "ci_low": None, "ci_high": None}
    found = lines(boards(tmp_path, without(test=nothing))["hccr.md"])["fire:gwap+c4-retrained"]
    assert found[4] == "—"
    assert found[-4:] == ["—", "—", "—", "—"]


def test_printed_ratios_stand_beside_the_measured_one_with_their_answers(tmp_path, monkeypatch):
    printed = partial(claim, metric="time_ratio", unit="%", dataset="imagenet")
    claims = [
        replace(printed("q/vgg16/time", num=85.46, printed="85.46"), name="VGG-16"),
        replace(printed("q/resnet50/time", num=82.49, printed="82.49"), name="ResNet-50"),
        printed("q/words/time", num=None, printed="less"),
        claim("q/other", num=3, metric="params"),
    ]
    monkeypatch.setattr(made_boards, "CLAIMS", claims)
    found = lines(boards(tmp_path, without(), conventional())["hccr.md"])
    assert found["fire:gwap+c4-retrained"][9:11] == [
        "0.375",
        "[0.145](audit.md#claim-q-vgg16-time) VGG-16, imagenet, "
        "[0.175](audit.md#claim-q-resnet50-time) ResNet-50, imagenet",
    ]
    assert found["fire:gwap+c4-conventional"][9:11] == ["—", "—"]


def test_the_shipped_claims_print_both_ratios():
    assert time_ratios(load_claims()).count("](audit.md#claim-quant-retrain-results-") == 2


def test_the_time_to_within_a_point_by_hand():
    ours, theirs = without()["retraining"], conventional()["retraining"]
    assert compared(ours, theirs) == {"ratio": 30 / 80, "ratio_best": 30 / 25, "seconds_near": 20.0}
    far = [{"epoch": 1, "seconds": 5.0, "accuracy": 0.98}]
    assert compared(ours, {**theirs, "curve": far})["seconds_near"] is None
    assert compared(ours, None) == {"ratio": None, "ratio_best": None, "seconds_near": None}


@pytest.mark.parametrize("part", [None, {}, {"unlabelled": {"name": "kanji", "fingerprint": "sha256:0"}}])
def test_rows_that_learnt_nothing_again_have_no_section(tmp_path, part):
    made = record("fire:gwap+c4-retrained", 0.5, 1.0)
    made["retraining"] = part
    assert "Retraining" not in boards(tmp_path, made)["hccr.md"]
