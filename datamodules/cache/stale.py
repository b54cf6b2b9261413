"""Finds the caches that no run opens any more: of another layout or other code, or with changed or missing sources."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from datamodules._files import cache_folder
from datamodules._lock import is_locked
from datamodules.cache.packer import VERSION
from datamodules.readers.casia_parts import Source

Judged = tuple[Path, str, bool]  # a cache's folder, why, and whether it can go
PACKED, DRAWN = ("pixels", "index", "meta.json", "journal"), (".gnt", ".npy")  # what a cache holds: names, endings
_NAME = re.compile(r"v(\d+)-[0-9a-f]{12}(\.partial)?")
# Classes and code; classes, which ones and code; the same and glyphs.
_DRAWN = (
    re.compile(r"\d+-([0-9a-f]{8})"),
    re.compile(r"\d+-[0-9a-f]{8}-([0-9a-f]{8})"),
    re.compile(r"\d+-[0-9a-f]{8}-([0-9a-f]{8})-[0-9a-f]{8}"),
)


def judged_caches(codes: Mapping[str, str], unfinished: bool) -> Iterator[Judged]:
    """Every cache that is not used as it is: those to remove, and those that are kept for a reason worth telling.

    Args:
        codes: for each folder of drawn caches, the hash of the code that draws them, a part of their names.
        unfinished: whether a cache whose packing was interrupted, and could resume, can go too.
    """
    for place in _folders(cache_folder() / "prepared"):
        for folder in _folders(place):
            if match := _NAME.fullmatch(folder.name):
                yield from _packed(folder, int(match[1]), bool(match[2]), unfinished)
    for name, code in codes.items():
        for folder in _folders(cache_folder() / name):
            found = [match[1] for form in _DRAWN if (match := form.fullmatch(folder.name))]
            if found and found[0] != code:
                yield folder, "drawn by another version of the code", True


def _packed(folder: Path, version: int, partial: bool, unfinished: bool) -> Iterator[Judged]:
    if _in_use(folder):
        yield folder, "a process packs it", False
    elif version != VERSION:
        newer = version > VERSION
        yield folder, f"of cache format {version}, {'newer' if newer else 'older'} than {VERSION}", not newer
    elif partial:
        yield folder, "an unfinished packing" + ("" if unfinished else "; remove it with --unfinished"), unfinished
    else:
        yield from _complete(folder)


def _complete(folder: Path) -> Iterator[Judged]:
    try:
        meta = json.loads((folder / "meta.json").read_bytes())
        stamps, paths = meta["sources"], meta.get("paths")
        gone = None if paths is None else _gone(stamps, paths)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        yield folder, "its meta.json is damaged, so that no run can open it", True
        return
    if gone is None:
        yield folder, "an earlier version packed it and did not note where its sources are", False
    elif gone:
        yield folder, gone, True


def _gone(stamps: Sequence[dict[str, Any]], paths: Sequence[str]) -> str:
    """Which source is missing or changed, as a text; empty if none is."""
    for stamp, path in zip(stamps, paths, strict=True):
        source = Source(Path(path), "images" if "files" in stamp else "gnt", stamp["role"], "", stamp["name"])
        try:
            if source.stamp() != stamp:
                return f"its source {path} has changed"
        except (OSError, ValueError):  # ValueError: a folder without images
            return f"its source {path} is gone"
    return ""


def _in_use(folder: Path) -> bool:
    """Whether a process holds the lock on a cache's name."""
    lock = folder.with_name(f".{folder.name.removesuffix('.partial')}.lock")
    return lock.exists() and is_locked(lock)


def _folders(place: Path) -> list[Path]:
    """The folders in a folder, sorted, without symbolic links."""
    return sorted(path for path in place.glob("*") if path.is_dir() and not path.is_symlink())
