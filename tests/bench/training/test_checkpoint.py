"""Checkpoints on the command line: what is not of the named system is refused, in one line, before anything is made."""

import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from fake.exported import CHARACTERS, export_both, write_checkpoint

from bench.run.compress import pack_file
from bench.run.profile import random_row
from bench.system import parse_system
from bench.training.checkpoint import check_checkpoint
from datamodules._errors import UsageError
from tasks.architectures import ARCHITECTURES
from tasks.normalised import Normalised
from tasks.recogniser import save_weights

Bench = Callable[[str], tuple[int, str, str]]
VERBS = {
    "profile": "profile {system} --classes 5 --checkpoint {file}",
    "export": "export {system} --checkpoint {file} --runtime onnxruntime --out out.onnx",
}


def refused(bench: Bench, command: str) -> str:
    code, out, err = bench(command)
    assert (code, out, len(err.splitlines())) == (2, "", 1), (command, err)
    assert not Path("out.onnx").exists()
    return err


def write_weights(path: Path, architecture: str, classes: int = 5, **said: str) -> Path:
    """Weights as if a run had left them."""
    name, _, variant = architecture.partition(":")
    module = ARCHITECTURES.load(name)
    labels = json.dumps([str(number) for number in range(classes)])
    network = Normalised(module.build(variant, classes, *module.INPUT))
    save_weights(network, path, {"architecture": architecture, "recipe": "light", "labels": labels, **said})
    return path


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files that hold no weights."""
    folder = tmp_path_factory.mktemp("others")
    weights = write_checkpoint(folder / "w.safetensors")
    export_both(weights, folder, folder)
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "x", [], [])), folder / "bare.onnx")
    with zipfile.ZipFile(folder / "torch.pt", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}))
    (folder / "plain.pkl").write_bytes(pickle.dumps({}))
    cv2.imwrite(str(folder / "x.png"), np.zeros((9, 9), np.uint8))
    (folder / "empty").write_bytes(b"")
    (folder / "run").mkdir()
    return folder


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("gone", "no such file; pass the weights.safetensors that bench run writes below runs/"),
        ("run", "is a folder; pass the weights.safetensors"),
        ("empty", "wanted weights as safetensors, got an empty file. Pass the weights.safetensors of a run"),
        ("torch.pt", "got a pickle, which can run code when it is loaded; it is never loaded. Pass the weights"),
        ("plain.pkl", "got a pickle, which can run code when it is loaded; it is never loaded. Pass the weights"),
        ("x.png", "got a PNG image. Pass the weights.safetensors of a run"),
        ("exported.onnx", "got a file of bench export, which holds a graph to run. Pass the weights"),
        ("exported.zip", "got a file of bench export, which holds a graph to run. Pass the weights"),
        ("bare.onnx", "got an ONNX graph. Pass the weights.safetensors of a run"),
    ],
)
def test_other_files_are_called_what_they_are(bench: Bench, others: Path, verb: str, file: str, says: str) -> None:
    err = refused(bench, VERBS[verb].format(system="nearest_mean", file=others / file))
    assert str(others / file) in err
    assert says in err


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("named", "stored"),
    [("hybrid_mobilenet:stride-d1-a0.25", "hybrid_mobilenet:mp3-d1-a0.25"), ("dlqdf:dlqdf", "dlqdf:mqdf")],
)
def test_variants_with_the_same_tensors_are_told_apart(
    bench: Bench, tmp_path: Path, verb: str, named: str, stored: str
) -> None:
    write_weights(tmp_path / "w.safetensors", stored)
    assert check_checkpoint(stored, tmp_path / "w.safetensors")[0].architecture == stored
    err = refused(bench, VERBS[verb].format(system=named, file="w.safetensors"))
    assert f"--checkpoint w.safetensors: wanted weights of {named}, got those of {stored}+light" in err


@pytest.mark.parametrize("verb", VERBS)
def test_a_recipe_that_the_weights_deny_is_refused(bench: Bench, tmp_path: Path, verb: str) -> None:
    write_checkpoint(tmp_path / "w.safetensors")
    err = refused(bench, VERBS[verb].format(system="nearest_mean+paper", file="w.safetensors"))
    assert "wanted weights of nearest_mean+paper, got those of nearest_mean+light" in err


@pytest.mark.parametrize(
    ("named", "recipe", "exported"),
    [
        ("nearest_mean", "light", "nearest_mean"),
        ("nearest_mean", "paper", "nearest_mean+paper"),
        ("nearest_mean+paper", "paper", "nearest_mean+paper"),
        ("nearest_mean+light", "light", "nearest_mean+light"),
    ],
)
def test_a_recipe_that_is_left_out_is_that_of_the_weights(
    bench: Bench, tmp_path: Path, named: str, recipe: str, exported: str
) -> None:
    write_weights(tmp_path / "w.safetensors", "nearest_mean", recipe=recipe)
    code, out, _ = bench(VERBS["export"].format(system=named, file="w.safetensors") + " --json")
    assert (code, json.loads(out)["system"]) == (0, exported)


def test_packed_weights_are_of_the_storage_that_they_name(bench: Bench, tmp_path: Path) -> None:
    stored = parse_system("lenet5+u8-4", "light")
    random_row("lenet5", 5, tmp_path / "w.safetensors")
    pack_file(stored, 5, tmp_path / "w.safetensors", tmp_path / "weights.packed")
    assert check_checkpoint("lenet5+u8-4", tmp_path / "weights.packed")[0] == stored
    assert check_checkpoint("lenet5+u8-4", tmp_path / "w.safetensors")[0] == stored  # to be packed
    for system in ("lenet5", "lenet5+c32"):
        with pytest.raises(UsageError, match=rf"{system.replace('+', '.')}, got those of lenet5\+u8-4"):
            check_checkpoint(system, tmp_path / "weights.packed")
    assert "use --classes 5" in refused(bench, "profile lenet5+u8-4 --checkpoint weights.packed")


def test_another_number_of_labels_names_the_flag(bench: Bench, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "w.safetensors")
    for flag, got in (("", "3755"), (" --classes 6", "6")):
        err = refused(bench, f"profile nearest_mean --checkpoint w.safetensors{flag}")
        assert f"has {len(CHARACTERS)} classes, got --classes {got}; use --classes 5" in err


@pytest.mark.parametrize("verb", VERBS)
def test_tensors_of_another_network_are_said_in_one_line(bench: Bench, tmp_path: Path, verb: str) -> None:
    random_row("nearest_mean", 6, tmp_path / "six.safetensors")
    random_row("lenet5", 5, tmp_path / "lenet5.safetensors")
    Path("five.txt").write_text("\n".join("abcde"))
    labels = " --labels five.txt" if verb == "export" else ""
    err = refused(bench, VERBS[verb].format(system="nearest_mean", file="six.safetensors") + labels)
    assert "not the weights of nearest_mean with 5 classes: network." in err
    assert " is 6×" in err
    assert ("--classes" in err) == (verb == "profile")
    err = refused(bench, VERBS[verb].format(system="nearest_mean", file="lenet5.safetensors") + labels)
    assert "it lacks network." in err
    assert "it has also network." in err


def test_a_place_that_cannot_take_the_file_is_refused_first(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.deploy.exported_file.onnx_model", lambda *arguments, **named: pytest.fail("exported"))
    write_checkpoint(tmp_path / "w.safetensors")
    (tmp_path / "boards").mkdir()
    shutil.copy("w.safetensors", "taken")
    command = "export nearest_mean --checkpoint w.safetensors --runtime onnxruntime --out"
    assert refused(bench, f"{command} boards").startswith("bench: --out boards: is a folder; name the file to write")
    for place in ("gone/x.onnx", "taken/x.onnx"):
        assert f"--out {place}: there is no folder {Path(place).parent} to write" in refused(
            bench, f"{command} {place}"
        )
    assert not Path("gone").exists()
