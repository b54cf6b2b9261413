"""Exported files that were changed and have a valid checksum: their metadata are still checked."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import onnx
import pytest
from fake.exported import CHARACTERS, export_both, write_checkpoint

from bench.cli._recognizer_text import describe_classes
from bench.deploy.checksum import DIGITS, onnx_with_checksum, with_checksum
from bench.deploy.load import open_exported
from datamodules._errors import DataError

Bench = Callable[[str], tuple[int, str, str]]
PAIR = ("recogniser.xml", "recogniser.bin")
SIX = json.dumps(list("abcdef"))


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recogniser of five grey characters in both formats."""
    folder = tmp_path_factory.mktemp("exports")
    weights = write_checkpoint(folder / "w.safetensors")
    export_both(weights, folder, folder)
    return folder


def zipped(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
        archive.comment = b"0" * DIGITS
    return with_checksum(buffer.getvalue())


def entries(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in PAIR}


def with_said(path: Path, changes: dict[str, str | None]) -> bytes:
    """An export whose metadata say something else, or no longer say it where that is None."""
    if path.suffix == ".onnx":
        model = onnx.load(path)
        said = {entry.key: entry.value for entry in model.metadata_props if entry.key != "sha256"} | changes
        del model.metadata_props[:]
        onnx.helper.set_model_props(model, {key: value for key, value in said.items() if value is not None})
        return onnx_with_checksum(model.SerializeToString())
    pair = entries(path)
    tree = ElementTree.fromstring(pair["recogniser.xml"])
    held = tree.find("rt_info/recogniser")
    assert held is not None
    for name, value in changes.items():
        element = held.find(name)
        assert element is not None
        if value is None:
            held.remove(element)
        else:
            element.set("value", value)
    return zipped({**pair, "recogniser.xml": ElementTree.tostring(tree)})


def refused(path: Path, content: bytes, says: str) -> None:
    path.write_bytes(content)
    for batch in (False, True):
        with pytest.raises(DataError) as caught:
            open_exported(path, batch=batch)
        assert str(caught.value).startswith(f"{path}: byte 0: wanted ")
        assert says in str(caught.value)
        assert "Export it again: bench export." in str(caught.value)


@pytest.mark.parametrize("file", ["exported.onnx", "exported.zip"])
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        *[({name: None}, f"none called {name}") for name in
          ("labels", "channels", "size", "system", "dataset", "synthetic", "provenance")],
        ({"labels": "[broken"}, "got labels '[broken': Expecting value"),
        ({"labels": '{"a": 1}'}, "got labels"),
        ({"labels": "[1, 2, 3, 4, 5]"}, "got labels"),
        ({"labels": SIX}, "wanted a graph of 6 classes, as its labels, got 5"),
        ({"channels": "two"}, "got channels 'two'"),
        ({"channels": "3"}, "wanted a graph from colour images to probabilities"),
        ({"size": "0"}, "got size '0'"),
        ({"synthetic": "perhaps"}, "got synthetic 'perhaps'"),
        ({"provenance": "[]"}, "got provenance '[]'"),
        ({"provenance": '{"record": {"accuracy": "high"}}'}, "got provenance"),
        ({"format": "another"}, "got another"),
    ],
)  # fmt: skip
def test_metadata_at_odds_are_refused(
    exports: Path, tmp_path: Path, file: str, changes: dict[str, str | None], says: str
) -> None:
    refused(tmp_path / file, with_said(exports / file, changes), says)


@pytest.mark.parametrize("file", ["exported.onnx", "exported.zip"])
def test_the_way_in_which_these_files_are_changed_alone_does_no_harm(
    bench: Bench, exports: Path, tmp_path: Path, file: str
) -> None:
    (tmp_path / file).write_bytes(with_said(exports / file, {"labels": json.dumps(list("abcde"))}))
    recogniser = open_exported(tmp_path / file)
    assert recogniser.labels == tuple("abcde")
    assert recogniser.classify(np.full((1, 9, 9), 255, np.uint8)).shape == (1, 5)


@pytest.mark.parametrize("file", ["exported.onnx", "exported.zip"])
def test_older_files_state_no_licence(exports: Path, tmp_path: Path, file: str) -> None:
    assert "data licence: free of rights" in describe_classes(CHARACTERS, open_exported(exports / file).about)
    (tmp_path / file).write_bytes(with_said(exports / file, {"licence": None}))
    assert "licence" not in describe_classes(CHARACTERS, open_exported(tmp_path / file).about)


@pytest.mark.parametrize("missing", PAIR)
def test_a_zip_without_one_of_the_pair_is_refused(exports: Path, tmp_path: Path, missing: str) -> None:
    left = {name: content for name, content in entries(exports / "exported.zip").items() if name != missing}
    refused(tmp_path / "x.zip", zipped(left), "wanted a zip with recogniser.xml and recogniser.bin, got one without")


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (
            lambda pair: with_checksum(b"PK is how a zip begins, and this is none" + b"0" * DIGITS),
            "a damaged one: File is not",
        ),
        (lambda pair: zipped({**pair, "recogniser.xml": b"<net"}), "wanted a recogniser.xml in XML"),
        (
            lambda pair: with_checksum(zipped(pair).replace(pair["recogniser.xml"][:90], b"x" * 90)),
            "a damaged one: Bad CRC",
        ),
    ],
    ids=["no zip", "no XML", "a bad entry"],
)
def test_what_only_begins_like_a_pair_is_refused(
    exports: Path, tmp_path: Path, made: Callable[[dict[str, bytes]], bytes], says: str
) -> None:
    refused(tmp_path / "x.zip", made(entries(exports / "exported.zip")), says)


def test_a_graph_of_something_else_is_refused(exports: Path, tmp_path: Path) -> None:
    model = onnx.load(exports / "exported.onnx")
    value: Any = onnx.helper.make_tensor_value_info("image", onnx.TensorProto.UINT8, ["n"])
    out: Any = onnx.helper.make_tensor_value_info("same", onnx.TensorProto.UINT8, ["n"])
    node = onnx.helper.make_node("Identity", ["image"], ["same"])
    other = onnx.helper.make_model(
        onnx.helper.make_graph([node], "x", [value], [out]),
        opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=model.ir_version,
    )  # fmt: skip
    other.metadata_props.extend(entry for entry in model.metadata_props if entry.key != "sha256")
    refused(tmp_path / "x.onnx", onnx_with_checksum(other.SerializeToString()), "wanted a graph from grey images")
