"""Font files as sources of glyphs: which characters each family has, and the pen strokes of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTCollection, TTFont
from numpy.typing import NDArray
from PIL import ImageFont

from datamodules._errors import DataError
from datamodules.synthetic.strokes import EM, Strokes, trace

SUFFIXES = (".ttf", ".otf", ".ttc", ".otc", ".woff")
BORDER = 4  # blank pixels around a glyph, as its skeleton needs
COMPARED = 20  # characters that must not all look alike

Place = tuple[Path, int]  # a font file, and the number of the font in it


@dataclass(frozen=True)
class FontFamily:
    """The fonts of one family and style, such as the subsets that web fonts are cut into.

    Attributes:
        name: of family and style.
        places: the font that has each character.
    """

    name: str
    places: Mapping[str, Place]

    @property
    def files(self) -> list[Path]:
        """The files that have any of the characters, sorted."""
        return sorted({path for path, _ in self.places.values()})

    def strokes(self, character: str) -> Strokes | None:
        """The pen strokes of a character; None if the family lacks it or its glyph is blank.

        Raises:
            DataError: the font cannot be drawn.
        """
        place = self.places.get(character)
        if place is None:
            return None
        try:
            return trace(_glyph(*place, character))
        except ValueError:  # blank, or a dot of a few pixels
            return None


def read_families(files: Iterable[Path], characters: Sequence[str]) -> list[FontFamily]:
    """The font families in these files that have any of the characters, sorted by name.

    A character that several files of a family have is taken from the first.

    Raises:
        DataError: a damaged font, or one whose glyphs all look alike.
    """
    families: dict[str, dict[str, Place]] = {}
    wanted = set(characters)
    for path in sorted(files):
        for number, font in enumerate(_fonts(path)):
            name, has = _name_and_characters(path, font)
            for character in has & wanted:
                families.setdefault(name, {}).setdefault(character, (path, number))
    found = [FontFamily(name, places) for name, places in sorted(families.items()) if places]
    for family in found:
        _check_glyphs_differ(family)
    return found


def _fonts(path: Path) -> list[TTFont]:
    try:
        if path.suffix.lower() in (".ttc", ".otc"):
            return list(TTCollection(BytesIO(path.read_bytes()), lazy=True).fonts)
        return [TTFont(BytesIO(path.read_bytes()), lazy=True)]
    except Exception as error:  # fontTools raises whatever its parser trips over
        raise _damaged(path, error) from error


def _name_and_characters(path: Path, font: TTFont) -> tuple[str, set[str]]:
    try:
        name = f"{font['name'].getBestFamilyName()} {font['name'].getBestSubFamilyName()}"
        return name, {chr(code) for code in font.getBestCmap() or {}}
    except Exception as error:
        raise _damaged(path, error) from error


def _glyph(path: Path, number: int, character: str) -> NDArray[np.uint8]:
    """A glyph at EM pixels to the em, uint8 (h, w), 1 where there is ink, with a blank border."""
    try:
        mask = _opened(path, number).getmask(character, mode="L")
    except Exception as error:  # FreeType's errors come as OSError, Pillow's own as others
        raise _damaged(path, error) from error
    width, height = mask.size
    drawn = np.frombuffer(bytes(mask), np.uint8).reshape(height, width)
    return np.pad((drawn > 127).astype(np.uint8), BORDER)


@lru_cache(maxsize=512)
def _opened(path: Path, number: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, EM, number, layout_engine=ImageFont.Layout.BASIC)  # the same on all machines


def _check_glyphs_differ(family: FontFamily) -> None:
    some = sorted(family.places)[:COMPARED]
    glyphs = {_glyph(*family.places[character], character).tobytes() for character in some}
    if len(some) > 1 and len(glyphs) == 1:
        got = f"the same glyph for {', '.join(some[:5])} …"
        raise DataError(family.files[0], 0, "a different glyph for each character", got, "Remove this font.")


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(path, 0, "a font file", f"{type(error).__name__}: {error}", "Remove it, or download it again.")
