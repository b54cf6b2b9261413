"""Trained weights that the user gives, by the systems that their files are named after."""

from pathlib import Path

from bench.plugins import systems
from bench.records.record import slug_system
from bench.training.weights_metadata import read_metadata
from datamodules._base import CharacterDataModule
from datamodules._errors import BenchError
from tasks.recogniser import check_weights

_ENDING = ".safetensors"


class WeightsError(BenchError):
    """The user's weights are not those of the network they are named after; names file and tensor."""


def weights_files(folder: Path) -> dict[str, Path]:
    """The files of weights in a folder by their names without the ending, such as ``resnet--50``; no other is read.

    Raises:
        WeightsError: there is none in it, or one that is named after no system.
    """
    known = {slug_system(system) for system in systems()}
    found = {path.stem: path for path in sorted(folder.glob(f"*{_ENDING}"))}
    form = f"files named by system, such as resnet--50{_ENDING} and vgg16{_ENDING}"
    if not found:
        there = ", ".join(sorted(path.name for path in folder.iterdir())[:5]) if folder.is_dir() else "no folder"
        raise WeightsError(f"{folder}: wanted {form}, got {there or 'an empty folder'}; no pickle is read")
    for name, path in found.items():
        if name not in known:
            raise WeightsError(f"{path}: wanted {form}, got no system's name; see: bench list systems")
    return found


def check_pretrained(path: Path, architecture: str, datamodule: CharacterDataModule) -> None:
    """Refuse weights that a row cannot take, by their header and by what they say of themselves.

    Args:
        path: of the file.
        architecture: ``name`` or ``name:variant``, of the row.
        datamodule: the data that it shall read.

    Raises:
        WeightsError: those of another network, of other classes or in another order, or packed ones.
        DataError: no safetensors file.
    """
    said, labels = read_metadata(path), datamodule.labels
    if said.storage:
        raise WeightsError(f"{path}: wanted weights in float32, got packed ones; store them by the row's name")
    if said.architecture not in ("", architecture):
        raise WeightsError(
            f"{path}: wanted weights of {architecture}, got those of {said.architecture}; rename the file"
        )
    other = next((pair for pair in zip(said.labels, labels, strict=False) if pair[0] != pair[1]), None)
    if other is not None and len(said.labels) == len(labels):
        raise WeightsError(f"{path}: wanted the classes of the data in their order, got {other[0]} for {other[1]}")
    try:
        check_weights(architecture, len(labels), path)
    except ValueError as error:
        raise WeightsError(str(error)) from error
