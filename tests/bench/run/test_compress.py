"""Stored rows: trained once as their parent, then measured from the bytes on disk."""

import json
import shutil
from collections.abc import Callable

import numpy as np
import pytest
from fake.house import Heard, House
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from bench.records.compare import compare
from bench.records.predictions import read_predictions, row_folder
from bench.records.record import read_record
from bench.run import compress, estimate, row
from bench.run.compress import CompressionError
from bench.run.profile import profile_system
from datamodules._files import sha256
from tasks.compression.container import from_bytes, to_bytes
from tasks.compression.packing import Packed


def refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row, "train", lambda *arguments: pytest.fail("trained"))
    monkeypatch.setattr(row, "compress", lambda *arguments: pytest.fail("packed"))


def test_a_stored_row_is_trained_once_and_stands_beside_its_parent(house: House) -> None:
    heard = Heard()
    parent, stored = house.run("acme_tiny+u8-4", heard=heard)
    assert [phase for *_, phase in heard.phases] == ["train", "train", "time", "time"]
    assert (parent["system"], stored["system"]) == ("acme_tiny", "acme_tiny+u8-4")
    assert (parent["parent"], parent["status"], stored["status"]) == (None, "whole", "whole")
    packed = row_folder(house.place / "runs", stored) / "weights.packed"
    assert not (packed.parent / "weights.safetensors").exists()
    assert stored["measurements"]["size_bytes"]["value"] == packed.stat().st_size
    assert packed.stat().st_size < parent["measurements"]["size_bytes"]["value"] / 2
    assert stored["measurements"]["params"]["value"] == parent["measurements"]["params"]["value"]
    assert stored["storage"]["name"] == "u8-4"
    assert 0 < stored["storage"]["entropy_bytes"] < packed.stat().st_size
    hdf5 = stored["storage"]["hdf5"]
    assert min(hdf5["codes"], hdf5["floats"]) > stored["storage"]["entropy_bytes"]
    assert hdf5["gzip_level"] == 4
    assert stored["recipe"] == parent["recipe"]
    assert read_record(house.paths()[1]) == stored


def test_the_parent_is_named_with_a_paired_difference(house: House) -> None:
    parent, stored = house.run("acme_tiny+c2")  # few centroids, so that answers change
    said = stored["parent"]
    assert (said["system"], said["checkpoint_sha256"]) == ("acme_tiny", parent["checkpoint_sha256"])
    found = said["accuracy"]
    values = [record["measurements"]["accuracy"]["value"] for record in (parent, stored)]
    assert found["value"] == values[0]
    assert found["difference"] == pytest.approx(values[1] - values[0])
    assert found["ci_low"] <= found["difference"] <= found["ci_high"]
    assert found["both"] + found["only_a"] + found["only_b"] + found["neither"] == found["n"] == 40
    other = compare(parent, stored, house.place / "runs")
    assert (other["accuracy"]["ci_low"], other["paired"]["p"]) == (found["ci_low"], found["p"])


def changed(monkeypatch: pytest.MonkeyPatch, how: Callable[[bytes], bytes]) -> None:
    """Change every packed file as it is written."""
    pack = compress.pack_quantised

    def other(*arguments: object) -> Packed:
        made = pack(*arguments)  # type: ignore[arg-type]
        return Packed(how(made.content), made.entropy_bytes, made.numbers)

    monkeypatch.setattr(compress, "pack_quantised", other)


