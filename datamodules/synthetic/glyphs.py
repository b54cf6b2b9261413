"""Glyph sources: where synthetic writers take the shapes of characters from.

A writer follows one source throughout: the font that is built in, or one that the user brings: handwriting fonts, or
pen strokes in their true order.
"""

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from datamodules._errors import DataError
from datamodules._files import cache_folder, sha256, source_hash
from datamodules.readers.gb2312 import LEVEL1
from datamodules.readers.image_tree import is_hidden
from datamodules.synthetic import glyph_fonts as _glyph_fonts
from datamodules.synthetic import glyph_strokes as _glyph_strokes
from datamodules.synthetic import skeleton as _skeleton
from datamodules.synthetic import strokes as _strokes
from datamodules.synthetic.glyph_fonts import SUFFIXES, FontFamily, read_families
from datamodules.synthetic.glyph_strokes import StrokeFiles, is_stroke_file, read_stroke_files
from datamodules.synthetic.stroke_cache import load_plans, save_plans
from datamodules.synthetic.strokes import Strokes, strokes
from datamodules.synthetic.writer import stream

BUILT_IN_NAME = "built-in font"
SOURCE_STREAM = 0xFFFFFE  # above all code points and below the style's: its own random numbers
# Share of the writers that follow stroke data, if there are any; the rest are spread evenly over the fonts. Fonts give
# the running hand, strokes the true order. The share is chosen, not tuned.
STROKES_SHARE = 3 / 8
GET_SOURCES = (
    "npm install --prefix glyphs hanzi-writer-data @fontsource/ma-shan-zheng @fontsource/zhi-mang-xing "
    "@fontsource/liu-jian-mao-cao @fontsource/long-cang"
)
ADVICE = f"Get some with: {GET_SOURCES}"
_LOG = logging.getLogger(__name__)


class Source(Protocol):
    """A family of fonts or a folder of stroke data."""

    @property
    def name(self) -> str:
        """Shown to users."""
        ...

    @property
    def files(self) -> Sequence[Path]:
        """The files that are read, sorted."""
        ...

    def strokes(self, character: str) -> Strokes | None:
        """The pen strokes of a character; None if the source lacks it."""
        ...


@dataclass(frozen=True)
class Glyphs:
    """The sources of a set of synthetic writers, beside the font that is built in.

    Attributes:
        sources: sorted by name; empty for the built-in font alone.
    """

    sources: tuple[Source, ...] = ()
    _plans: dict[str, Mapping[str, Strokes]] = field(default_factory=dict, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without the strokes, which other processes read from the cache folder."""
        return {**self.__dict__, "_plans": {}}

    def plan(self, character: str, writer: int, seed: int) -> Strokes:
        """The strokes of a character in the source that a writer follows, or in the built-in font if that lacks it.

        Raises:
            ValueError: the built-in font has no such character.
            DataError: a damaged font.
        """
        source = self.source_of(writer, seed)
        plan = None if source is None else self._known(source).get(character)
        return strokes(character) if plan is None else plan

    def source_of(self, writer: int, seed: int) -> Source | None:
        """The source that a writer follows; None for the built-in font."""
        if not self.sources:
            return None
        drawn = [source for source in self.sources if isinstance(source, StrokeFiles)]
        fonts: list[Source | None] = [None, *(source for source in self.sources if source not in drawn)]
        rng = stream(seed, writer, SOURCE_STREAM, 0)
        if drawn and rng.random() < STROKES_SHARE:
            return drawn[int(rng.integers(len(drawn)))]
        return fonts[int(rng.integers(len(fonts)))]

    def missing(self, characters: Sequence[str]) -> dict[str, list[str]]:
        """The characters that each source lacks, by its name; the built-in font replaces them."""
        lacking = {one.name: [c for c in characters if c not in self._known(one)] for one in self.sources}
        return {name: lack for name, lack in lacking.items() if lack}

    @cached_property
    def digest(self) -> str:
        """Eight hexadecimal digits over the sources and the code that reads them; empty for the built-in font alone."""
        if not self.sources:
            return ""
        return hashlib.sha256("".join([*map(_digest, self.sources), traced_by()]).encode()).hexdigest()[:8]

    def _known(self, source: Source) -> Mapping[str, Strokes]:
        """All level-1 characters of a source, from the cache folder, or read once and kept there."""
        if source.name not in self._plans:
            path = cache_folder() / "glyphs" / f"{_digest(source)}-{traced_by()}.npz"
            plans = load_plans(path)
            if plans is None:
                _LOG.info("reading the strokes of %s, once", source.name)
                found = {character: source.strokes(character) for character in LEVEL1}
                plans = {character: plan for character, plan in found.items() if plan is not None}
                save_plans(path, plans)
            self._plans[source.name] = plans
        return self._plans[source.name]


BUILT_IN = Glyphs()


def find_glyphs(folders: Iterable[Path]) -> Glyphs:
    """The sources below these folders: font files, and stroke data in JSON.

    Raises:
        DataError: a folder without any for level-1 characters, two different sources of one name, or a damaged file.
    """
    sources: dict[str, Source] = {}
    for folder in folders:
        if not folder.is_dir():
            got = "a file" if folder.exists() else "nothing there"
            raise DataError(folder, 0, "a folder of fonts or stroke data", got, ADVICE)
        paths = sorted(folder.rglob("*"))
        files = [path for path in paths if path.is_file() and not is_hidden(path.relative_to(folder))]
        found: list[Source] = [
            *read_stroke_files(filter(is_stroke_file, files), LEVEL1),
            *read_families([path for path in files if path.suffix.lower() in SUFFIXES], LEVEL1),
        ]
        if not found:
            wanted = "fonts (TTF, OTF, WOFF, collections) or stroke data (JSON) of GB2312 level-1 characters"
            raise DataError(folder, 0, wanted, f"none in {len(files)} files", ADVICE)
        for source in found:
            other = sources.setdefault(source.name, source)
            if other is not source and _digest(other) != _digest(source):
                got = f"two called {source.name!r}, the other at {other.files[0].parent}"
                raise DataError(source.files[0].parent, 0, "sources of different names", got, "Rename or remove one.")
    return Glyphs(tuple(sources[name] for name in sorted(sources)))


def traced_by() -> str:
    """The hash of the code that traces glyphs, part of the names of their caches."""
    return source_hash(_strokes, _skeleton, _glyph_fonts, _glyph_strokes)


def _digest(source: Source) -> str:
    read = "".join(str(sha256(path)) for path in source.files)
    drawn_with = f"pillow {version('pillow')}" if isinstance(source, FontFamily) else ""
    return hashlib.sha256(f"{source.name} {read} {drawn_with}".encode()).hexdigest()[:16]
