"""Rows become records: whole ones are kept, stale ones made again, interruptions cost little."""

import json
from typing import Any

import pytest
from fake.house import Heard, House

from bench.deploy.calibration import CALIBRATION
from bench.measurements import latency
from bench.records.predictions import EXPORTED, FILE, read_predictions, row_folder
from bench.records.record import Measurement, RecordError, read_record
from bench.run import row
from bench.run.measure import describe


def test_a_record_says_what_was_run(house: House) -> None:
    (record,) = house.run("acme_tiny", seeds=(3,), command="bench run --suite tiny")
    assert record["dataset"] == {
        "name": "strokes", "synthetic": False, "fingerprint": house.data.fingerprint, "classes": 2,
        "train": 524, "val": 256, "test": 40, "plugin": "image_folder",
    }  # fmt: skip
    assert (record["seed"], record["command"], record["weights"]) == (3, "bench run --suite tiny", "trained")
    assert (record["recipe"]["epochs"], record["recipe"]["batch"], record["recipe"]["name"]) == (
        2,
        32,
        "light",
    )
    assert len(record["checkpoint_sha256"]) == 64
    assert record["precision"] == "32-true"
    assert record["seconds"]["train"] > 0
    assert read_record(house.paths()[0]) == record
    text = house.paths()[0].read_text()
    assert str(house.root) not in text


def test_predictions_are_stored_and_agree_with_the_record(house: House) -> None:
    (record,) = house.run("acme_tiny")
    found = read_predictions(row_folder(house.place / "runs", record))
    assert found.labels.tolist() == house.data.test.labels.tolist()
    accuracy = (found.top[:, 0] == found.labels).mean()
    assert record["measurements"]["accuracy"]["value"] == pytest.approx(accuracy)


def test_a_second_run_changes_not_a_byte_and_trains_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    first = house.run("acme_tiny", "lenet5")
    before = house.files()
    refuse(monkeypatch)
    heard = Heard()
    assert house.run("acme_tiny", "lenet5", heard=heard) == first
    assert house.files() == before
    assert heard.kept == {"acme_tiny": True, "lenet5": True}
    assert not [phase for *_, phase in heard.phases if phase == "train"]


def test_what_a_row_needs_in_its_runtimes_goes_with_the_row(house: House) -> None:
    heard = Heard()
    (record,) = house.run("acme_tiny", runtimes=("onnxruntime",), heard=heard)
    assert [phase for *_, phase in heard.phases] == ["train", "export", "time"]
    assert record["measurements"]["latency@onnxruntime"]["agreement"] > 0.9
    assert record["measurements"]["latency@onnxruntime"]["compared"] > 0
    read, clean = (record["measurements"][name] for name in ("accuracy@onnxruntime", "accuracy"))
    assert read["n"] == clean["n"]
    assert read["value"] == pytest.approx(clean["value"] - read["drop"])
    exports = row_folder(house.place / "runs", record) / EXPORTED
    assert {path.name for path in exports.rglob("*") if path.is_file()} == {CALIBRATION, "recogniser.onnx"}


def test_a_recipe_variant_is_a_row_of_its_own(house: House) -> None:
    plain, varied = house.run("acme_tiny", "acme_tiny~rotate=0~lr=5e-3")
    assert (varied["system"], varied["status"]) == ("acme_tiny~lr=0.005~rotate=0", "whole")
    recipe = {**plain["recipe"], "name": "light~lr=0.005~rotate=0", "lr": 0.005}
    assert varied["recipe"] == {**recipe, "augmentation": {**recipe["augmentation"], "rotate": 0.0}}
    assert varied["checkpoint_sha256"] != plain["checkpoint_sha256"]


def test_fresh_measures_again(house: House) -> None:
    (first,) = house.run("acme_tiny")
    heard = Heard()
    (second,) = house.run("acme_tiny", heard=heard, fresh=True)
    assert [phase for *_, phase in heard.phases] == ["train", "time"]
    assert heard.kept == {"acme_tiny": False}
    assert second["checkpoint_sha256"] == first["checkpoint_sha256"]  # the same seed gives the same weights


