"""Small fonts and stroke data for tests, made at test time."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

Box = tuple[int, int, int, int]  # left, bottom, right, top; 1000 units to the em


def write_font(path: Path, glyphs: Mapping[str, Sequence[Box]], family: str = "Test Hand") -> Path:
    """A TrueType font whose glyphs are filled boxes; ``.woff`` if the path says so."""
    names = {character: f"glyph{number}" for number, character in enumerate(glyphs)}
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap({ord(character): name for character, name in names.items()})
    drawn = {".notdef": _outline([(100, 0, 200, 500)])}
    drawn.update({name: _outline(glyphs[character]) for character, name in names.items()})
    builder.setupGlyf(drawn)
    builder.setupHorizontalMetrics(dict.fromkeys(drawn, (1000, 0)))
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=880, usWinAscent=880, usWinDescent=120)
    builder.setupPost()
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".woff":
        builder.font.flavor = "woff"
    builder.save(path)
    return path


def write_strokes(path: Path, medians: Sequence[Sequence[tuple[int, int]]]) -> Path:
    """A file of stroke data for the character that is the file's stem; 1024 units to the em, y upwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"strokes": [], "medians": medians}), encoding="utf-8")
    return path


def _outline(boxes: Sequence[Box]):
    pen = TTGlyphPen(None)
    for left, bottom, right, top in boxes:
        pen.moveTo((left, bottom))
        for point in ((left, top), (right, top), (right, bottom)):
            pen.lineTo(point)
        pen.closePath()
    return pen.glyph()
