"""What a user downloaded, read as it is: the member files of a .zip, an .alz, or an .alz inside a .zip.

Nothing is unpacked to disk, and a member is held in memory no longer than a chunk at a time.
"""

import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from datamodules._errors import DataError
from datamodules.readers.alz import START, TOOL, alz_members
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

__all__ = ["SUFFIXES", "Member", "is_archive", "members"]

ZIP_STARTS = (b"PK\3\4", b"PK\5\6")  # a member's header, or the end of an empty zip
LOCAL = struct.Struct("<4s22xHH")  # start of a member: magic, length of name, length of extra field
ENCRYPTED = 0x01  # flag bit
METHODS = {zipfile.ZIP_STORED: STORED, zipfile.ZIP_DEFLATED: DEFLATED}
SUFFIXES = (".zip", ".alz")
# What zipfile lets through when a directory is damaged.
DIRECTORY_ERRORS = (zipfile.BadZipFile, NotImplementedError, OSError, OverflowError, ValueError, struct.error)


def is_archive(path: Path) -> bool:
    """Whether a file starts as a zip or an ALZ archive does, whatever its name.

    Raises:
        OSError: a file that cannot be read.
    """
    with path.open("rb") as file:
        return file.read(4) in (START, *ZIP_STARTS)


def members(path: Path, on_bad: Callable[[DataError], None] | None = None) -> Iterator[tuple[Member, BinaryIO]]:
    """The files in an archive, one after the other, each with a stream that lives until the next is asked for.

    A stream unpacks while it is read. It gives its last bytes only when size and CRC-32 agree with the header; a
    member that is not read to its end is not checked. Folders are left out. The members of an .alz inside a .zip
    come in its place, as ``NAME.alz/MEMBER``.

    Args:
        path: a zip or ALZ archive, known by its first bytes.
        on_bad: where given, takes what is found wrong between members instead of its being raised, and reading goes
            on at the next member; where none can be made out, it ends. Streams raise in any case.

    Raises:
        DataError: no such archive, a damaged or cut one, a split ALZ, a CRC-32 that does not agree, more bytes than
            FREE + LARGEST_RATIO a byte of the file; a member that is encrypted, packed by another method, an archive
            again, or whose path leads out. Its offset is that of the member's header in the file on disk.
        OSError: a file that cannot be read.
    """
    faults = Faults(on_bad)
    with path.open("rb") as file:
        start = file.read(4)
        allowance = Allowance(file.seek(0, io.SEEK_END))
        file.seek(0)
        if start == START:
            yield from alz_members(Archive(path, TOOL, SUFFIXES), file, allowance, faults)
        elif start in ZIP_STARTS:
            yield from _zip_members(Archive(path, "unzip", (".zip",)), file, allowance, faults)
        else:
            faults.report(DataError(path, 0, "a zip or ALZ archive", start.hex(" ") or "an empty file"))


def _zip_members(
    archive: Archive, file: BinaryIO, allowance: Allowance, faults: Faults
) -> Iterator[tuple[Member, BinaryIO]]:
    try:
        with zipfile.ZipFile(file) as directory:
            infos = directory.infolist()
    except DIRECTORY_ERRORS as error:
        end = file.seek(0, io.SEEK_END)
        faults.report(archive.fault(end, "a zip's directory", str(error), "Fetch the archive again."))
        return
    for info in infos:
        entry = Entry(
            info.header_offset, info.orig_filename, clean(info.filename).endswith("/"),
            bool(info.flag_bits & ENCRYPTED), METHODS.get(info.compress_type, f"method {info.compress_type}"),
            info.compress_size, info.file_size, info.CRC,
        )  # fmt: skip
        why_not = _misplaced(archive, entry, file) or refusal(archive, entry, allowance)
        if why_not is not None:
            faults.report(why_not)
        elif not entry.folder:
            yield from _zip_member(archive, entry, file, allowance, faults)


def _misplaced(archive: Archive, entry: Entry, file: BinaryIO) -> DataError | None:
    """Move to a member's packed bytes, or say why there are none."""
    start = min(max(0, entry.offset), file.seek(0, io.SEEK_END))  # below 0 where bytes before the directory are gone
    file.seek(start)
    found = file.read(LOCAL.size)
    if start != entry.offset or len(found) < LOCAL.size or not found.startswith(ZIP_STARTS[0]):
        got = f"{found[:4].hex(' ') or 'the end'} for {clean(entry.name)}"
        return archive.fault(start, f"a member's header at byte {entry.offset}", got, "Fetch the archive again.")
    _, name, extra = LOCAL.unpack(found)
    file.seek(name + extra, io.SEEK_CUR)
    return None


def _zip_member(
    archive: Archive, entry: Entry, file: BinaryIO, allowance: Allowance, faults: Faults
) -> Iterator[tuple[Member, BinaryIO]]:
    name = clean(entry.name)
    unpacking = Unpacking(archive, entry, _pieces(file, entry.packed), allowance)
    with io.BufferedReader(unpacking, CHUNK) as stream:
        if not name.lower().endswith(".alz"):
            yield Member(name, entry.size, f"{archive.where}/{name}", entry.offset), stream
            return
        inner = Archive(archive.file, TOOL, SUFFIXES, name, entry.offset)
        for member, inner_stream in alz_members(inner, stream, allowance, faults):
            yield Member(f"{name}/{member.name}", member.size, member.where, member.offset), inner_stream
        try:
            while stream.read(CHUNK):  # what follows the ALZ's end, so that its CRC-32 is checked
                pass
        except DataError as fault:
            faults.report(fault)


def _pieces(file: BinaryIO, count: int) -> Iterator[bytes]:
    while count and (piece := file.read(min(count, CHUNK))):
        count -= len(piece)
        yield piece
