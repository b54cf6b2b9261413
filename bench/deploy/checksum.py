"""Checksum of exported files: their last 64 bytes are the SHA-256 of the bytes before, to detect damage."""

import hashlib
import io
import re
from pathlib import Path

from datamodules._errors import DataError

DIGITS = 64  # of a SHA-256 in hexadecimal
# Appended to a serialised ONNX model, this is another metadata entry (ModelProto field 14: key field 1, value field 2),
# because protobuf merges messages that are concatenated.
_ONNX_ENTRY = bytes([14 << 3 | 2, 2 + 6 + 2 + DIGITS, 1 << 3 | 2, 6]) + b"sha256" + bytes([2 << 3 | 2, DIGITS])
_BLOCK = 1 << 18  # bytes
_ADVICE = "Copy it again from where it was exported, or export it again: bench export."


def onnx_with_checksum(model: bytes) -> bytes:
    """A serialised ONNX model with its checksum as metadata ``sha256``; runtimes still read it."""
    return with_checksum(model + _ONNX_ENTRY + b"0" * DIGITS)


def with_checksum(content: bytes) -> bytes:
    """Replace the last 64 bytes by the checksum of the bytes before them."""
    return content[:-DIGITS] + _checksum(content[:-DIGITS])


def check_whole(path: Path) -> None:
    """Verify an exported file's checksum, block by block: a whole copy would add to the peak memory of recognising.

    Raises:
        DataError: not a file of ``bench export``, cut short, or changed.
    """
    if path.is_dir():
        raise DataError(path, 0, "a recogniser written by bench export", "a folder", "Name the file.")
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - DIGITS))
        digits = file.read()
        if not re.fullmatch(rb"[0-9a-f]{64}", digits):
            got = "another kind of file, or a truncated one: no checksum at its end"
            raise DataError(path, size, "a recogniser written by bench export", got, _ADVICE)
        file.seek(0)
        digest, remaining = hashlib.sha256(), size - DIGITS
        while remaining and (block := file.read(min(remaining, _BLOCK))):
            digest.update(block)
            remaining -= len(block)
    if digest.hexdigest().encode() != digits:
        got = "another checksum: the file was changed after it was written"
        raise DataError(path, size - DIGITS, "the checksum of its content", got, _ADVICE)


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
