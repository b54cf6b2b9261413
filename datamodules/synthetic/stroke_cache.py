"""Keeps the strokes of many characters in one file: tracing glyphs takes milliseconds each."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from datamodules._files import whole_file
from datamodules.synthetic.strokes import Strokes

_FIELDS = tuple(field.name for field in fields(Strokes))


def save_plans(path: Path, plans: Mapping[str, Strokes]) -> None:
    """Write the strokes of characters: the concatenated fields, and the length of each character's part of them."""
    arrays = {"characters": np.array([ord(character) for character in plans], np.int64)}
    for name in _FIELDS:
        parts = [getattr(plan, name) for plan in plans.values()]
        arrays[f"{name}_lengths"] = np.array([len(part) for part in parts], np.int64)
        if parts:
            arrays[name] = np.concatenate(parts)
    with whole_file(path) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def load_plans(path: Path) -> dict[str, Strokes] | None:
    """The strokes of characters; None if the file does not exist or is damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        parts = {name: np.split(arrays[name], np.cumsum(arrays[f"{name}_lengths"])[:-1]) for name in _FIELDS}
        return {
            chr(code): Strokes(**{name: parts[name][index] for name in _FIELDS})
            for index, code in enumerate(arrays["characters"].tolist())
        }
    except (OSError, ValueError, KeyError, EOFError, IndexError, BadZipFile):
        return None
