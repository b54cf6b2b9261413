"""Finds the official parts of CASIA in a user's folder: archives as downloaded, .gnt files, or images."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from datamodules._errors import DataError
from datamodules.readers.archive import SUFFIXES as ARCHIVES
from datamodules.readers.gb2312 import LEVEL1
from datamodules.readers.image_tree import SUFFIXES as IMAGES

KINDS = ("archive", "gnt", "images")  # in order of preference: unpacking may have been interrupted
DEEPEST = 5  # folder levels below the data root: part/part/CHARACTER, and two to spare
SHOWN = 8  # names from the data root that an error lists
WHERE = "Ask CASIA for it: the databases page of NLPR, Institute of Automation, Chinese Academy of Sciences."


@dataclass(frozen=True)
class Part:
    """One official download."""

    archive: str  # its official name
    pattern: str  # regular expression of the lower-case names of its archives, folders and sub-parts
    characters: int | None  # published number of level-1 characters; None if sources differ
    about: bool = False  # whether that number is approximate


# Counts: C.-L. Liu et al., ICDAR 2011; the competition's as most papers print it. The download page has named the
# archives both ways: HWDB1.1trn_gnt.zip, and Gnt1.1TrainPart1.zip and following.
PARTS: Mapping[str, Part] = {
    "HWDB1.0trn": Part("HWDB1.0trn_gnt.zip", r"(hwdb|gnt)_?1\.0_?(trn|train)", None),
    "HWDB1.0tst": Part("HWDB1.0tst_gnt.zip", r"(hwdb|gnt)_?1\.0_?(tst|test)", None),
    "HWDB1.1trn": Part("HWDB1.1trn_gnt.zip", r"(hwdb|gnt)_?1\.1_?(trn|train)", 897_758),
    "HWDB1.1tst": Part("HWDB1.1tst_gnt.zip", r"(hwdb|gnt)_?1\.1_?(tst|test)", 223_991),
    "competition": Part("competition-gnt.zip", r"competition", 224_419, about=True),
}


@dataclass(frozen=True)
class Protocol:
    """The parts for training and for test."""

    name: str  # of the dataset
    train: tuple[str, ...]  # keys in PARTS
    test: tuple[str, ...]
    test_files: str  # regular expression of the lower-case names of test files whose folder names no split
    source: str  # publication
    licence: str


@dataclass(frozen=True)
class Source:
    """A file of characters, or a folder with images of one character."""

    path: Path
    kind: str  # ``archive``, ``gnt`` or ``images``
    role: str  # ``train`` or ``test``; empty if it depends on the member of the archive
    part: str  # key in PARTS; empty for the user's own layouts
    name: str  # unique path relative to the data root, for cache and messages

    def stamp(self) -> dict[str, object]:
        """Name, role, total bytes and newest change in ns: detects changed sources; of a folder also its files."""
        folder = self.kind == "images"
        files = [file.stat() for file in os.scandir(self.path) if is_image(file.name)] if folder else [self.path.stat()]
        size, newest = sum(file.st_size for file in files), max(file.st_mtime_ns for file in files)
        stamp: dict[str, object] = {"name": self.name, "role": self.role, "bytes": size, "modified": newest}
        return {**stamp, "files": len(files)} if folder else stamp


def find_sources(root: Path, protocol: Protocol) -> tuple[list[Source], list[str]]:
    """Find the parts of a protocol below a data root.

    The root is a folder with official downloads, unpacked or not, or one archive with all parts. If a part exists in
    several forms, one is read: archives are preferred over .gnt files, those over images.

    Returns: the sources sorted by role and name, and descriptions of what is not read.

    Raises:
        DataError: no such folder, or a part is missing.
    """
    if root.is_file():
        part = part_of(root.name)
        return [Source(root, "archive", _role(part, protocol), part, root.name)], []
    if not root.is_dir():
        raise DataError(root, 0, f"a folder with the files of {protocol.name}", "nothing there", _wanted(protocol))
    wanted = {*protocol.train, *protocol.test}
    groups: dict[tuple[str, str], dict[str, list[Source]]] = {}
    for source in _walk(root, protocol):
        if source.role and (source.part in wanted or not source.part):
            groups.setdefault((source.role, source.part), {}).setdefault(source.kind, []).append(source)
    chosen, unread = [], []
    for (role, part), kinds in groups.items():
        if not part and any(official and split == role for split, official in groups):
            unread.append(f"{sum(map(len, kinds.values()))} files of the {role} part outside folders of official names")
            continue
        first = min(kinds, key=KINDS.index)
        chosen += kinds[first]
        unread += [f"{part or role} as {kind}, because it is read as {first}" for kind in kinds if kind != first]
    _check_whole(root, protocol, chosen)
    return sorted(chosen, key=lambda source: (source.role, source.name)), unread


def part_of(name: str) -> str:
    """The part that a path below the data root names; empty if none."""
    lower = name.lower()
    return next((key for key, part in PARTS.items() if re.search(part.pattern, lower)), "")


def role_of(name: str, protocol: Protocol) -> str:
    """``train`` or ``test`` for a .gnt file or a character's folder; empty for parts outside the protocol."""
    part = part_of(name)
    if part:
        return _role(part, protocol)
    folders, _, file = name.lower().rpartition("/")
    words = folders or file
    if re.search("trn|train", words):
        return "train"
    return "test" if re.search("tst|test", words) or re.match(protocol.test_files, file) else "train"


