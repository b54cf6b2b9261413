"""Stroke data as a source of glyphs: the JSON files of Make Me a Hanzi and hanzi-writer-data.

Each character has ``medians``: the middle line of every pen stroke, in writing order and direction, as [x, y] with
1,024 units to the em and y upwards.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datamodules._errors import DataError
from datamodules.synthetic.strokes import CANVAS, EM, THICKNESS, Strokes, assemble

UNITS = 1024  # to the em
TOP = 900  # y of the em's upper side: https://github.com/skishore/makemeahanzi, "graphics.txt"
GRAPHICS = "graphics.txt"  # Make Me a Hanzi: one JSON object a line, with ``character`` and ``medians``
MOST_POINTS = 10_000  # of one character; the real ones have fewer than 500

Median = NDArray[np.float64]  # (n, 2), x and y, pixels of a canvas of CANVAS pixels with an em of EM pixels


@dataclass(frozen=True)
class StrokeFiles:
    """The medians of the characters of one folder of stroke data."""

    name: str
    files: Sequence[Path]
    medians: Mapping[str, Sequence[Median]]

    def strokes(self, character: str) -> Strokes | None:
        """The pen strokes of a character, in true order and direction; None if there are none."""
        medians = self.medians.get(character)
        if not medians:
            return None
        lines = np.zeros((CANVAS, CANVAS), np.uint8)
        drawn = [median.round().astype(np.int32).reshape(-1, 1, 2) for median in medians]
        cv2.polylines(lines, drawn, False, 1, round(THICKNESS * EM))
        return assemble(medians, lines, in_order=True)


def is_stroke_file(path: Path) -> bool:
    """Whether a file's name is that of stroke data: ``graphics.txt``, or one character and ``.json``."""
    return path.name == GRAPHICS or (path.suffix == ".json" and len(path.stem) == 1)


def read_stroke_files(files: Iterable[Path], characters: Sequence[str]) -> list[StrokeFiles]:
    """The stroke data in these files, one source per folder that has any of the characters, sorted.

    Raises:
        DataError: a damaged file.
    """
    wanted, folders = set(characters), dict[Path, tuple[list[Path], dict[str, list[Median]]]]()
    for path in sorted(files):
        if path.name != GRAPHICS and path.stem not in wanted:
            continue
        used, medians = folders.setdefault(path.parent, ([], {}))
        found = {one: lines for one, lines in _characters(path) if one in wanted}
        if found:
            used.append(path)
            medians.update(found)
    return [
        StrokeFiles(f"strokes {folder.name}", used, medians)
        for folder, (used, medians) in sorted(folders.items())
        if medians
    ]


def _characters(path: Path) -> Iterator[tuple[str, list[Median]]]:
    number = 0
    try:
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines() if path.name == GRAPHICS else [text]
        for number, line in enumerate(lines, 1):  # noqa: B007  # for the message
            document = json.loads(line)
            character = document["character"] if path.name == GRAPHICS else path.stem
            if not isinstance(character, str):
                raise ValueError("a character that is no text")
            yield character, [_median(points) for points in document["medians"]]
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        wanted = "a JSON object with medians, a list of [x, y] for each stroke"
        got = f"{type(error).__name__}: {error}, in line {number}"
        raise DataError(path, 0, wanted, got, "Download it again.") from error


def _median(points: Any) -> Median:
    array = np.array(points, np.float64)
    if array.ndim != 2 or array.shape[1] != 2 or not 1 <= len(array) <= MOST_POINTS:
        raise ValueError(f"a stroke of shape {array.shape}")
    if not (np.abs(array) < 4 * UNITS).all():
        raise ValueError("a point far outside the em square")
    scaled = np.stack([array[:, 0], TOP - array[:, 1]], 1) * (EM / UNITS) + (CANVAS - EM) / 2
    inside = np.clip(scaled, 0, CANVAS - 1)
    return inside if len(inside) > 1 else np.repeat(inside, 2, 0)
