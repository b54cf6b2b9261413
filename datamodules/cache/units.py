"""What sources give, a unit at a time: the records of one .gnt file, or one character's folder of images."""

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules._characters import NO_WRITER
from datamodules._errors import DataError
from datamodules.readers.archive import members
from datamodules.readers.casia_parts import Protocol, Source, character_of, is_image, role_of
from datamodules.readers.gnt import SupportsRead, gnt_character, read_gnt_stream

OnBad = Callable[[DataError], None]
# CASIA numbers HWDB1.0's writers from 001, HWDB1.1's from 1001, and the competition's again from C001.
COMPETITION_FIRST = 10_000
SKIP_ADVICE = "To leave bad records out: bench data prepare ... --skip-bad-records."
UNNUMBERED_FIRST = 100_000  # files of other names: one writer a file, numbered by a hash of the name


@dataclass(frozen=True)
class Unit:
    """The smallest piece that preparing resumes at.

    Attributes:
        name: of its file or folder, unique among the sources.
        role: ``train`` or ``test``.
        writer: its number, NO_WRITER where several wrote it.
        characters: reads it once: (character, image of uint8 (h, w)) in order; a problem goes to the function given,
            or is raised where that is None.
        digest: SHA-256 of what has been read.
    """

    name: str
    role: str
    writer: int
    characters: Callable[[OnBad | None], Iterator[tuple[str, NDArray[np.uint8]]]]
    digest: Any = field(default_factory=hashlib.sha256)


def read_units(sources: Sequence[Source], protocol: Protocol, on_bad: OnBad | None = None) -> Iterator[Unit]:
    """All units of all sources; each is to be read, or left, before the next is asked for.

    Args:
        sources: what a data root holds.
        protocol: says which part a member belongs to where its archive's own name does not.
        on_bad: takes what is wrong between the members of an archive, and reading goes on at the next one; without
            it the first is raised.

    Raises:
        DataError: a damaged archive.
    """
    for source in sources:
        if source.kind == "images":
            yield _image_unit(source)
        elif source.kind == "gnt":
            with ExitStack() as stack:
                yield _gnt_unit(stack.enter_context(source.path.open("rb", buffering=0)), source.name, source.role)
        else:
            for member, file in members(source.path, on_bad):
                role = source.role or role_of(member.name, protocol)
                if role and member.name.lower().endswith(".gnt"):
                    yield _gnt_unit(file, f"{source.name}/{member.name}", role)


def writer_of(name: str) -> int:
    """The writer's number in a .gnt file's name, such as ``1001-c.gnt`` or ``C001-f.gnt``."""
    stem = name.rpartition("/")[2]
    found = re.match(r"(c?)(\d{1,4})(?!\d)", stem.lower())
    if found is None:
        return UNNUMBERED_FIRST + int(hashlib.sha256(stem.encode()).hexdigest()[:7], 16)
    return int(found[2]) + (COMPETITION_FIRST if found[1] else 0)


class _Digested:
    """A stream whose bytes pass a digest on their way."""

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
        except DataError as error:  # also from the archive: its streams raise in any case
            _report(error, on_bad)

    unit = Unit(name, role, writer_of(name), characters)
    return unit


def _image_unit(source: Source) -> Unit:
    # These load torch, which records of .gnt files need not wait for.
    from datamodules._image import with_channels
    from datamodules.readers.decode import decode_image

    def characters(on_bad: OnBad | None) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        character = character_of(source.path.name)
        assert character is not None  # found by it
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
