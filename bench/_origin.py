"""What stored weights say of themselves: which system they are of, and what their answers mean."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from datamodules._base import CharacterDataModule
from datamodules._errors import DataError

_PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")  # torch.save's zip, and plain ones


@dataclass(frozen=True)
class Origin:
    """Where weights come from.

    Attributes:
        system: the name of the system that was trained; empty where unknown.
        dataset: what it was trained on, as records name it; empty where unknown.
        synthetic: whether a program drew that; None where unknown.
        labels: class names in label order; empty where unknown.
    """

    system: str = ""
    dataset: str = ""
    synthetic: bool | None = None
    labels: tuple[str, ...] = ()


def origin(architecture: str, recipe: str, datamodule: CharacterDataModule) -> dict[str, str]:
    """What ``read_origin`` reads, as the metadata of a safetensors file."""
    info = datamodule.info
    return {
        "architecture": architecture,
        "recipe": recipe,
        "dataset": info.name,
        "synthetic": json.dumps(info.synthetic),
        "labels": json.dumps(datamodule.labels, ensure_ascii=False),
    }


def read_origin(weights: Path) -> Origin:
    """What a file of weights says of itself; nothing where it was written without.

    Raises:
        DataError: not a safetensors file; one that could run code is not opened.
    """
    with weights.open("rb") as file:
        start = file.read(9)
    if start.startswith(_PICKLES) and start[8:] != b"{":  # a safetensors header follows its own length
        got = "a pickle, which can run code when it is loaded; it was not"
        advice = "Use the weights.safetensors of a run, or save the tensors alone with safetensors."
        raise DataError(weights, 0, "weights as safetensors", got, advice)
    try:
        with safe_open(weights, framework="numpy") as stored:
            return _origin(weights, stored.metadata() or {})
    except SafetensorError as error:
        size = weights.stat().st_size
        raise DataError(
            weights, size, "a whole safetensors file", str(error), "Copy it again, or train again."
        ) from error


def _origin(weights: Path, said: Mapping[str, str]) -> Origin:
    try:
        labels = json.loads(said.get("labels", "[]"))
        synthetic = json.loads(said.get("synthetic", "null"))
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            raise ValueError(f"labels {str(labels)[:80]}")
    except ValueError as error:
        raise DataError(weights, 8, "metadata as a run writes it", str(error), "Train again.") from error
    system = said.get("architecture", "") + (f"+{said['recipe']}" if said.get("recipe") else "")
    return Origin(system, said.get("dataset", ""), synthetic, tuple(labels))
