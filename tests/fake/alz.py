"""True ALZ archives of a few members, laid out by hand; Debian's unalz unpacks them."""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

START = b"ALZ\x01\x0a\0\0\0"
END = b"CLZ\x01" + bytes(12) + b"CLZ\x02"
STORE, BZIP2, DEFLATE = range(3)
FILE, FOLDER = 0x20, 0x10  # attributes


@dataclass(frozen=True)
class Packed:
    """A member; its sizes take ``width`` bytes (0: no content), and ``crc`` stands in its header where given."""

    name: str
    content: bytes = b""
    method: int = DEFLATE
    width: int = 4
    encoding: str = "cp949"
    attribute: int = FILE
    encrypted: bool = False
    crc: int | None = None


def alz(*packed: Packed, comments: Iterable[str] = ()) -> bytes:
    """An archive."""
    said = b"".join(
        struct.pack("<IH", number, len(text.encode("cp949"))) + text.encode("cp949")
        for number, text in enumerate(comments)
    )
    return START + b"".join(map(member, packed)) + (b"ELZ\x01" + said if said else b"") + END


def member(packed: Packed) -> bytes:
    """One member's header and bytes."""
    name, content = packed.name.encode(packed.encoding), packed.content
    inside = b""
    if packed.width:
        inside = deflate(content) if packed.method == DEFLATE else content
    head = struct.pack(
        "<HBIBB", len(name), packed.attribute, 0x5A21_0000, packed.width << 4 | int(packed.encrypted), 0
    )  # 1 January 2025
    if packed.width:
        crc = zlib.crc32(content) if packed.crc is None else packed.crc
        sizes = (len(part).to_bytes(packed.width, "little") for part in (inside, content))
        head += struct.pack("<BBI", packed.method, 0, crc) + b"".join(sizes)
    return b"BLZ\x01" + head + name + (bytes(12) if packed.encrypted else b"") + inside


def deflate(content: bytes) -> bytes:
    """Raw deflate, without zlib's header."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()
