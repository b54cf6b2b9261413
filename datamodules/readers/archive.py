"""Reads .zip and .alz downloads without unpacking them to disk: member files as streams, also of an .alz in a .zip.

A member is held in memory one chunk at a time.
"""

import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from datamodules._errors import DataError
from datamodules.readers.alz import START, TOOL, alz_members
from datamodules.readers.archive_member import CHUNK, DEFLATED, STORED, Archive, Download, Entry, Member, Unpacking

__all__ = ["SUFFIXES", "Member", "is_archive", "members"]

ZIP_STARTS = (b"PK\3\4", b"PK\5\6")  # a member's header, or the end of an empty zip
LOCAL = struct.Struct("<4s22xHH")  # start of a member: magic, length of name, length of extra field
ENCRYPTED = 0x01  # flag bit
METHODS = {zipfile.ZIP_STORED: STORED, zipfile.ZIP_DEFLATED: DEFLATED}
SUFFIXES = (".zip", ".alz")
# What zipfile raises on damaged directories.
DIRECTORY_ERRORS = (zipfile.BadZipFile, NotImplementedError, OSError, OverflowError, ValueError, struct.error)


def is_archive(path: Path) -> bool:
    """Whether a file starts like a zip or ALZ archive, whatever its name."""
    with path.open("rb") as file:
        return file.read(4) in (START, *ZIP_STARTS)


def members(path: Path, on_bad: Callable[[DataError], None] | None = None) -> Iterator[tuple[Member, BinaryIO]]:
    """The files in an archive, in order, each with a stream that is closed when the next member is requested.

    A stream unpacks while it is read, and yields its last bytes only if size and CRC-32 agree with the header; a
    member that is not read to its end is not checked. Folders are skipped. The members of an .alz inside a .zip
    are listed in its place, as ``NAME.alz/MEMBER``.

    Args:
        path: a zip or ALZ archive, recognised by its first bytes.
        on_bad: receives each fault between members instead of its being raised; reading then continues at the next
            member, or ends if none can be found. Streams always raise.

    Raises:
        DataError: no such archive, a damaged or truncated one, a split ALZ, a wrong CRC-32, more bytes than
            FREE + LARGEST_RATIO a byte of the file; a member that is encrypted, packed by another method, an archive
            again, or whose path leads out. Its offset is that of the member's header in the file on disk.
        OSError: a file that cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(4)
        download = Download(path, file.seek(0, io.SEEK_END), on_bad)
        file.seek(0)
        if start == START:
            yield from alz_members(Archive(download, TOOL, SUFFIXES), file)
        elif start in ZIP_STARTS:
            yield from _zip_members(Archive(download, "unzip", (".zip",)), file)
        else:
            download.report(DataError(path, 0, "a zip or ALZ archive", start.hex(" ") or "an empty file"))


def _zip_members(archive: Archive, file: BinaryIO) -> Iterator[tuple[Member, BinaryIO]]:
    try:
        with zipfile.ZipFile(file) as directory:
            infos = directory.infolist()
    except DIRECTORY_ERRORS as error:
        archive.download.report(archive.fault(file.seek(0, io.SEEK_END), "a zip's directory", str(error)))
        return
    for info in infos:
        entry = Entry(
            info.header_offset, info.orig_filename, info.filename.endswith(("/", "\\")),
            bool(info.flag_bits & ENCRYPTED), METHODS.get(info.compress_type, f"method {info.compress_type}"),
            info.compress_size, info.file_size, info.CRC,
        )  # fmt: skip
        fault = _seek_packed(archive, entry, file) or archive.refusal(entry)
        if fault is not None:
            archive.download.report(fault)
        elif not entry.folder:
            yield from _zip_member(archive, entry, file)


def _seek_packed(archive: Archive, entry: Entry, file: BinaryIO) -> DataError | None:
    """Move to a member's packed bytes; a fault if its header is missing."""
    start = min(max(0, entry.offset), file.seek(0, io.SEEK_END))  # negative if bytes before the directory are missing
    file.seek(start)
    header = file.read(LOCAL.size)
    if start != entry.offset or len(header) < LOCAL.size or not header.startswith(ZIP_STARTS[0]):
        got = f"{header[:4].hex(' ') or 'the end'} for {entry.path}"
        return archive.fault(start, f"a member's header at byte {entry.offset}", got)
    _, name, extra = LOCAL.unpack(header)
    file.seek(name + extra, io.SEEK_CUR)
    return None


def _zip_member(archive: Archive, entry: Entry, file: BinaryIO) -> Iterator[tuple[Member, BinaryIO]]:
    name = entry.path
    with io.BufferedReader(Unpacking(archive, entry, _pieces(file, entry.packed)), CHUNK) as stream:
        if not name.lower().endswith(".alz"):
            yield Member(name, entry.size, f"{archive.where}/{name}", entry.offset), stream
            return
        inner = Archive(archive.download, TOOL, SUFFIXES, name, entry.offset)
        for member, inner_stream in alz_members(inner, stream):
            yield Member(f"{name}/{member.name}", member.size, member.where, member.offset), inner_stream
        try:
            while stream.read(CHUNK):  # read beyond the ALZ's end, so that its CRC-32 is checked
                pass
        except DataError as fault:
            archive.download.report(fault)


def _pieces(file: BinaryIO, count: int) -> Iterator[bytes]:
    while count and (piece := file.read(min(count, CHUNK))):
        count -= len(piece)
        yield piece
