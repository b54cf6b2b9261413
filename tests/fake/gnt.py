"""Tiny .gnt records laid out by hand, so that tests of the reader do not lean on the project's own writer."""

import struct


def record(text: str, width: int, height: int, grey: int = 7) -> bytes:
    """One record whose pixels are all ``grey``."""
    size = struct.pack("<I", 10 + width * height)
    return size + text.encode("gbk") + struct.pack("<HH", width, height) + bytes([grey]) * (width * height)
