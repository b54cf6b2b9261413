"""A data root of two parts of HWDB1.1, and the packed cache made of it."""

from pathlib import Path

from fake.gnt import part, write_files

from datamodules.cache.prepared import Prepared, prepare
from datamodules.casia_hwdb import PROTOCOL
from datamodules.readers.casia_parts import find_sources
from datamodules.readers.gb2312 import LEVEL1

TRAIN, TEST = "HWDB1.1trn_gnt", "HWDB1.1tst_gnt"
FILES = 7  # writers of both parts


def write_parts(root: Path) -> Path:
    """Both parts as folders of .gnt files; gives the data root."""
    for name in (TRAIN, TEST):
        write_files(root / name, part(name))
    return root


def made(root: Path, place: Path, **more: object) -> Prepared:
    """The cache at a place; ``said`` takes what is told on the way."""
    said: list[str] = more.pop("said", [])  # type: ignore[assignment]
    return prepare(place, find_sources(root, PROTOCOL)[0], PROTOCOL, LEVEL1, said.append, **more)  # type: ignore[arg-type]


def content(prepared: Prepared) -> list[bytes]:
    """Its three files."""
    return [(prepared.folder / name).read_bytes() for name in ("pixels", "index", "meta.json")]
