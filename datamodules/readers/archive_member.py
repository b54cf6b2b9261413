"""One member of an archive as a stream: unpacked while it is read, measured and checksummed on the way."""

import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from datamodules._errors import DataError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer  # there for type checkers alone

CHUNK = 1 << 16  # bytes handled at a time, packed or unpacked
# Real handwriting deflates to a half or a quarter (measured: 2.4 to 3.9 times); deflate itself ends at 1,032 times.
LARGEST_RATIO = 100
FREE = 1 << 26  # bytes that even the smallest archive may unpack to: blank paper deflates better than handwriting
LARGEST_TOTAL = 1 << 36  # bytes; HWDB1.0 to 1.2, 3.9 million characters of some 5.5 kB, are a third of it
STORED, DEFLATED = "stored", "deflate"


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive.

    Attributes:
        name: its path in there, with forward slashes.
        size: bytes it unpacks to, as the archive states; reading checks it.
        where: the archive's path and the name, as messages give it.
        offset: of its header in the archive that holds it.
    """

    name: str
    size: int
    where: str
    offset: int


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive being read, and how its faults are worded.

    Attributes:
        file: on disk.
        tool: program that unpacks the kind.
        refused: endings of the archives that are not entered inside it.
        inside: where the archive is itself a member: its name, and ``offset`` of its header in ``file``.
    """

    file: Path
    tool: str
    refused: tuple[str, ...]
    inside: str = ""
    offset: int = 0

    @property
    def where(self) -> str:
        """The archive as messages give it."""
        return f"{self.file}/{self.inside}" if self.inside else str(self.file)

    def fault(self, offset: int, wanted: str, got: str, advice: str = "") -> DataError:
        """A fault at a byte of this archive; the error's own offset is one of the file on disk."""
        if self.inside:
            return DataError(self.file, self.offset, wanted, f"{got}, at byte {offset} of {self.inside}", advice)
        return DataError(self.file, offset, wanted, got, advice)


@dataclass(frozen=True, slots=True)
class Entry:
    """What an archive's header says of a member: nothing of it is trusted.

    Attributes:
        offset: of the header in its archive.
        name: as written.
        folder: is it one.
        encrypted: is it.
        method: STORED, DEFLATED, or the words for another.
        packed: bytes it takes.
        size: bytes it unpacks to.
        crc: CRC-32 of those.
    """

    offset: int
    name: str
    folder: bool
    encrypted: bool
    method: str
    packed: int
    size: int
    crc: int


class Allowance:
    """How much one download may still unpack to, over all members and levels, so that no bomb goes off.

    Args:
        packed: bytes of the file on disk.
    """

    def __init__(self, packed: int) -> None:
        self.total = self.left = min(LARGEST_TOTAL, FREE + LARGEST_RATIO * packed)


class Faults:
    """Raises each fault, or hands it to ``on_bad`` once where that is given."""

    def __init__(self, on_bad: Callable[[DataError], None] | None) -> None:
        self.on_bad = on_bad
        self.known: DataError | None = None  # the last one; a broken stream repeats its fault

    def report(self, fault: DataError) -> None:
        """Raise a fault, or hand it over where that has not been done."""
        if self.on_bad is None:
            raise fault
        if fault is not self.known:
            self.known = fault
            self.on_bad(fault)


