"""Weights supplied by the user (``--weights``): finds the files by system name, and checks them."""

from pathlib import Path

from bench.plugins import systems
from bench.records.record import slug_system
from bench.training.weights_metadata import read_metadata
from datamodules._base import CharacterDataModule
from datamodules._errors import BenchError
from tasks.recogniser import check_weights

_ENDING = ".safetensors"


class WeightsError(BenchError):
    """The user's weights do not fit the system in their file name; names file and tensor."""


def weights_files(folder: Path) -> dict[str, Path]:
    """The safetensors files of a folder, by file stem such as ``resnet--50``; other files are ignored.

    Raises:
        WeightsError: the folder has none, or the name of one is no system.
    """
    known = {slug_system(system) for system in systems()}
    files = {path.stem: path for path in sorted(folder.glob(f"*{_ENDING}"))}
    form = f"files named by system, such as resnet--50{_ENDING} and vgg16{_ENDING}"
    if not files:
        content = ", ".join(sorted(path.name for path in folder.iterdir())[:5]) if folder.is_dir() else "no folder"
        raise WeightsError(f"{folder}: wanted {form}, got {content or 'an empty folder'}; no pickle is read")
    for name, path in files.items():
        if name not in known:
            raise WeightsError(f"{path}: wanted {form}, got no system's name; see: bench list systems")
    return files


def check_start(path: Path, architecture: str) -> None:
    """Check by its metadata that a safetensors file can start the training of an architecture.

    Raises:
        WeightsError: no such file, packed weights, or weights of another or an unnamed architecture.
        DataError: not a safetensors file.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: wanted a safetensors file of trained weights, got nothing there")
    metadata = read_metadata(path)
    if metadata.storage:
        raise WeightsError(f"{path}: wanted weights in float32, got packed ones")
    if metadata.architecture != architecture or not metadata.labels:
        got = metadata.architecture or "no name of an architecture"
        raise WeightsError(f"{path}: wanted weights of {architecture} as a run writes them, got {got}")


def check_pretrained(path: Path, architecture: str, datamodule: CharacterDataModule) -> None:
    """Check, by shapes and metadata, that a safetensors file fits a row's architecture and data.

    Raises:
        WeightsError: weights of another network, other classes or another class order, or packed weights.
        DataError: not a safetensors file.
    """
    metadata, labels = read_metadata(path), datamodule.labels
    if metadata.storage:
        raise WeightsError(f"{path}: wanted weights in float32, got packed ones; the row's name compresses them")
    if metadata.architecture not in ("", architecture):
        raise WeightsError(
            f"{path}: wanted weights of {architecture}, got those of {metadata.architecture}; rename the file"
        )
    mismatch = next((pair for pair in zip(metadata.labels, labels, strict=False) if pair[0] != pair[1]), None)
    if mismatch is not None and len(metadata.labels) == len(labels):
        raise WeightsError(f"{path}: wanted the data's classes in the same order, got {mismatch[0]} for {mismatch[1]}")
    try:
        check_weights(architecture, len(labels), path)
    except ValueError as error:
        raise WeightsError(str(error)) from error
