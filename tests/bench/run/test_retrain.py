"""Rows that learn again after they were quantised: without labels, and with them beside."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake.house import Heard, House
from fake.image_folder import write_folder
from PIL import Image

from bench.plugins import UnknownPlugin
from bench.records.predictions import read_predictions, row_folder
from bench.records.record import read_record
from bench.run import estimate
from bench.run import retrain as retraining
from datamodules._errors import DataError, UsageError
from tasks.compression.container import from_bytes
from tasks.retraining_settings import CONVENTIONAL_RATES, RATE

BOTH = ("acme_tiny+c2-retrained", "acme_tiny+c2-conventional")


def tensors(house: House, record: dict[str, Any]) -> dict[str, Any]:
    path = row_folder(house.place / "runs", record) / "weights.packed"
    return from_bytes(path.read_bytes(), path)[1]


def test_both_rows_learn_and_stand_beside_their_parent(house: House) -> None:
    heard = Heard()
    parent, plain, retrained, conventional = house.run("acme_tiny+c2", *BOTH, heard=heard)
    assert [record["status"] for record in (parent, plain, retrained, conventional)] == ["whole"] * 4
    sizes = {record["measurements"]["size_bytes"]["value"] for record in (plain, retrained, conventional)}
    assert max(sizes) - min(sizes) < 40  # the name of the storage, and how well its header is compressed
    for record in (retrained, conventional):
        said = record["retraining"]
        assert record["parent"]["checkpoint_sha256"] == parent["checkpoint_sha256"]
        assert record["parent"]["accuracy"]["n"] == 40
        assert said["method"] == record["system"].split("-")[-1]
        assert said["learning"] == 8 * 2 + 8 + 2  # normalisation and both layers' biases
        assert [point["epoch"] for point in said["curve"]] == list(range(said["epochs"] + 1))
        assert [point["seconds"] for point in said["curve"]] == sorted(point["seconds"] for point in said["curve"])
        answers = read_predictions(row_folder(house.place / "runs", record))
        assert said["test"]["after"] == record["measurements"]["accuracy"]["value"] == answers.correct.mean()
        assert said["test"]["before"] == plain["measurements"]["accuracy"]["value"]
        assert said["test"]["parent"] == parent["measurements"]["accuracy"]["value"]
        assert read_record(next(path for path in house.paths() if said["method"] in path.name)) == record
    own = parent["recipe"]["lr"]
    assert [rate["lr"] for rate in retrained["retraining"]["rates"]] == [RATE * own]
    assert [rate["lr"] for rate in conventional["retraining"]["rates"]] == [rate * own for rate in CONVENTIONAL_RATES]
    assert "unlabelled" not in conventional["retraining"]
    source = retrained["retraining"]["unlabelled"]
    assert (source["name"], source["images"]) == ("strokes", parent["dataset"]["train"])
    assert source["fingerprint"] == parent["dataset"]["fingerprint"]


def test_quantised_tensors_are_coded_as_they_were(house: House) -> None:
    records = house.run("acme_tiny+c2", *BOTH)[1:]
    plain, *learnt = [tensors(house, record) for record in records]
    for one in learnt:
        changed = set()
        for name, tensor in plain.items():
            assert (one[name].kind, one[name].bits) == (tensor.kind, tensor.bits)
            assert np.array_equal(one[name].codes, tensor.codes)
            if not np.array_equal(one[name].table, tensor.table):
                changed.add(name)
        assert changed == {name for name, tensor in plain.items() if tensor.kind == "raw"}


def test_another_source_is_a_row_beside_and_the_same_one_is_kept(house: House, tmp_path: Path) -> None:
    other = write_folder(tmp_path / "Other kanji", train=20, seed=9)
    asked = {"unlabelled": f"image_folder:{other}"}
    (first,) = house.run(BOTH[0])[1:]
    assert [row["todo"] for row in estimate.costs(house.plan(BOTH[0]))] == ["nothing", "nothing"]
    assert [row["todo"] for row in estimate.costs(house.plan(BOTH[0], **asked))] == ["nothing", "train"]
    assert estimate.costs(house.plan(BOTH[0], **asked))[1]["seconds_train"] > 0
    (second,) = house.run(BOTH[0], **asked)[1:]
    assert (first["system"], second["system"]) == (BOTH[0], f"{BOTH[0]}-on-other-kanji")
    source = second["retraining"]["unlabelled"]
    assert (source["name"], source["images"], source["draws"]) == ("Other kanji", 40, 1)
    assert source["fingerprint"] != first["retraining"]["unlabelled"]["fingerprint"]
    assert house.run(second["system"], **asked)[1] == second
    assert house.run(BOTH[0])[1] == first
    with pytest.raises(UsageError, match="wanted the images of kmnist, got those of other-kanji"):
        house.plan(f"{BOTH[0]}-on-kmnist", **asked)
    changed = write_folder(tmp_path / "elsewhere" / "Other kanji", train=20, seed=10)
    costs = estimate.costs(house.plan(BOTH[0], unlabelled=f"image_folder:{changed}"))
    assert [row["todo"] for row in costs] == ["nothing", "train"]


@pytest.mark.parametrize("name", ["漢字", "Conventional", "kanji-conventional", "my_retrained"])
def test_any_folder_makes_a_name_that_reads_back(house: House, tmp_path: Path, name: str) -> None:
    other = write_folder(tmp_path / name, train=20, seed=9)
    plan = house.plan(BOTH[0], unlabelled=f"image_folder:{other}")
    system = plan.systems[1]
    assert system.name.startswith(f"{BOTH[0]}-on-")
    assert system.learned == "retrained"
    assert house.plan(system.name, unlabelled=f"image_folder:{other}").systems == plan.systems


def test_images_of_another_size_and_colour_are_converted_and_said_once(
    house: House, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(40):
        pixels = np.random.default_rng(number).integers(0, 256, (9, 7, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    with caplog.at_level("INFO", "datamodules"):
        (record,) = house.run(BOTH[0], unlabelled=f"image_folder:{folder}")[1:]
    assert record["status"] == "whole"
    said = [line.getMessage() for line in caplog.records if line.name.startswith("datamodules")]
    assert said == ["unlabelled images of photos: 9x7 pixels in 3 channels, converted to 16x16 pixels in 1 channel"]


def test_the_best_of_three_rates_by_validation_is_kept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = {CONVENTIONAL_RATES[0]: 0.5, CONVENTIONAL_RATES[1]: 0.75, CONVENTIONAL_RATES[2]: 0.75}
    fits = []

    own = house.run("acme_tiny")[0]["recipe"]["lr"]

    def fit(accelerator: str, precision: str, task: Any, *rest: Any) -> None:
        fits.append(task)
        task.points = [
            {"epoch": 0, "seconds": 0.0, "accuracy": 0.1},
            {"epoch": 1, "seconds": 8.0, "accuracy": ends[task.recipe.lr / own]},
        ]

    monkeypatch.setattr(retraining, "_fit", fit)
    said = house.run(BOTH[1])[1]["retraining"]
    assert said["lr"] == pytest.approx(CONVENTIONAL_RATES[1] * fits[0].recipe.lr / CONVENTIONAL_RATES[0])
    assert (said["seconds"], said["seconds_best"]) == (24.0, 8.0)
    assert [rate["accuracy"] for rate in said["rates"]] == list(ends.values())
    starts = [one.student.network.state_dict() for one in fits]
    assert all(np.array_equal(starts[0][name], other[name]) for other in starts[1:] for name in starts[0])


@pytest.mark.parametrize(
    ("systems", "unlabelled", "error", "says"),
    [
        (("acme_tiny+c2",), "synthetic_hwdb", UsageError, "--unlabelled: no system uses it"),
        ((BOTH[1],), "synthetic_hwdb", UsageError, "--unlabelled: no system uses it"),
        ((BOTH[0],), "synthetic_hwdb:x", UsageError, "synthetic_hwdb is embedded"),
        ((BOTH[0],), "mnist", UnknownPlugin, "'mnist'.*Known: .*cifar10"),
        ((BOTH[0],), "image_folder:nowhere", DataError, "nowhere: byte 0"),
        (
            (f"{BOTH[0]}-on-kmnist",),
            None,
            UsageError,
            "images of kmnist, got only its own; .* --unlabelled",
        ),
        ((f"{BOTH[1]}-on-kmnist",), None, UnknownPlugin, "unknown recipe or storage"),
        (("acme_tiny+c2-retrained-conventional",), None, UnknownPlugin, "unknown recipe or storage"),
    ],
)
def test_wrong_use_is_refused(house: House, systems: Any, unlabelled: Any, error: Any, says: str) -> None:
    with pytest.raises(error, match=says):
        house.plan(*systems, unlabelled=unlabelled)


def test_a_row_with_nothing_left_to_learn_fails_alone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    parent, stored = house.run("acme_tiny+c2-bias1-folded-retrained")
    assert (parent["status"], stored["status"]) == ("whole", "failed")
    assert stored["error"].startswith("ValueError: wanted layers that can still learn, got none")


@pytest.mark.parametrize("name", BOTH)
def test_other_settings_are_another_retraining(house: House, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    house.run(name)
    for setting, value in (("RATE", RATE / 2), ("CONVENTIONAL_RATES", CONVENTIONAL_RATES[:1])):
        with monkeypatch.context() as patch:
            patch.setattr(retraining, setting, value)
            learns_so = ("conventional" in name) == (setting == "CONVENTIONAL_RATES")
            todo = [row["todo"] for row in estimate.costs(house.plan(name))]
            assert todo == ["nothing", "train" if learns_so else "nothing"]
