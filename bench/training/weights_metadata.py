"""What stored weights say of themselves: which system they are of, and what their answers mean."""

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

_PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")  # torch.save's zip, and plain ones
_OTHERS = {b"\x89PNG": "a PNG image", b"\xff\xd8\xff": "a JPEG image", b"\x89HDF": "an HDF5 file"}
_CHECKSUM_DIGITS = 64  # exported files end with a SHA-256 in hexadecimal
_ADVICE = "Give the weights.safetensors of a run, or save the tensors alone with safetensors."


@dataclass(frozen=True)
class WeightsMetadata:
    """Where weights come from.

    Attributes:
        architecture: ``name`` or ``name:variant``; empty where unknown.
        recipe: by which it was trained; empty where unknown.
        storage: in which way it is packed; empty for float32.
        dataset: what it was trained on, as records name it; empty where unknown.
        synthetic: whether a program drew that; None where unknown.
        labels: class names in label order; empty where unknown.
        classes: size of the label space; None where unknown.
    """

    architecture: str = ""
    recipe: str = ""
    storage: str = ""
    dataset: str = ""
    synthetic: bool | None = None
    labels: tuple[str, ...] = ()
    classes: int | None = None

    @property
    def system(self) -> str:
        """The name of the system, with its recipe; empty where unknown."""
        return "+".join(filter(None, (self.architecture, self.recipe, self.storage)))


def origin(architecture: str, recipe: str, datamodule: CharacterDataModule) -> dict[str, str]:
    """What ``read_metadata`` reads, as the metadata of a safetensors file."""
    info = datamodule.info
    return {
        "architecture": architecture,
        "recipe": recipe,
        "dataset": info.name,
        "synthetic": json.dumps(info.synthetic),
        "labels": json.dumps(datamodule.labels, ensure_ascii=False),
    }


def read_metadata(weights: Path) -> WeightsMetadata:
    """What a file of weights says of itself; nothing where it was written without.

    Raises:
        DataError: neither a safetensors file nor a packed one; one that could run code is not opened.
    """
    with weights.open("rb") as file:
        start = file.read(9)
        file.seek(max(0, file.seek(0, os.SEEK_END) - _CHECKSUM_DIGITS))
        end = file.read()
    if start.startswith(MAGIC):
        return _packed(weights)
    kind = "" if start[8:] == b"{" else _kind(weights, start, end)  # a safetensors header follows its own length
    if kind:
        raise DataError(weights, 0, "weights as safetensors", kind, _ADVICE)
    try:
        with safe_open(weights, framework="numpy") as stored:
            return _origin(weights, stored.metadata() or {})
    except SafetensorError as error:
        size = weights.stat().st_size
        raise DataError(
            weights, size, "a whole safetensors file", str(error), "Copy it again, or train again."
        ) from error


def _kind(weights: Path, start: bytes, end: bytes) -> str:
    """What else a file is, by its first and last bytes; empty where they do not tell."""
    if not start:
        return "an empty file"
    if re.fullmatch(rb"[0-9a-f]{64}", end) and (start.startswith(b"PK") or weights.suffix == ".onnx"):
        return "a file that bench export wrote, which holds a graph to run"
    if start.startswith(_PICKLES):
        return "a pickle, which can run code when it is loaded; it was not and never is"
    if weights.suffix == ".onnx":
        return "an ONNX graph"
    return next((kind for magic, kind in _OTHERS.items() if start.startswith(magic)), "")


def _packed(weights: Path) -> WeightsMetadata:
    about, _ = from_bytes(weights.read_bytes(), weights)
    architecture, storage = (str(about.get(name) or "") for name in ("architecture", "storage"))
    classes = about.get("classes")
    return WeightsMetadata(architecture, storage=storage, classes=classes if isinstance(classes, int) else None)


def _origin(weights: Path, said: Mapping[str, str]) -> WeightsMetadata:
    try:
        labels = json.loads(said.get("labels", "[]"))
        synthetic = json.loads(said.get("synthetic", "null"))
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            raise ValueError(f"labels {str(labels)[:80]}")
    except ValueError as error:
        raise DataError(weights, 8, "metadata as a run writes it", str(error), "Train again.") from error
    architecture, recipe, dataset = (said.get(name, "") for name in ("architecture", "recipe", "dataset"))
    return WeightsMetadata(architecture, recipe, "", dataset, synthetic, tuple(labels), len(labels) or None)
