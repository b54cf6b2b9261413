"""Reads sources in units: the records of one .gnt file, or one character's folder of images."""

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules._characters import NO_WRITER
from datamodules._errors import DataError, OnBad
from datamodules._image import with_channels
from datamodules.readers.archive import members
from datamodules.readers.casia_parts import Protocol, Source, character_of, is_image, role_of
from datamodules.readers.decode import decode_image
from datamodules.readers.gnt import SupportsRead, gnt_character, read_gnt_stream

# CASIA numbers HWDB1.0's writers from 001, HWDB1.1's from 1001, and the competition's again from C001.
COMPETITION_FIRST = 10_000
SKIP_ADVICE = "To skip bad records: bench data prepare ... --skip-bad-records."
UNNUMBERED_FIRST = 100_000  # files with other names: one writer per file, numbered by a hash of the name


@dataclass(frozen=True)
class Unit:
    """The smallest piece after which preparing can resume."""

    name: str  # of its file or folder, unique among the sources
    role: str  # ``train`` or ``test``
    writer: int  # NO_WRITER if several
    # Yields (character, uint8 (h, w)) in order, once; passes errors to its argument, or raises them if it is None.
    characters: Callable[[OnBad | None], Iterator[tuple[str, NDArray[np.uint8]]]]
    digest: Any = field(default_factory=hashlib.sha256)  # SHA-256 of the bytes read so far


def read_units(sources: Sequence[Source], protocol: Protocol, on_bad: OnBad | None = None) -> Iterator[Unit]:
    """All units of all sources; requesting the next unit closes the file of the previous one.

    Args:
        sources: see ``find_sources``.
        protocol: decides the role of members of an archive whose own name states none.
        on_bad: receives each error between the members of an archive, and reading continues at the next member; None
            raises the first.

    Raises:
        DataError: a damaged archive.
    """
    for source in sources:
        if source.kind == "images":
            yield _image_unit(source)
        elif source.kind == "gnt":
            with source.path.open("rb", buffering=0) as file:
                yield _gnt_unit(file, source.name, source.role)
        else:
            for member, stream in members(source.path, on_bad):
                role = source.role or role_of(member.name, protocol)
                if role and member.name.lower().endswith(".gnt"):
                    yield _gnt_unit(stream, f"{source.name}/{member.name}", role)


def writer_of(name: str) -> int:
    """The writer's number in a .gnt file's name, such as ``1001-c.gnt`` or ``C001-f.gnt``."""
    stem = name.rpartition("/")[2]
    number = re.match(r"(c?)(\d{1,4})(?!\d)", stem.lower())
    if number is None:
        return UNNUMBERED_FIRST + int(hashlib.sha256(stem.encode()).hexdigest()[:7], 16)
    return int(number[2]) + (COMPETITION_FIRST if number[1] else 0)


class _Digested:
    """A stream that adds the bytes read to a digest."""

    def __init__(self, file: SupportsRead, digest: Any) -> None:
        self.file, self.digest = file, digest

    def read(self, size: int, /) -> bytes:
        content = self.file.read(size)
        self.digest.update(content)
        return content


def _gnt_unit(file: SupportsRead, name: str, role: str) -> Unit:
    def characters(on_bad: OnBad | None) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        try:
            for record in read_gnt_stream(_Digested(file, unit.digest), name, on_bad):
                yield gnt_character(record.tag), record.image
        except DataError as error:  # also from the archive, whose streams always raise
            _report(error, on_bad)

    unit = Unit(name, role, writer_of(name), characters)
    return unit


def _image_unit(source: Source) -> Unit:
    def characters(on_bad: OnBad | None) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        character = character_of(source.path.name)
        assert character is not None  # find_sources required it
        for file in sorted(name for name in os.listdir(source.path) if is_image(name)):
            content = (source.path / file).read_bytes()
            unit.digest.update(content)
            try:
                image = decode_image(content, f"{source.name}/{file}")
            except DataError as error:
                _report(error, on_bad)
                continue
            yield character, np.ascontiguousarray(with_channels(image, 1))

    unit = Unit(source.name, source.role, NO_WRITER, characters)
    return unit


def _report(error: DataError, on_bad: OnBad | None) -> None:
    if on_bad is None:
        advice = f"{error.advice} {SKIP_ADVICE}".strip()
        raise DataError(error.file, error.offset, error.wanted, error.got, advice) from error
    on_bad(error)