def test_answers_come_from_the_bytes_on_disk(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def one_byte(content: bytes) -> bytes:
        """Another sign of the step of the last layer's weights, with a checksum that fits."""
        about, tensors = from_bytes(content, "x")
        steps = tensors["network.5.weight"].table.view(np.uint8)
        steps[3] ^= 0x80
        return to_bytes(about, tensors)

    _, honest = house.run("acme_tiny+u8-8")
    changed(monkeypatch, one_byte)
    parent, other = house.run("acme_tiny+u8-8", fresh=True)
    assert parent["checkpoint_sha256"] == honest["parent"]["checkpoint_sha256"]
    accuracy = [record["measurements"]["accuracy"]["value"] for record in (honest, other)]
    assert accuracy[0] != accuracy[1]
    answers = read_predictions(row_folder(house.place / "runs", other))
    assert answers.correct.mean() == accuracy[1]


def test_centroids_are_chosen_on_validation_images_and_lie_in_the_file(house: House) -> None:
    parent, stored = house.run("acme_tiny+c-within0.5")
    assert (parent["status"], stored["status"]) == ("whole", "whole")
    said = stored["storage"]
    assert said["name"] == "c-within0.5"
    assert list(said["clusters"]) == list(said["sweep"]) == ["network.0.weight", "network.5.weight"]
    assert said["validation"]["images"] == stored["dataset"]["val"]
    assert said["validation"]["lost"]["answer"] <= said["validation"]["lost_and_margin"] <= 0.5
    assert len(said["sweep"]["network.0.weight"]) <= said["evaluations"] <= 2 * 9 + 8
    packed = row_folder(house.place / "runs", stored) / "weights.packed"
    tensors = from_bytes(packed.read_bytes(), packed)[1]
    coded = {name: len(one.table) for name, one in tensors.items() if one.kind == "centroid"}
    assert coded == {name: clusters for name, clusters in said["clusters"].items() if clusters}
    assert stored["measurements"]["size_bytes"]["value"] == packed.stat().st_size
    assert packed.stat().st_size < parent["measurements"]["size_bytes"]["value"] / 4
    again = house.run("acme_tiny+c-within0.5", fresh=True)[1]
    assert (again["storage"], again["checkpoint_sha256"]) == (said, stored["checkpoint_sha256"])


def test_chosen_centroids_stay_while_the_rest_learns_again(house: House) -> None:
    learned = ("retrained", "conventional")
    names = "c4", "c-within0.5", "c4-retrained", "c-within0.5-retrained"
    plan = house.plan(*(f"acme_tiny+{name}" for name in names))
    answered, chosen, learnt, both = (row["seconds_train"] for row in estimate.costs(plan)[1:])
    assert both - answered == pytest.approx(chosen - answered + learnt - answered)
    parent, plain, *others = house.run("acme_tiny+c-within0.5", *(f"acme_tiny+c-within0.5-{name}" for name in learned))
    folders = [row_folder(house.place / "runs", record) for record in (plain, *others)]
    before, *after = [from_bytes((folder / "weights.packed").read_bytes(), folder)[1] for folder in folders]
    for record, tensors, method in zip(others, after, learned, strict=True):
        assert record["status"] == "whole"
        assert record["storage"] == {**plain["storage"], "name": f"c-within0.5-{method}"}
        said = record["retraining"]
        assert (said["method"], said["test"]["before"]) == (method, plain["measurements"]["accuracy"]["value"])
        assert said["learning"] == sum(tensor.table.size for tensor in tensors.values() if tensor.kind == "raw") - 2 * 8
        assert record["parent"]["checkpoint_sha256"] == parent["checkpoint_sha256"]
        for name, tensor in before.items():
            assert (tensors[name].kind, tensors[name].bits) == (tensor.kind, tensor.bits)
            assert np.array_equal(tensors[name].codes, tensor.codes)
            assert np.array_equal(tensors[name].table, tensor.table) == (tensor.kind == "centroid")


def test_one_byte_of_a_chosen_file_changes_its_answers(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def other_sign(content: bytes) -> bytes:
        """The sign of the last layer's greatest centroid, with a checksum that fits."""
        about, tensors = from_bytes(content, "x")
        table = tensors["network.5.weight"].table.view(np.uint8)
        table[-1] ^= 0x80
        return to_bytes(about, tensors)

    _, honest = house.run("acme_tiny+c-within1")
    before = read_predictions(row_folder(house.place / "runs", honest)).probability
    changed(monkeypatch, other_sign)
    _, other = house.run("acme_tiny+c-within1", fresh=True)
    assert other["storage"] == honest["storage"]
    assert other["checkpoint_sha256"] != honest["checkpoint_sha256"]
    after = read_predictions(row_folder(house.place / "runs", other)).probability
    assert np.abs(after - before).max() > 0.1  # by some weights it still reads all characters


def test_a_damaged_file_fails_the_row_alone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    changed(monkeypatch, lambda content: content[:-1] + bytes([content[-1] ^ 1]))
    parent, stored = house.run("acme_tiny+c4")
    assert (parent["status"], stored["status"]) == ("whole", "failed")
    assert "DataError: weights.packed: byte " in stored["error"]
    assert "damaged" in stored["error"]


def test_whole_rows_are_kept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    made = house.run("acme_tiny+c4", "acme_tiny+u8-4")
    before = house.files()
    refuse(monkeypatch)
    assert house.run("acme_tiny+c4", "acme_tiny+u8-4") == made
    assert house.files() == before
    costs = estimate.costs(house.plan("acme_tiny+c4"))
    assert [(row["system"], row["todo"]) for row in costs] == [("acme_tiny", "nothing"), ("acme_tiny+c4", "nothing")]


def test_a_new_row_of_a_trained_parent_trains_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.run("acme_tiny")
    monkeypatch.setattr(row, "train", lambda *arguments: pytest.fail("trained"))
    (kept, new) = estimate.costs(house.plan("acme_tiny+c4"))
    assert (kept["todo"], new["todo"]) == ("nothing", "train")
    answering = estimate.PASS_SHARE * estimate.training_seconds(40, new["macs"], batch=32)
    assert new["seconds_train"] == pytest.approx(answering)
    assert estimate.costs(house.plan("acme_tiny+c-within1"))[1]["seconds_train"] > 0  # many passes to choose by
    assert [record["status"] for record in house.run("acme_tiny+c4")] == ["whole", "whole"]


def test_a_parent_whose_files_are_gone_is_trained_again_where_they_are_needed(house: House) -> None:
    (first,) = house.run("acme_tiny")
    next((house.place / "runs").rglob("weights.safetensors")).unlink()
    parent, stored = house.run("acme_tiny+c4")
    assert (parent["status"], stored["status"]) == ("whole", "whole")
    assert parent["checkpoint_sha256"] == first["checkpoint_sha256"] == stored["parent"]["checkpoint_sha256"]
    next((house.place / "runs").rglob("weights.safetensors")).unlink()
    assert [row["todo"] for row in estimate.costs(house.plan("acme_tiny+c4"))] == ["nothing", "nothing"]


def test_other_weights_of_the_parent_make_a_stored_row_stale(house: House) -> None:
    house.run("acme_tiny+c4")
    path = next(path for path in house.paths() if path.name.startswith("acme_tiny__c4"))
    record = read_record(path)
    record["parent"]["checkpoint_sha256"] = "0" * 64
    path.write_text(json.dumps(record))
    said = row_folder(house.place / "runs", record) / "trained.json"
    said.write_text(said.read_text().replace(json.loads(said.read_text())["parent"]["checkpoint_sha256"], "0" * 64))
    assert [row["todo"] for row in estimate.costs(house.plan("acme_tiny+c4"))] == ["nothing", "train"]
    _, stored = house.run("acme_tiny+c4")
    assert stored["parent"]["checkpoint_sha256"] != "0" * 64


def test_a_row_is_made_anew_where_its_parent_became_another_in_the_same_run(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = house.run("acme_tiny+u8-4")
    (row_folder(house.place / "runs", first) / "weights.safetensors").unlink()
    (own,) = (path for path in house.paths() if read_record(path)["system"] == "acme_tiny")
    own.unlink()
    real = row.train

    def otherwise(architecture, recipe, datamodule, folder, seed, *rest):
        return real(architecture, recipe, datamodule, folder, seed + 1, *rest)

    monkeypatch.setattr(row, "train", otherwise)
    parent, stored = house.run("acme_tiny+u8-4")
    assert parent["checkpoint_sha256"] != first["checkpoint_sha256"]
    assert stored["parent"]["checkpoint_sha256"] == parent["checkpoint_sha256"]


def test_a_row_is_made_anew_where_its_parents_weights_come_from_another_suite(house: House) -> None:
    first, _ = house.run("acme_tiny+u8-4")
    own, other = (row_folder(house.place / "runs", {**first, "suite": suite}) for suite in ("tiny", "another"))
    other.parent.mkdir(parents=True)
    shutil.move(own, other)
    weights = other / "weights.safetensors"
    with safe_open(weights, "pt") as stored:
        metadata = stored.metadata()
    save_file({name: tensor * 1.001 for name, tensor in load_file(weights).items()}, weights, metadata)
    said = json.loads((other / "trained.json").read_text())
    (other / "trained.json").write_text(json.dumps({**said, "checkpoint_sha256": sha256(weights)}))
    (record,) = (path for path in house.paths() if read_record(path)["system"] == "acme_tiny")
    record.unlink()
    parent, made = house.run("acme_tiny+u8-4")
    assert parent["checkpoint_sha256"] == sha256(weights) != first["checkpoint_sha256"]
    assert made["parent"]["checkpoint_sha256"] == parent["checkpoint_sha256"]


def test_a_parent_that_failed_leaves_nothing_to_store(house: House) -> None:
    parent, stored = house.run("acme_step+c4")
    assert (parent["status"], stored["status"]) == ("failed", "failed")
    assert stored["error"].startswith("ParentError: acme_step+c4: wanted the trained weights of acme_step, seed 0")


def test_profile_has_nothing_to_choose_centroids_by() -> None:
    with pytest.raises(CompressionError, match=r"lenet5\+c-within1: wanted validation characters to choose"):
        profile_system("lenet5+c-within1", 30, "eager", None, "bench profile")


def test_profile_measures_the_packed_file(house: House) -> None:
    plain, stored = (profile_system(name, 30, "eager", None, "bench profile") for name in ("lenet5", "lenet5+u8-4"))
    sizes = [record["measurements"]["size_bytes"]["value"] for record in (plain, stored)]
    assert sizes[1] < sizes[0] / 4
    assert (stored["system"], stored["weights"]) == ("lenet5+u8-4", "random")
    assert stored["measurements"]["params"] == plain["measurements"]["params"]
