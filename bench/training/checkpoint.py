"""Checks that a ``--checkpoint`` file belongs to the named system, before loading its weights."""

from pathlib import Path

from bench.system import System, parse_system
from bench.training.weights_metadata import WeightsMetadata, read_metadata
from datamodules._errors import UsageError

_DEFAULT_RECIPE = "light"
_HINT = "pass the weights.safetensors that bench run writes below runs/"


def check_checkpoint(name: str, checkpoint: Path) -> tuple[System, WeightsMetadata]:
    """Parse the system's name, and read the checkpoint's metadata.

    The tensors alone do not identify a system: variants that differ only in strides or training have the same shapes.
    The checkpoint, safetensors or packed, supplies a recipe that the name leaves out.

    Raises:
        UnknownPlugin: no such system.
        UsageError: no such file, or weights of another architecture, recipe or storage.
        DataError: not a file of weights; a file that could run code is never opened.
    """
    system = parse_system(name, "")  # the recipe stays empty if the name has none
    if not checkpoint.exists():
        raise UsageError(f"--checkpoint {checkpoint}: no such file; {_HINT}")
    if checkpoint.is_dir():
        raise UsageError(f"--checkpoint {checkpoint}: is a folder; {_HINT}")
    metadata = read_metadata(checkpoint)
    recipe = _DEFAULT_RECIPE + system.recipe if system.recipe.startswith("~") else system.recipe
    wanted = system.architecture, recipe, system.storage.name if system.storage else ""
    stored = metadata.architecture, metadata.recipe, metadata.storage
    if any(a and b and a != b for a, b in zip(wanted, stored, strict=True)) or (stored[2] and not wanted[2]):
        raise UsageError(f"--checkpoint {checkpoint}: wanted weights of {name}, got those of {metadata.system}")
    recipe = recipe or metadata.recipe or _DEFAULT_RECIPE
    recipe = _DEFAULT_RECIPE + recipe if recipe.startswith("~") else recipe
    return System(system.architecture, recipe, _DEFAULT_RECIPE, system.storage), metadata


def unfit(checkpoint: Path, error: Exception, hint: str) -> UsageError:
    """A one-line UsageError for weights that do not fit: the loader's ``error``, and a ``hint`` at its cause."""
    reason = " ".join(str(error).split()).removeprefix(f"{checkpoint}: ")
    return UsageError(f"--checkpoint {checkpoint}: {reason}; {hint}")
