"""Metadata in weights files: the system, its training data and its labels; rejects files that are not weights."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from datamodules._base import CharacterDataModule
from datamodules._errors import DataError
from tasks.compression.container import MAGIC, from_bytes

_PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")  # torch.save's zip, plain pickles
_OTHERS = {b"\x89PNG": "a PNG image", b"\xff\xd8\xff": "a JPEG image", b"\x89HDF": "an HDF5 file"}
_CHECKSUM_DIGITS = 64  # exported files end with a SHA-256 in hexadecimal
_ADVICE = "Pass the weights.safetensors of a run, or save only the tensors with safetensors."


@dataclass(frozen=True)
class WeightsMetadata:
    """Where weights come from; empty or None means unknown.

    Attributes:
        architecture: ``name`` or ``name:variant``.
        recipe: of the training.
        storage: format of packed weights; empty for float32.
        dataset: the training data, as named in records.
        synthetic: whether that data is synthetic.
        labels: class names in label order.
        classes: size of the label space.
        licence: of the training data.
    """

    architecture: str = ""
    recipe: str = ""
    storage: str = ""
    dataset: str = ""
    synthetic: bool | None = None
    labels: tuple[str, ...] = ()
    classes: int | None = None
    licence: str = ""

    @property
    def system(self) -> str:
        """The name of the system, with its recipe."""
        return "+".join(filter(None, (self.architecture, self.recipe, self.storage)))


def make_metadata(architecture: str, recipe: str, datamodule: CharacterDataModule) -> dict[str, str]:
    """The metadata of a safetensors file, which ``read_metadata`` reads."""
    info = datamodule.info
    return {
        "architecture": architecture, "recipe": recipe, "dataset": info.name, "synthetic": json.dumps(info.synthetic),
        "labels": json.dumps(datamodule.labels, ensure_ascii=False), "licence": info.licence,
    }  # fmt: skip


def read_metadata(weights: Path) -> WeightsMetadata:
    """Read the metadata of a weights file; empty if it has none.

    Raises:
        DataError: neither safetensors nor packed weights; a file that could run code is never opened.
    """
    with weights.open("rb") as file:
        start = file.read(9)
        file.seek(max(0, file.seek(0, os.SEEK_END) - _CHECKSUM_DIGITS))
        end = file.read()
    if start.startswith(MAGIC):
        return _packed(weights)
    kind = "" if start[8:] == b"{" else _kind(weights, start, end)  # safetensors: 8 bytes of length, then JSON
    if kind:
        raise DataError(weights, 0, "weights as safetensors", kind, _ADVICE)
    try:
        with safe_open(weights, framework="numpy") as stored:
            return _parse(weights, stored.metadata() or {})
    except SafetensorError as error:
        size, advice = weights.stat().st_size, "Copy it again, or train again."
        raise DataError(weights, size, "a whole safetensors file", str(error), advice) from error


def _kind(weights: Path, start: bytes, end: bytes) -> str:
    """The type of a file that is not weights, by its first and last bytes; empty if unknown."""
    if not start:
        return "an empty file"
    if re.fullmatch(rb"[0-9a-f]{64}", end) and (start.startswith(b"PK") or weights.suffix == ".onnx"):
        return "a file of bench export, which holds a graph to run"
    if start.startswith(_PICKLES):
        return "a pickle, which can run code when it is loaded; it is never loaded"
    if weights.suffix == ".onnx":
        return "an ONNX graph"
    return next((kind for magic, kind in _OTHERS.items() if start.startswith(magic)), "")


def _packed(weights: Path) -> WeightsMetadata:
    about, _ = from_bytes(weights.read_bytes(), weights)
    architecture, storage = (str(about.get(name) or "") for name in ("architecture", "storage"))
    classes = about.get("classes")
    return WeightsMetadata(architecture, storage=storage, classes=classes if isinstance(classes, int) else None)


def _parse(weights: Path, metadata: Mapping[str, str]) -> WeightsMetadata:
    try:
        labels = json.loads(metadata.get("labels", "[]"))
        synthetic = json.loads(metadata.get("synthetic", "null"))
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            raise ValueError(f"labels {str(labels)[:80]}")
    except ValueError as error:
        raise DataError(weights, 8, "metadata as a run writes it", str(error), "Train again.") from error
    names = ("architecture", "recipe", "dataset", "licence")  # older files lack the licence
    architecture, recipe, dataset, licence = (metadata.get(name, "") for name in names)
    return WeightsMetadata(architecture, recipe, "", dataset, synthetic, tuple(labels), len(labels) or None, licence)
