"""One member of an archive as a stream: unpacks while it is read, then checks size and CRC-32."""

import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from datamodules._errors import DataError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer  # exists for type checkers only

CHUNK = 1 << 16  # bytes handled at a time, packed or unpacked
# Real handwriting deflates to a half or a quarter (measured: 2.4 to 3.9 times); deflate reaches at most 1,032 times.
LARGEST_RATIO = 100
FREE = 1 << 26  # bytes that even the smallest archive may unpack to: blank paper deflates better than handwriting
LARGEST_TOTAL = 1 << 36  # bytes; HWDB1.0 to 1.2, 3.9 million characters of about 5.5 kB, are a third of it
STORED, DEFLATED = "stored", "deflate"
AGAIN = "Fetch the archive again."


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive."""

    name: str  # path inside the archive, with forward slashes
    size: int  # unpacked bytes as the archive states them; verified by reading to the end
    where: str  # path of the archive and the name, for messages
    offset: int  # of the member's header in the archive that directly contains it


class Download:
    """A file of ``size`` bytes on disk: reports its faults, and limits what it may unpack to, against zip bombs.

    The limit spans all members and nested archives. ``on_bad`` receives each fault once; None raises it.
    """

    def __init__(self, path: Path, size: int, on_bad: Callable[[DataError], None] | None) -> None:
        self.path, self.on_bad = path, on_bad
        self.limit = self.left = min(LARGEST_TOTAL, FREE + LARGEST_RATIO * size)
        self.reported: DataError | None = None  # the last fault; a broken stream raises the same one again

    def report(self, fault: DataError) -> None:
        """Raise a fault, or pass it to ``on_bad`` unless it was the last one reported."""
        if self.on_bad is None:
            raise fault
        if fault is not self.reported:
            self.reported = fault
            self.on_bad(fault)


@dataclass(frozen=True, slots=True)
class Entry:
    """A member's header; nothing in it is trusted."""

    offset: int  # of the header in its archive
    name: str  # as written
    folder: bool
    encrypted: bool
    method: str  # STORED, DEFLATED, or words for another method
    packed: int  # bytes
    size: int  # unpacked bytes
    crc: int  # CRC-32 of the unpacked bytes

    @property
    def path(self) -> str:
        """The name with forward slashes; some archivers write backslashes."""
        return self.name.replace("\\", "/")


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that is being read, and the wording of its faults."""

    download: Download  # the file on disk
    tool: str  # program that unpacks this format
    refused: tuple[str, ...]  # suffixes of nested archives that are not opened
    inside: str = ""  # name of this archive in the outer zip, if any
    offset: int = 0  # of its header there

    @property
    def where(self) -> str:
        """The archive as messages name it."""
        return f"{self.download.path}/{self.inside}" if self.inside else str(self.download.path)

    def fault(self, offset: int, wanted: str, got: str, advice: str = AGAIN) -> DataError:
        """An error at a byte of this archive; the error's own offset refers to the file on disk."""
        if self.inside:
            got, offset = f"{got}, at byte {offset} of {self.inside}", self.offset
        return DataError(self.download.path, offset, wanted, got, advice)

    def refusal(self, entry: Entry) -> DataError | None:
        """Why the header alone forbids reading a member; None if it may be read."""
        name, path, fault = entry.path, PurePosixPath(entry.path), partial(self.fault, entry.offset)
        unpack = f"Unpack the archive with {self.tool} and give the folder."
        if path.is_absolute() or ".." in path.parts or name[1:2] == ":" or "\0" in name:
            return fault("a path inside the archive", f"member {entry.name!r}", "Do not trust it.")
        if entry.folder:
            return None
        if not path.name:
            return fault("a named member", f"{entry.name!r}")
        if name.lower().endswith(self.refused):
            return fault("data files", f"the archive {name} inside", unpack)
        if entry.encrypted:
            return fault("a readable member", f"{name}, which is encrypted", unpack)
        if entry.method not in (STORED, DEFLATED):
            return fault(f"{STORED} or {DEFLATED}", f"{name}, packed by {entry.method}", unpack)
        return _bomb(self, entry) if entry.size > self.download.left else None


class Unpacking(io.RawIOBase):
    """The unpacked bytes of a member, from pieces of its packed bytes; after an error every read raises it again."""

    def __init__(self, archive: Archive, entry: Entry, packed: Iterator[bytes]) -> None:
        super().__init__()
        self.failed: DataError | None = None
        self._pieces = _checked(archive, entry, packed)
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill the start of the buffer; 0 at the end.

        Raises:
            DataError: damage, a size or CRC-32 that differs from the header, or more bytes than allowed.
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


def _checked(archive: Archive, entry: Entry, packed: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack; the last piece is yielded only if size and CRC-32 agree with the header."""
    total, crc = 0, 0
    for piece in packed if entry.method == STORED else _inflate(archive, entry, packed):
        total += len(piece)
        archive.download.left -= len(piece)
        if archive.download.left < 0:
            raise _bomb(archive, entry)
        if total > entry.size:
            raise archive.fault(entry.offset, f"{entry.size} bytes in {entry.path}", "more")
        crc = zlib.crc32(piece, crc)
        if total == entry.size and crc != entry.crc:
            break
        yield piece
    if total < entry.size:
        raise archive.fault(entry.offset, f"{entry.size} bytes in {entry.path}", f"{total}, then the end")
    if crc != entry.crc:
        raise archive.fault(entry.offset, f"CRC-32 {entry.crc:08x} of {entry.path}", f"{crc:08x}: it is damaged")


def _inflate(archive: Archive, entry: Entry, packed: Iterator[bytes]) -> Iterator[bytes]:
    decoder = zlib.decompressobj(-zlib.MAX_WBITS)  # negative: raw deflate, without zlib's header
    for piece in packed:
        while piece and not decoder.eof:
            try:
                unpacked = decoder.decompress(piece, CHUNK)
            except zlib.error as error:
                raise archive.fault(entry.offset, f"deflated bytes in {entry.path}", f"damage ({error})") from error
            piece = decoder.unconsumed_tail
            if unpacked:
                yield unpacked
    while unpacked := decoder.decompress(decoder.unconsumed_tail, CHUNK):  # what the decoder still buffers
        yield unpacked


def _bomb(archive: Archive, entry: Entry) -> DataError:
    wanted = f"an archive that unpacks to at most {archive.download.limit} bytes"
    return archive.fault(entry.offset, wanted, f"more, at {entry.path}", "It may be a zip bomb.")
