"""Rows that start from trained weights, and training parts of few images a class."""

import hashlib
from pathlib import Path

import pytest
from fake.house import House

from bench.records.predictions import row_folder
from bench.training.pretrained import WeightsError
from bench.training.weights_metadata import read_metadata
from datamodules._errors import UsageError


def weights_of(house: House) -> Path:
    (record,) = house.run("lenet5")
    return row_folder(house.place / "runs", record) / "weights.safetensors"


def test_a_finetuned_row_states_what_it_started_from(house: House) -> None:
    start = weights_of(house)
    (record,) = house.run("lenet5+finetuned", start=start)
    weights = row_folder(house.place / "runs", record) / "weights.safetensors"
    assert read_metadata(weights).licence.endswith(
        "; started from weights of strokes: not stated: the user's own images"
    )
    assert record["system"] == "lenet5+finetuned"
    checksum = hashlib.sha256(start.read_bytes()).hexdigest()
    assert record["started_from"] == {"sha256": checksum, "dataset": "strokes", "synthetic": False}
    assert record["checkpoint_sha256"] != checksum
    assert record["measurements"]["accuracy"]["value"] > 0.9


def test_other_weights_to_start_from_are_another_training(house: House, tmp_path: Path) -> None:
    start = weights_of(house)
    (first,) = house.run("lenet5+finetuned", start=start)
    (again,) = house.run("lenet5+finetuned", start=start)
    assert again["started_at"] == first["started_at"]
    tuned = tmp_path / "tuned.safetensors"
    tuned.write_bytes((row_folder(house.place / "runs", first) / "weights.safetensors").read_bytes())
    (second,) = house.run("lenet5+finetuned", start=tuned)
    assert second["started_from"]["sha256"] != first["started_from"]["sha256"]
    assert second["checkpoint_sha256"] != first["checkpoint_sha256"]


def test_few_images_get_enough_steps(house: House, tmp_path: Path) -> None:
    start = tmp_path / "w.safetensors"
    start.write_bytes(weights_of(house).read_bytes())
    house.data.batch_size = 64
    plan = house.plan("lenet5", "lenet5+finetuned", start=start)
    (light, _), (tuned, _) = plan.rows
    per_epoch = len(plan.datamodule.train_dataloader())
    steps = [plan.recipe(one).epochs * per_epoch for one in (light, tuned)]
    assert steps[0] < 500 <= steps[1] < 500 + per_epoch


def test_weights_to_start_from_are_asked_for_and_checked(house: House, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"lenet5\+finetuned: wanted the weights to start from, by --from FILE"):
        house.plan("lenet5+finetuned")
    start = weights_of(house)
    with pytest.raises(UsageError, match="--from: no row uses it; name one"):
        house.plan("lenet5", start=start)
    with pytest.raises(WeightsError, match=r"wanted weights of squeezenet as a run writes them, got lenet5"):
        house.plan("squeezenet+finetuned", start=start)
    mean = row_folder(house.place / "runs", house.run("nearest_mean")[0]) / "weights.safetensors"
    with pytest.raises(UsageError, match=r"nearest_mean\+finetuned: is fitted in one pass"):
        house.plan("nearest_mean+finetuned", start=mean)
    with pytest.raises(UsageError, match=r"this run writes to that folder; copy the file elsewhere first"):
        house.plan("lenet5", "lenet5+finetuned", start=start)
    with pytest.raises(WeightsError, match=r"none\.safetensors: wanted a safetensors file.*got nothing there"):
        house.plan("lenet5+finetuned", start=tmp_path / "none.safetensors")
