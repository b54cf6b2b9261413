"""CASIA's official parts, and where a user's folder holds them: archives as downloaded, .gnt files, or images."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from datamodules._errors import DataError
from datamodules.readers.gb2312 import LEVEL1

ARCHIVES = (".zip", ".alz")
IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
KINDS = ("archive", "gnt", "images")  # an archive as downloaded is surely whole; unpacking may have been cut off
DEEPEST = 5  # folders below the data root: part/part/CHARACTER, and two to spare
SHOWN = 8  # names from the data root that an error lists
WHERE = "Ask CASIA for it: the databases page of NLPR, Institute of Automation, Chinese Academy of Sciences."


@dataclass(frozen=True)
class Part:
    """One official download.

    Attributes:
        archive: its official name.
        pattern: what names of its archives, folders and sub-parts hold, in lower case.
        characters: level-1 characters that it is known to hold; None where sources differ.
        about: whether that count is approximate.
    """

    archive: str
    pattern: str
    characters: int | None
    about: bool = False


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
    """Which parts train and which test.

    Attributes:
        name: the dataset's.
        train: parts, by their keys in PARTS.
        test: likewise.
        test_files: which loose files, below no folder that says so, belong to the test; of names in lower case.
        source, licence: where it comes from, and what its owner allows.
    """

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    test_files: str
    source: str
    licence: str


@dataclass(frozen=True)
class Source:
    """A file, or a folder of one character's images, that holds characters.

    Attributes:
        path: it.
        kind: ``archive``, ``gnt`` or ``images``.
        role: ``train`` or ``test``; empty where the members of an archive say it.
        part: key in PARTS; empty for layouts of the user's own.
        name: in the cache and in messages: unique, without the path of the data root.
    """

    path: Path
    kind: str
    role: str
    part: str
    name: str

    def stamp(self) -> dict[str, object]:
        """What a changed source changes: base name, bytes and time of change in ns; over all files of a folder."""
        if self.kind != "images":
            found = self.path.stat()
            return {"name": self.name, "role": self.role, "bytes": found.st_size, "modified": found.st_mtime_ns}
        stats = [entry.stat() for entry in os.scandir(self.path) if is_image(entry.name)]
        newest = max(found.st_mtime_ns for found in stats)
        size = sum(found.st_size for found in stats)
        return {"name": self.name, "role": self.role, "bytes": size, "modified": newest, "files": len(stats)}


def find_sources(root: Path, protocol: Protocol) -> tuple[list[Source], list[str]]:
    """What of the protocol a data root holds.

    Where one part lies there in several forms, one is read: archives before .gnt files before images.

    Args:
        root: a folder with official downloads, unpacked or not; or one archive with all parts.
        protocol: which parts are wanted.

    Returns: the sources in order of role and name, and what was left unread, in words.

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
        if not part and any(named and other == role for other, named in groups):
            unread.append(f"{sum(map(len, kinds.values()))} files of the {role} part below no official name")
            continue
        first = min(kinds, key=KINDS.index)
        chosen += kinds[first]
        unread += [f"{part or role} as {kind}, for it is there as {first} too" for kind in kinds if kind != first]
    _check_whole(root, protocol, chosen)
    return sorted(chosen, key=lambda source: (source.role, source.name)), unread


def part_of(name: str) -> str:
    """The part that a path below the data root names; empty where it names none."""
    lower = name.lower()
    return next((key for key, part in PARTS.items() if re.search(part.pattern, lower)), "")


def role_of(name: str, protocol: Protocol) -> str:
    """``train`` or ``test`` for a .gnt file or a character's folder; empty for parts that are not in the protocol."""
    part = part_of(name)
    if part:
        return _role(part, protocol)
    folders, _, file = name.lower().rpartition("/")
    words = folders or file
    if re.search("trn|train", words):
        return "train"
    return "test" if re.search("tst|test", words) or re.match(protocol.test_files, file) else "train"


def character_of(folder: str) -> str | None:
    """The character that a folder's name stands for: itself, or its index in GB2312 order; None where neither."""
    if folder.isascii() and folder.isdigit():
        return LEVEL1[int(folder)] if int(folder) < len(LEVEL1) else None
    return folder if len(folder) == 1 else None


def is_image(name: str) -> bool:
    """Whether a file's name is that of an image, and not of what file managers leave."""
    return name.lower().endswith(IMAGES) and not name.startswith(".")


def _role(part: str, protocol: Protocol) -> str:
    return "train" if part in protocol.train else "test" if part in protocol.test else ""


def _walk(root: Path, protocol: Protocol, below: str = "", depth: int = 0) -> Iterator[Source]:
    """Every source below the root; folders of images are not entered further."""
    entries = sorted(os.scandir(root / below), key=lambda entry: entry.name)
    entries = [entry for entry in entries if not entry.name.startswith((".", "__MACOSX"))]
    folder = below.rpartition("/")[2]
    if character_of(folder) and any(is_image(entry.name) for entry in entries):
        role = role_of(f"{below}/", protocol)
        yield Source(root / below, "images", role, part_of(below), below)
        return
    for entry in entries:
        name = f"{below}/{entry.name}" if below else entry.name
        if entry.is_dir() and depth < DEEPEST:
            yield from _walk(root, protocol, name, depth + 1)
        elif entry.name.lower().endswith(".gnt"):
            yield Source(Path(entry.path), "gnt", role_of(name, protocol), part_of(name), name)
        elif entry.name.lower().endswith(ARCHIVES) and part_of(name):
            part = part_of(name)
            yield Source(Path(entry.path), "archive", _role(part, protocol), part, name)


def _check_whole(root: Path, protocol: Protocol, sources: list[Source]) -> None:
    held = ", ".join(sorted(entry.name for entry in os.scandir(root))[:SHOWN]) or "nothing"
    for role, parts in (("train", protocol.train), ("test", protocol.test)):
        mine = [source for source in sources if source.role == role]
        found = {source.part for source in mine}
        if mine and not any(found):
            continue  # a layout of the user's own, which names no part
        for part in parts:
            if part not in found:
                wanted = f"{PARTS[part].archive}, packed or unpacked, of the {role} part"
                raise DataError(root, 0, wanted, f"a folder that holds {held}", f"{_wanted(protocol)} {WHERE}")


def _wanted(protocol: Protocol) -> str:
    names = ", ".join(PARTS[part].archive for part in (*protocol.train, *protocol.test))
    return f"{protocol.name} is read from {names}, or what they unpack to."
