"""The packed cache of a dataset: prepared once from its sources, then memory-mapped by every process that reads it.

A cache's name holds VERSION and a hash of its sources' names, sizes and times, so that another version, or changed
sources, never meet an old one.
"""

import fcntl
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datamodules._characters import Characters, map_pixels
from datamodules._errors import DataError
from datamodules.cache.packer import ROW, ROW_TYPE, VERSION, Packer
from datamodules.cache.units import OnBad, read_units
from datamodules.readers.casia_parts import Protocol, Source

Say = Callable[[str], None]
EVERY_S = 10.0  # between two lines of progress
AGAIN = "Delete that folder and prepare again."


@dataclass(frozen=True)
class Prepared:
    """A whole cache.

    Attributes:
        folder: where it lies.
        meta: ``version``; ``sources``, their stamps; ``files``, see Packer.units; ``bad_members``, what was wrong
            between the members of archives, in words.
    """

    folder: Path
    meta: Mapping[str, Any]

    def characters(self, role: str) -> Characters:
        """One part, memory-mapped; files in order of their base names, whatever the order in an archive.

        Raises:
            DataError: pixels or index are not as long as they were written.
        """
        files = sorted(self.files(role), key=lambda file: (file["name"].rpartition("/")[2], file["name"]))
        sizes = {"pixels": sum(f["pixels"] for f in self.meta["files"]),
                 "index": sum(f["count"] for f in self.meta["files"]) * ROW.size}  # fmt: skip
        for name, size in sizes.items():
            found = (self.folder / name).stat().st_size if (self.folder / name).exists() else 0
            if found != size:
                raise DataError(self.folder / name, min(found, size), f"{size} bytes", str(found), AGAIN)
        if not any(file["count"] for file in files):
            return Characters.pack([], [])
        rows = np.concatenate([np.arange(f["first"], f["first"] + f["count"]) for f in files])
        index = np.memmap(self.folder / "index", ROW_TYPE, "r")[rows]
        pixels = map_pixels(self.folder / "pixels")
        columns = (np.ascontiguousarray(index[name]) for name in ("offset", "height", "width", "label", "writer"))
        offsets, heights, widths, labels, writers = columns
        return Characters(
            pixels, offsets, heights.astype(np.int32), widths.astype(np.int32), labels.astype(np.int64), writers
        )

    def files(self, role: str = "") -> list[Mapping[str, Any]]:
        """What was read: every file, or those of a role."""
        return [file for file in self.meta["files"] if role in ("", file["role"])]

    def count(self, what: str, role: str = "") -> int:
        """Sum over files of ``count`` (characters), ``dropped`` or ``bad`` (records)."""
        return sum(file[what] for file in self.files(role))

    @property
    def content(self) -> str:
        """SHA-256 of what the sources held, in whatever order and packing it came."""
        lines = sorted(f"{f['role']} {f['name'].rpartition('/')[2]} {f['sha256']}" for f in self.meta["files"])
        return hashlib.sha256("\n".join([f"layout {VERSION}", *lines]).encode()).hexdigest()


def find_prepared(place: Path, sources: Sequence[Source], labels: Sequence[str]) -> Prepared | None:
    """The whole cache of exactly these sources, None where there is none.

    Args:
        place: the folder with all caches of a dataset.
        sources: what the data root holds.
        labels: the label space.

    Raises:
        DataError: its ``meta.json`` is damaged.
    """
    stamps = [source.stamp() for source in sources]
    return _open(place / _key(stamps, labels))


def prepare(
    place: Path,
    sources: Sequence[Source],
    protocol: Protocol,
    labels: Sequence[str],
    say: Say,
    on_bad: OnBad | None = None,
) -> Prepared:
    """The cache of these sources: the one that is there, or a new one from one pass over them.

    A second process waits for the first and uses its cache. After any end, the next call goes on at the last whole
    file of the sources.

    Args:
        place: the folder with all caches of a dataset.
        sources: what the data root holds.
        protocol: which parts train and which test.
        labels: the label space; records of other characters are dropped and counted.
        say: takes progress in words.
        on_bad: takes each bad record, which is then left out and counted; without it the first one is raised.

    Raises:
        DataError: a damaged source, or a full disk.
    """
    stamps = [source.stamp() for source in sources]
    folder = place / _key(stamps, labels)
    found = _open(folder)
    if found is None:
        with _alone(place, folder.name, say):
            found = _open(folder)  # what another process made meanwhile
            if found is None:
                for text in _neighbours(place, folder.name, stamps):
                    say(text)
                _pack(folder, sources, protocol, labels, say, on_bad)
                found = _open(folder)
    assert found is not None
    return found