class Unpacking(io.RawIOBase):
    """The unpacked bytes of a member; once it has failed it fails again, and never looks ended.

    Args:
        archive: that holds it.
        entry: its header.
        packed: its packed bytes, piece by piece.
        allowance: of the whole download.
    """

    def __init__(self, archive: Archive, entry: Entry, packed: Iterator[bytes], allowance: Allowance) -> None:
        super().__init__()
        self.failed: DataError | None = None
        self._pieces = _checked(archive, entry, packed, allowance)
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill the buffer's start; 0 at the end.

        Raises:
            DataError: damage, a size or CRC-32 that is not the header's, or more bytes than allowed.
        """
        if self.failed is not None:
            raise self.failed
        if not self._piece:
            try:
                self._piece = memoryview(next(self._pieces, b""))
            except DataError as fault:
                self.failed = fault
                raise
        room = memoryview(buffer).cast("B")
        count = min(len(room), len(self._piece))
        room[:count] = self._piece[:count]
        self._piece = self._piece[count:]
        return count


def refusal(archive: Archive, entry: Entry, allowance: Allowance) -> DataError | None:
    """Why a member is not read, by its header alone; None where nothing speaks against it."""
    name = clean(entry.name)
    path = PurePosixPath(name)
    elsewhere = path.is_absolute() or ".." in path.parts or name[1:2] == ":"
    unpack = f"Unpack the archive with {archive.tool} and give the folder."
    if elsewhere or "\0" in name:
        return archive.fault(entry.offset, "a path inside the archive", f"member {entry.name!r}", "Do not trust it.")
    if entry.folder:
        return None
    if not path.name:
        return archive.fault(entry.offset, "a named member", f"{entry.name!r}", "Fetch the archive again.")
    if name.lower().endswith(archive.refused):
        return archive.fault(entry.offset, "files of data", f"the archive {name} inside", unpack)
    if entry.encrypted:
        return archive.fault(entry.offset, "a readable member", f"{name}, which is encrypted", unpack)
    if entry.method not in (STORED, DEFLATED):
        return archive.fault(entry.offset, f"{STORED} or {DEFLATED}", f"{name}, packed by {entry.method}", unpack)
    if entry.size > allowance.left:
        return _bomb(archive, entry, allowance)
    return None


def clean(name: str) -> str:
    """A member's name with forward slashes; some archivers write the other kind."""
    return name.replace("\\", "/")


def _checked(archive: Archive, entry: Entry, packed: Iterator[bytes], allowance: Allowance) -> Iterator[bytes]:
    """Unpack, and give the last piece only when the whole agrees with its header."""
    name, total, crc = clean(entry.name), 0, 0
    again = "Fetch the archive again."
    for piece in packed if entry.method == STORED else _inflate(archive, entry, packed):
        total += len(piece)
        allowance.left -= len(piece)
        if allowance.left < 0:
            raise _bomb(archive, entry, allowance)
        if total > entry.size:
            raise archive.fault(entry.offset, f"{entry.size} bytes in {name}", "more", again)
        crc = zlib.crc32(piece, crc)
        if total == entry.size and crc != entry.crc:
            break
        yield piece
    if total < entry.size:
        raise archive.fault(entry.offset, f"{entry.size} bytes in {name}", f"{total}, then the end", again)
    if crc != entry.crc:
        raise archive.fault(entry.offset, f"CRC-32 {entry.crc:08x} of {name}", f"{crc:08x}: it is damaged", again)


def _inflate(archive: Archive, entry: Entry, packed: Iterator[bytes]) -> Iterator[bytes]:
    decoder = zlib.decompressobj(-zlib.MAX_WBITS)  # negative: raw deflate, without zlib's header
    for piece in packed:
        while piece and not decoder.eof:
            try:
                unpacked = decoder.decompress(piece, CHUNK)
            except zlib.error as error:
                wanted, got = f"deflated bytes in {clean(entry.name)}", f"damage ({error})"
                raise archive.fault(entry.offset, wanted, got, "Fetch the archive again.") from error
            piece = decoder.unconsumed_tail
            if unpacked:
                yield unpacked
    while unpacked := decoder.decompress(decoder.unconsumed_tail, CHUNK):  # what the last piece still holds back
        yield unpacked


def _bomb(archive: Archive, entry: Entry, allowance: Allowance) -> DataError:
    wanted = f"an archive that unpacks to at most {allowance.total} bytes"
    return archive.fault(entry.offset, wanted, f"more, at {clean(entry.name)}", "It may be a zip bomb.")
