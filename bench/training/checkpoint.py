"""Checkpoints named on the command line: whether they are of the system that is named, before anything is loaded."""

from pathlib import Path

from bench.system import System, parse_system
from bench.training.weights_metadata import WeightsMetadata, read_metadata
from datamodules._errors import UsageError

_DEFAULT_RECIPE = "light"
_GIVE = "give the weights.safetensors that bench run leaves below runs/"


def check_checkpoint(name: str, checkpoint: Path) -> tuple[System, WeightsMetadata]:
    """The system that a checkpoint is of, and what it says of itself.

    State dicts alone do not tell: variants that differ in strides or in training alone have the same tensors.

    Args:
        name: of the system, as it was named; a recipe that it leaves out is taken from the checkpoint.
        checkpoint: safetensors, or packed.

    Raises:
        UnknownPlugin: no such system.
        UsageError: no such file, or weights of another architecture, recipe or storage.
        DataError: not a file of weights; one that could run code is not opened.
    """
    system = parse_system(name, "")  # so that a recipe that is left out stays empty
    if not checkpoint.exists():
        raise UsageError(f"--checkpoint {checkpoint}: no such file; {_GIVE}")
    if checkpoint.is_dir():
        raise UsageError(f"--checkpoint {checkpoint}: is a folder; {_GIVE}")
    origin = read_metadata(checkpoint)
    wanted, found = _parts(system), _parts_of(origin)
    if any(a and b and a != b for a, b in zip(wanted, found, strict=True)) or (found[2] and not wanted[2]):
        raise UsageError(f"--checkpoint {checkpoint}: wanted weights of {name}, got those of {origin.system}")
    recipe = system.recipe or origin.recipe or _DEFAULT_RECIPE
    recipe = _DEFAULT_RECIPE + recipe if recipe.startswith("~") else recipe
    return System(system.architecture, recipe, _DEFAULT_RECIPE, system.storage), origin


def unfit(checkpoint: Path, error: Exception, ask: str) -> UsageError:
    """What is said of weights that do not fit, in one line.

    Args:
        checkpoint: the file.
        error: of whoever loaded it.
        ask: what the user may have got wrong.
    """
    reason = " ".join(str(error).split()).removeprefix(f"{checkpoint}: ")
    return UsageError(f"--checkpoint {checkpoint}: {reason}; {ask}")


def _parts(system: System) -> tuple[str, str, str]:
    recipe = system.recipe if not system.recipe.startswith("~") else _DEFAULT_RECIPE + system.recipe
    return system.architecture, recipe, system.storage.name if system.storage else ""


def _parts_of(origin: WeightsMetadata) -> tuple[str, str, str]:
    return origin.architecture, origin.recipe, origin.storage