def character_of(folder: str) -> str | None:
    """The character that a folder's name states, directly or as an index in GB2312 order; None if neither."""
    if folder.isascii() and folder.isdigit():
        return LEVEL1[int(folder)] if int(folder) < len(LEVEL1) else None
    return folder if len(folder) == 1 else None


def is_image(name: str) -> bool:
    """Whether a file's name is that of an image that is not hidden."""
    return name.lower().endswith(IMAGES) and not name.startswith(".")


def _role(part: str, protocol: Protocol) -> str:
    return "train" if part in protocol.train else "test" if part in protocol.test else ""


def _walk(root: Path, protocol: Protocol, below: str = "", depth: int = 0) -> Iterator[Source]:
    """Every source below the root; folders of images are not searched further."""
    entries = sorted(os.scandir(root / below), key=lambda entry: entry.name)
    entries = [entry for entry in entries if not entry.name.startswith((".", "__MACOSX"))]
    if character_of(below.rpartition("/")[2]) and any(is_image(entry.name) for entry in entries):
        yield Source(root / below, "images", role_of(f"{below}/", protocol), part_of(below), below)
        return
    for entry in entries:
        name = f"{below}/{entry.name}" if below else entry.name
        if entry.is_dir() and depth < DEEPEST:
            yield from _walk(root, protocol, name, depth + 1)
        elif entry.name.lower().endswith(".gnt"):
            yield Source(Path(entry.path), "gnt", role_of(name, protocol), part_of(name), name)
        elif entry.name.lower().endswith(ARCHIVES) and (part := part_of(name)):
            yield Source(Path(entry.path), "archive", _role(part, protocol), part, name)


def _check_whole(root: Path, protocol: Protocol, sources: list[Source]) -> None:
    held = ", ".join(sorted(entry.name for entry in os.scandir(root))[:SHOWN]) or "nothing"
    for role, parts in (("train", protocol.train), ("test", protocol.test)):
        found = {source.part for source in sources if source.role == role}
        if found == {""}:
            continue  # the user's own layout, which names no part
        for part in parts:
            if part not in found:
                wanted = f"{PARTS[part].archive}, packed or unpacked, of the {role} part"
                raise DataError(root, 0, wanted, f"a folder that holds {held}", f"{_wanted(protocol)} {WHERE}")


def _wanted(protocol: Protocol) -> str:
    names = ", ".join(PARTS[part].archive for part in (*protocol.train, *protocol.test))
    return f"{protocol.name} is read from {names}, or what they unpack to."