def check(prepared: Prepared, sources: Sequence[Source], protocol: Protocol) -> list[str]:
    """What is wrong with a cache, in words: its files against its meta, then its sources' content, read once more."""
    problems = []
    for name, size in (("pixels", "pixels"), ("index", "count")):
        with (prepared.folder / name).open("rb") as file:
            offset = 0
            for line in prepared.files():
                length = line[size] * (ROW.size if name == "index" else 1)
                if _sha256(file, length) != line[f"{name}_sha256"]:
                    path = prepared.folder / name
                    problems.append(f"{path}: byte {offset}: {length} bytes of {line['name']} have changed. {AGAIN}")
                offset += length
            if file.read(1):
                problems.append(f"{prepared.folder / name}: byte {offset}: more bytes than were written. {AGAIN}")
    known = {line["name"]: line["sha256"] for line in prepared.files()}
    for unit in read_units(sources, protocol, _leave_out):
        for _ in unit.characters(_leave_out):
            pass
        if known.pop(unit.name, None) != unit.digest.hexdigest():
            problems.append(f"{unit.name}: its content is not what {prepared.folder} was prepared from. {AGAIN}")
    return problems + [f"{name}: gone since {prepared.folder} was prepared from it" for name in known]


def _key(stamps: Sequence[Mapping[str, object]], labels: Sequence[str]) -> str:
    text = json.dumps([stamps, "".join(labels)], sort_keys=True)
    return f"v{VERSION}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _open(folder: Path) -> Prepared | None:
    path = folder / "meta.json"
    if not path.exists():
        return None
    try:
        meta = json.loads(path.read_bytes())
        if meta["version"] != VERSION:
            raise ValueError(f"version {meta['version']}")
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(path, 0, f"the description of a cache of version {VERSION}", str(error), AGAIN) from error
    return Prepared(folder, meta)


@contextmanager
def _alone(place: Path, name: str, say: Say) -> Iterator[None]:
    """Hold the lock on a cache's name; it ends with the process, however that ends."""
    place.mkdir(parents=True, exist_ok=True)
    with (place / f".{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another process prepares {place / name}; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _neighbours(place: Path, name: str, stamps: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """Caches that are there but not of these sources or this version, and why."""
    for path in sorted(place.glob("v*/meta.json")):
        if path.parent.suffix == ".partial":
            continue
        try:
            meta = json.loads(path.read_bytes())
            version, theirs = meta["version"], {str(stamp["name"]): stamp for stamp in meta["sources"]}
        except (ValueError, KeyError, TypeError):
            version, theirs = None, {}
        changed = [str(stamp["name"]) for stamp in stamps if theirs.get(str(stamp["name"])) != stamp]
        changed += sorted(theirs.keys() - {str(stamp["name"]) for stamp in stamps})
        why = f"version {version}, not {VERSION}" if version != VERSION else f"other sources: {', '.join(changed[:3])}"
        yield f"{path.parent} is of {why}; it stays as it is, and {place / name} is prepared beside it"


def _pack(
    folder: Path, sources: Sequence[Source], protocol: Protocol, labels: Sequence[str], say: Say, on_bad: OnBad | None
) -> None:
    partial = folder.with_name(f"{folder.name}.partial")
    numbers = {character: label for label, character in enumerate(labels)}
    bad_members: list[str] = []

    def skip(error: DataError) -> None:
        bad_members.append(f"{error.file}: byte {error.offset}: wanted {error.wanted}, got {error.got}")
        assert on_bad is not None
        on_bad(error)

    with Packer(partial, numbers) as packer:
        done = {line["name"] for line in packer.units}
        say(f"preparing {folder}" + (f": going on after {len(done)} files" if done else ""))
        said = time.monotonic()
        for unit in read_units(sources, protocol, skip if on_bad else None):
            if unit.name in done:
                continue
            packer.append(unit, on_bad)
            if time.monotonic() - said > EVERY_S:
                said = time.monotonic()
                say(f"{len(packer.units)} files, {packer.rows:,} characters, {packer.bytes / 1e6:,.0f} MB")
        for role in ("train", "test"):
            if not any(line["count"] for line in packer.units if line["role"] == role):
                names = ", ".join(source.name for source in sources[:3])
                raise DataError(names, 0, f"characters of the {role} part", "none in the label space")
        stamps = [source.stamp() for source in sources]
        packer.finish({"version": VERSION, "sources": stamps, "bad_members": bad_members}, folder)


def _leave_out(error: DataError) -> None:
    """Bad records were counted when the cache was prepared."""


def _sha256(file: Any, length: int) -> str:
    digest = hashlib.sha256()
    while length > 0 and (content := file.read(min(length, 1 << 20))):
        digest.update(content)
        length -= len(content)
    return digest.hexdigest()
