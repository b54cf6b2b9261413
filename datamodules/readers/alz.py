r"""ALZ archives, as HWDB's zips hold them: tagged records end to end, all numbers little-endian.

``ALZ\1`` opens the archive, ``BLZ\1`` a member, ``ELZ\1`` the comments, ``CLZ\1`` the directory, ``CLZ\2`` ends it.
A member: uint16 length of its name, attribute byte, uint32 DOS time, descriptor byte (high four bits: bytes a size
takes; lowest bit: encrypted), a byte of unknown meaning; where sizes take any bytes: method byte, an unknown byte,
uint32 CRC-32, packed and unpacked size; then the name and the packed bytes.
Source: the format's reverse-engineered description by the authors of unalz-rs; checked against Debian's unalz 0.65.
"""

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

from datamodules._errors import DataError
from datamodules.readers.archive_member import (
    CHUNK,
    DEFLATED,
    STORED,
    Allowance,
    Archive,
    Entry,
    Faults,
    Member,
    Unpacking,
    clean,
    refusal,
)

TOOL = "Debian's unalz"
START, MEMBER, COMMENTS, DIRECTORY, END = b"ALZ\1", b"BLZ\1", b"ELZ\1", b"CLZ\1", b"CLZ\2"
SPLIT = b"CLZ\3"
START_REST = 4  # version and identification
DIRECTORY_REST = 12  # of unknown meaning
HEAD = struct.Struct("<HBIBB")  # length of name, attribute, time, descriptor, unknown
PACKING = struct.Struct("<BBI")  # method, unknown, CRC-32
COMMENT = struct.Struct("<4sH")  # number of the member, length
FOLDER = 0x10  # attribute bit
ENCRYPTED = 0x01  # descriptor bit
ENCRYPTION_HEADER = 12  # bytes between name and packed bytes, not counted among them
WIDTHS = (0, 1, 2, 4, 8)  # bytes a size takes; 0: nothing is stored, a folder or an empty file
METHODS = {0: STORED, 1: "bzip2 as ALZ changed it", 2: DEFLATED}
AGAIN = f"Fetch the archive again; one in volumes (.a00, .a01, ...) is put together by {TOOL}."


def alz_members(
    archive: Archive, file: BinaryIO, allowance: Allowance, faults: Faults
) -> Iterator[tuple[Member, BinaryIO]]:
    """The member files of an ALZ archive read forwards, each with a stream that lives until the next is asked for."""
    source = _Source(archive, file)
    try:
        _open(source)
        while (entry := _next_entry(source)) is not None:
            packed = source.pieces(entry.packed)
            why_not = refusal(archive, entry, allowance)
            if why_not is not None:
                faults.report(why_not)
            elif not entry.folder:
                unpacking = Unpacking(archive, entry, packed, allowance)
                name = clean(entry.name)
                with io.BufferedReader(unpacking, CHUNK) as stream:
                    yield Member(name, entry.size, f"{archive.where}/{name}", entry.offset), stream
                faults.known = unpacking.failed or faults.known
            for _ in packed:  # what was not read
                pass
    except DataError as fault:
        faults.report(fault)


class _Source:
    """Reads an archive forwards and knows where it is; cut short it stays so."""

    def __init__(self, archive: Archive, file: BinaryIO) -> None:
        self.archive, self.file, self.position = archive, file, 0
        self.cut: DataError | None = None

    def take(self, count: int, what: str) -> bytes:
        """So many bytes: at most a name's or a chunk's, never what a size field asks for."""
        if self.cut is not None:
            raise self.cut
        content = self.file.read(count)
        if len(content) < count:
            self.cut = self.archive.fault(self.position, what, f"{len(content)} bytes, then the end", AGAIN)
            raise self.cut
        self.position += count
        return content

    def pieces(self, count: int) -> Iterator[bytes]:
        """So many bytes, by chunks."""
        while count:
            piece = self.take(min(count, CHUNK), f"{count} more packed bytes of a member")
            count -= len(piece)
            yield piece


def _open(source: _Source) -> None:
    start = source.take(len(START), "an ALZ archive")
    if start != START:
        raise source.archive.fault(0, "an ALZ archive", start.hex(" "), AGAIN)
    source.take(START_REST, "the rest of the archive's header")


def _next_entry(source: _Source) -> Entry | None:
    """The next member's header; None at the archive's end."""
    offset = source.position
    kind = source.take(4, "a record that ends the archive")
    if kind == COMMENTS:
        while (kind := source.take(4, "a comment or the directory")) not in (DIRECTORY, END):
            _, length = COMMENT.unpack(kind + source.take(2, "the length of a comment"))
            source.take(length, "a comment")
    if kind == DIRECTORY:
        source.take(DIRECTORY_REST, "the directory")
        kind = source.take(4, "a record that ends the archive")
    if kind == END:
        return None
    if kind == SPLIT:
        raise source.archive.fault(offset, "a whole archive", "the end of a volume of several", AGAIN)
    if kind != MEMBER:
        raise source.archive.fault(offset, "a member, or the archive's end", kind.hex(" "), AGAIN)
    return _entry(source, offset)


def _entry(source: _Source, offset: int) -> Entry:
    length, attribute, _, descriptor, _ = HEAD.unpack(source.take(HEAD.size, "a member's header"))
    width = descriptor >> 4
    if width not in WIDTHS:
        wanted = "sizes of 0, 1, 2, 4 or 8 bytes"
        raise source.archive.fault(offset, wanted, f"of {width} bytes", AGAIN)
    method, packed, size, crc = 0, 0, 0, 0
    if width:
        method, _, crc = PACKING.unpack(source.take(PACKING.size, "a member's method and CRC-32"))
        packed, size = (int.from_bytes(source.take(width, "a member's size"), "little") for _ in range(2))
    name = source.take(length, f"a name of {length} bytes")
    encrypted = bool(descriptor & ENCRYPTED)
    packed += ENCRYPTION_HEADER if encrypted else 0
    words = METHODS.get(method, f"method {method}")
    return Entry(offset, _text(name), bool(attribute & FOLDER), encrypted, words, packed, size, crc)


def _text(name: bytes) -> str:
    """Archives do not say whether a name is UTF-8 or Korean CP949; what is neither is kept byte by byte."""
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("cp949", "backslashreplace")
