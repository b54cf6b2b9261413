"""Checksum of exported files: their last 64 bytes are the SHA-256 of the bytes before, to detect damage."""

import hashlib
import re
from pathlib import Path

from datamodules._errors import DataError

DIGITS = 64  # of a SHA-256 in hexadecimal
# Appended to a serialised ONNX model, this is another metadata entry (ModelProto field 14: key field 1, value field 2),
# because protobuf merges messages that are concatenated.
_ONNX_ENTRY = bytes([14 << 3 | 2, 2 + 6 + 2 + DIGITS, 1 << 3 | 2, 6]) + b"sha256" + bytes([2 << 3 | 2, DIGITS])
_ADVICE = "Copy it again from where it was exported, or export it again: bench export."


def onnx_with_checksum(model: bytes) -> bytes:
    """A serialised ONNX model with its checksum as metadata ``sha256``; runtimes still read it."""
    return with_checksum(model + _ONNX_ENTRY + b"0" * DIGITS)


def with_checksum(content: bytes) -> bytes:
    """Replace the last 64 bytes by the checksum of the bytes before them."""
    return content[:-DIGITS] + _checksum(content[:-DIGITS])


def read_checked(path: Path) -> bytes:
    """Read an exported file and verify its checksum.

    Raises:
        DataError: not a file of ``bench export``, cut short, or changed.
    """
    if path.is_dir():
        raise DataError(path, 0, "a recogniser written by bench export", "a folder", "Name the file.")
    content = path.read_bytes()
    if not re.fullmatch(rb"[0-9a-f]{64}", content[-DIGITS:]):
        got = "another kind of file, or a truncated one: no checksum at its end"
        raise DataError(path, len(content), "a recogniser written by bench export", got, _ADVICE)
    if _checksum(content[:-DIGITS]) != content[-DIGITS:]:
        got = "another checksum: the file was changed after it was written"
        raise DataError(path, len(content) - DIGITS, "the checksum of its content", got, _ADVICE)
    return content


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
