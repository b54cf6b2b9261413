r"""Reads ALZ archives, as HWDB's zips contain them: tagged records end to end, all numbers little-endian.

``ALZ\1`` opens the archive, ``BLZ\1`` a member, ``ELZ\1`` the comments, ``CLZ\1`` the directory, ``CLZ\2`` ends it.
A member: uint16 length of its name, attribute byte, uint32 DOS time, descriptor byte (high four bits: bytes per size
field; lowest bit: encrypted), a byte of unknown meaning; if size fields exist: method byte, an unknown byte,
uint32 CRC-32, packed and unpacked size; then the name and the packed bytes.
Source: the format's reverse-engineered description by the authors of unalz-rs; checked against Debian's unalz 0.65.
"""

import io
import struct
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

from datamodules._errors import DataError
from datamodules.readers.archive_member import CHUNK, DEFLATED, STORED, Archive, Entry, Member, Unpacking

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
WIDTHS = (0, 1, 2, 4, 8)  # bytes per size field; 0: nothing is stored, a folder or an empty file
METHODS = {0: STORED, 1: "bzip2 as ALZ changed it", 2: DEFLATED}
AGAIN = f"Fetch the archive again; {TOOL} joins archives in volumes (.a00, .a01, ...)."


def alz_members(archive: Archive, file: BinaryIO) -> Iterator[tuple[Member, BinaryIO]]:
    """The files in an ALZ archive, read forwards, each with a stream that is closed when the next is requested."""
    source = _Source(archive, file)
    try:
        start = source.take(len(START), "an ALZ archive")
        if start != START:
            raise archive.fault(0, "an ALZ archive", start.hex(" "), AGAIN)
        source.take(START_REST, "the rest of the archive's header")
        while (entry := _next_entry(source)) is not None:
            packed = source.pieces(entry.packed)
            refusal = archive.refusal(entry)
            if refusal is not None:
                archive.download.report(refusal)
            elif not entry.folder:
                unpacking = Unpacking(archive, entry, packed)
                with io.BufferedReader(unpacking, CHUNK) as stream:
                    yield Member(entry.path, entry.size, f"{archive.where}/{entry.path}", entry.offset), stream
                archive.download.reported = unpacking.failed or archive.download.reported
            deque(packed, maxlen=0)  # skip the bytes that were not read
    except DataError as fault:
        archive.download.report(fault)


class _Source:
    """Reads an archive forwards and counts bytes; once it is truncated, every read raises the same error."""

    def __init__(self, archive: Archive, file: BinaryIO) -> None:
        self.archive, self.file, self.position = archive, file, 0
        self.cut: DataError | None = None

    def take(self, count: int, what: str) -> bytes:
        """Exactly ``count`` bytes: at most a name or a chunk, never the value of a size field."""
        if self.cut is not None:
            raise self.cut
        content = self.file.read(count)
        if len(content) < count:
            self.cut = self.archive.fault(self.position, what, f"{len(content)} bytes, then the end", AGAIN)
            raise self.cut
        self.position += count
        return content

    def pieces(self, count: int) -> Iterator[bytes]:
        """``count`` bytes in chunks."""
        while count:
            piece = self.take(min(count, CHUNK), f"{count} more packed bytes of a member")
            count -= len(piece)
            yield piece


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
        raise source.archive.fault(offset, "a whole archive", "the end of one volume of several", AGAIN)
    if kind != MEMBER:
        raise source.archive.fault(offset, "a member, or the archive's end", kind.hex(" "), AGAIN)
    return _entry(source, offset)


def _entry(source: _Source, offset: int) -> Entry:
    length, attribute, _, descriptor, _ = HEAD.unpack(source.take(HEAD.size, "a member's header"))
    width = descriptor >> 4
    if width not in WIDTHS:
        raise source.archive.fault(offset, "sizes of 0, 1, 2, 4 or 8 bytes", f"of {width} bytes", AGAIN)
    method, packed, size, crc = 0, 0, 0, 0
    if width:
        method, _, crc = PACKING.unpack(source.take(PACKING.size, "a member's method and CRC-32"))
        packed, size = (int.from_bytes(source.take(width, "a member's size"), "little") for _ in range(2))
    name = _text(source.take(length, f"a name of {length} bytes"))
    encrypted = bool(descriptor & ENCRYPTED)
    packed += ENCRYPTION_HEADER if encrypted else 0
    words = METHODS.get(method, f"method {method}")
    return Entry(offset, name, bool(attribute & FOLDER), encrypted, words, packed, size, crc)


def _text(name: bytes) -> str:
    """Archives do not state the encoding: UTF-8, else Korean CP949 with undecodable bytes escaped."""
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("cp949", "backslashreplace")