def test_a_new_version_of_a_measurement_is_measured_without_training(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = house.run("acme_tiny")
    monkeypatch.setattr(latency, "VERSION", "99")
    refuse(monkeypatch)
    (second,) = house.run("acme_tiny")
    assert second["measurements"]["latency"]["version"] == "99"
    assert second["status"] == "whole"
    assert second["checkpoint_sha256"] == first["checkpoint_sha256"]
    assert second["seconds"]["train"] == first["seconds"]["train"]


def test_other_data_under_the_same_name_is_trained_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.run("acme_tiny")
    monkeypatch.setattr(house.data, "_fingerprint", "sha256:other")
    heard = Heard()
    (record,) = house.run("acme_tiny", heard=heard)
    assert ("acme_tiny", "train") in [(system, phase) for _, _, system, phase in heard.phases]
    assert record["dataset"]["fingerprint"] == "sha256:other"


def test_a_checkpoint_of_other_data_is_not_resumed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    (clean,) = house.run("acme_tiny")
    house.run("acme_tiny", fresh=True)
    monkeypatch.setattr("bench.training.train.RESUME_EVERY_S", -1.0)
    with monkeypatch.context() as patch:
        patch.setattr(house.data, "_fingerprint", "sha256:other")
        with pytest.raises(KeyboardInterrupt):
            house.run("acme_tiny", heard=Heard(("acme_tiny", "epoch 2")), fresh=True)
    assert list((house.place / "runs").rglob("last.ckpt"))
    heard = Heard()
    (record,) = house.run("acme_tiny", heard=heard)
    assert record["checkpoint_sha256"] == clean["checkpoint_sha256"]


@pytest.mark.parametrize("fresh", [False, True])
def test_a_damaged_record_is_refused_before_training_and_kept(
    house: House, monkeypatch: pytest.MonkeyPatch, fresh: bool
) -> None:
    house.run("acme_tiny", "lenet5")
    damaged = next(path for path in house.paths() if path.name.startswith("lenet5"))
    damaged.write_text('{"schema": 1, "half')
    refuse(monkeypatch)
    with pytest.raises(RecordError, match=r"lenet5@.*repair it or move it away"):
        house.run("acme_tiny", "lenet5", fresh=fresh)
    assert damaged.read_text() == '{"schema": 1, "half'


@pytest.mark.parametrize("missing", ["dataset", "recipe", "error", "seconds"])
def test_a_record_that_lacks_parts_is_made_again(house: House, missing: str) -> None:
    house.run("acme_tiny")
    (path,) = house.paths()
    path.write_text(json.dumps({name: value for name, value in read_record(path).items() if name != missing}))
    (record,) = house.run("acme_tiny")
    assert record["status"] == "whole"


def test_a_record_of_other_kinds_of_parts_is_refused(house: House) -> None:
    (record,) = house.run("acme_tiny")
    (path,) = house.paths()
    path.write_text(json.dumps({**record, "measurements": {"accuracy": "high"}}))
    with pytest.raises(RecordError, match="measurement accuracy: wanted a mapping"):
        house.run("acme_tiny")


def test_lost_predictions_are_made_again(house: House) -> None:
    (record,) = house.run("acme_tiny")
    (row_folder(house.place / "runs", record) / FILE).unlink()
    house.paths()[0].unlink()
    (again,) = house.run("acme_tiny")
    assert again["status"] == "whole"
    assert (row_folder(house.place / "runs", record) / FILE).exists()


@pytest.mark.parametrize(("system", "phase"), [("lenet5", "train"), ("lenet5", "epoch 1"), ("acme_tiny", "time")])
def test_an_interrupted_run_keeps_what_is_finished_and_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch, system: str, phase: str
) -> None:
    with pytest.raises(KeyboardInterrupt):
        house.run("acme_tiny", "lenet5", heard=Heard((system, phase)))
    kept = json.loads(house.files()["acme_tiny"])
    assert kept["status"] == "partial"  # trained, measured, not yet timed
    assert kept["measurements"]["accuracy"]["value"] is not None
    trained = []
    real = row.train
    monkeypatch.setattr(row, "train", lambda name, *rest: trained.append(name) or real(name, *rest))
    first, second = house.run("acme_tiny", "lenet5")
    assert (first["status"], second["status"]) == ("whole", "whole")
    assert first["checkpoint_sha256"] == kept["checkpoint_sha256"]
    assert trained == (["lenet5"] if system == "lenet5" else [])


def test_a_failed_row_is_tried_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        refuse(patch)
        (failed,) = house.run("acme_tiny")
    assert failed["error"] == "AssertionError: trained"
    (record,) = house.run("acme_tiny")
    assert (record["status"], record["error"]) == ("whole", None)


def test_a_failing_stopwatch_fails_its_row_alone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.run("acme_tiny")
    monkeypatch.setattr(latency, "VERSION", "99")
    real = row.load_recogniser

    def load(architecture: str, *rest: Any) -> Any:
        if architecture == "acme_tiny" and architecture in calls:
            raise OSError("weights are gone: /tmp/somewhere/weights.safetensors")
        calls.append(architecture)
        return real(architecture, *rest)

    calls: list[str] = []
    monkeypatch.setattr(row, "load_recogniser", load)
    first, second = house.run("acme_tiny", "lenet5")
    assert first["status"] == "failed"
    assert first["error"] == "OSError: weights are gone: weights.safetensors"
    assert second["status"] == "whole"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("no file '/home/me/data/a b.png'", "no file 'a b.png'"),
        ("[Errno 2] No such file: ~/runs/x.npz", "[Errno 2] No such file: x.npz"),
        ("in ./a/b.py:12 and ../c.py", "in b.py:12 and c.py"),
        (
            "1/2 of train/test, 3 / 4 at https://pytorch.org/docs",
            "1/2 of train/test, 3 / 4 at https://pytorch.org/docs",
        ),
    ],
)
def test_errors_name_files_by_their_base_names(text: str, wanted: str) -> None:
    assert describe(ValueError(text)) == f"ValueError: {wanted}"


def refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be trained from here on."""

    def train(*arguments: Any) -> Any:
        raise AssertionError("trained")

    monkeypatch.setattr(row, "train", train)


def test_noisy_latencies_are_timed_once_more_and_later_on_demand(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([True, False, True, True, False])
    timed: list[str] = []

    def measure(measured: Any) -> Measurement:
        timed.append(measured.system)
        return Measurement(1e6, {"n": 9, "ratio_to_reference": 2.0, "ratio_ci": [1.9, 2.1], "noisy": next(answers)})

    monkeypatch.setattr(latency, "measure", measure)
    monkeypatch.setattr(row, "RETIMED_ROUNDS", 0)
    (found,) = house.run("acme_tiny")
    assert (timed, found["measurements"]["latency"]["noisy"]) == (["acme_tiny"] * 2, False)
    (found,) = house.run("lenet5")
    assert found["measurements"]["latency"]["noisy"] is True  # twice noisy: the second time counts
    assert house.run("lenet5") == [found]
    (found,) = house.run("lenet5", retime_noisy=True)
    assert (len(timed), found["measurements"]["latency"]["noisy"]) == (5, False)
