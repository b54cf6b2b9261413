"""Tiny .gnt records laid out by hand, so that tests of the reader do not lean on the project's own writer."""

import struct
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

# Writers' file names of the official parts, in the official numbering: a few of each.
OFFICIAL = {
    "HWDB1.0trn_gnt": [f"{n:03}-f.gnt" for n in (1, 2, 3)],
    "HWDB1.0tst_gnt": [f"{n:03}-f.gnt" for n in (337, 338)],
    "HWDB1.1trn_gnt": [f"{n}-c.gnt" for n in (1001, 1002, 1003, 1004, 1240)],
    "HWDB1.1tst_gnt": [f"{n}-c.gnt" for n in (1241, 1242)],
    "competition-gnt": [f"C{n:03}-f.gnt" for n in (1, 2)],
}


def record(text: str, width: int, height: int, grey: int = 7) -> bytes:
    """One record whose pixels are all ``grey``."""
    size = struct.pack("<I", 10 + width * height)
    return size + text.encode("gbk") + struct.pack("<HH", width, height) + bytes([grey]) * (width * height)


def symbol(code: int, grey: int = 7) -> bytes:
    """One record of an ASCII symbol as HWDB1.0 tags it: one byte and a zero."""
    return struct.pack("<I2sHH", 10 + 6, bytes([code, 0]), 3, 2) + bytes([grey]) * 6


def part(name: str, text: str = "啊阿座") -> dict[str, bytes]:
    """The files of an official part by name; each writer has a grey and a width of its own."""
    greys = {"HWDB1.0trn_gnt": 10, "HWDB1.0tst_gnt": 20, "HWDB1.1trn_gnt": 30, "HWDB1.1tst_gnt": 40}
    first = greys.get(name, 50)
    return {
        file: b"".join(record(character, 3 + number, 4, first + number) for character in text)
        for number, file in enumerate(OFFICIAL[name])
    }


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Files in a folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def write_zip(path: Path, files: Mapping[str, bytes], folder: str = "") -> Path:
    """The same files in a zip, below a folder where one is named."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"{folder}/{name}" if folder else name, content)
    return path


def write_zips(root: Path, parts: Iterable[str] = tuple(OFFICIAL)) -> Path:
    """The official zips of some parts."""
    for name in parts:
        write_zip(root / f"{name}.zip", part(name))
    return root
