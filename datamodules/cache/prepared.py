"""Decides whether a dataset must be packed, and packs it; opens and checks its cache, which all processes map.

A cache's name contains VERSION and a hash of its sources' names, sizes and times, so that a new version or changed
sources never use an old cache.
"""

import hashlib
import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datamodules._characters import Characters, map_pixels
from datamodules._errors import DataError, OnBad
from datamodules._lock import locked
from datamodules.cache.packer import ROW, ROW_TYPE, VERSION, Packer, described
from datamodules.cache.units import read_units
from datamodules.readers.casia_parts import Protocol, Source

Say = Callable[[str], None]
EVERY_S = 10.0  # between two progress messages
AGAIN = "Delete that folder and prepare again."


@dataclass(frozen=True)
class Prepared:
    """A complete cache.

    ``meta`` has ``version``; ``sources``, their stamps; ``paths`` of the sources (not in older caches); ``files``, see
    Packer.units; ``bad_members``, texts of the errors between the members of archives.
    """

    folder: Path
    meta: Mapping[str, Any]

    def characters(self, role: str) -> Characters:
        """One part, memory-mapped; files are sorted by base name, independent of the order in an archive.

        Raises:
            DataError: the length of pixels or index has changed.
        """
        files = sorted(self.files(role), key=lambda file: (file["name"].rpartition("/")[2], file["name"]))
        sizes = {"pixels": sum(f["pixels"] for f in self.meta["files"]),
                 "index": sum(f["count"] for f in self.meta["files"]) * ROW.size}  # fmt: skip
        for name, size in sizes.items():
            path = self.folder / name
            actual = path.stat().st_size if path.exists() else 0
            if actual != size:
                raise DataError(path, min(actual, size), f"{size} bytes", str(actual), AGAIN)
        if not any(file["count"] for file in files):
            return Characters.pack([], [])
        rows = np.concatenate([np.arange(f["first"], f["first"] + f["count"]) for f in files])
        index = np.memmap(self.folder / "index", ROW_TYPE, "r")[rows]
        types = {"offset": np.int64, "height": np.int32, "width": np.int32, "label": np.int64, "writer": np.int32}
        offsets, heights, widths, labels, writers = (index[name].astype(dtype) for name, dtype in types.items())
        return Characters(map_pixels(self.folder / "pixels"), offsets, heights, widths, labels, writers)

    def files(self, role: str = "") -> list[Mapping[str, Any]]:
        """All source files in the cache, or those of a role."""
        return [file for file in self.meta["files"] if role in ("", file["role"])]

    def count(self, what: str, role: str = "") -> int:
        """Sum over files of ``count`` (characters), ``dropped`` or ``bad`` (records)."""
        return sum(file[what] for file in self.files(role))

    @property
    def content(self) -> str:
        """SHA-256 of the sources' content, independent of their order and packing."""
        lines = sorted(f"{f['role']} {f['name'].rpartition('/')[2]} {f['sha256']}" for f in self.meta["files"])
        return hashlib.sha256("\n".join([f"layout {VERSION}", *lines]).encode()).hexdigest()


def find_prepared(place: Path, sources: Sequence[Source], labels: Sequence[str]) -> Prepared | None:
    """The complete cache of exactly these sources, None if there is none; for the arguments see ``prepare``.

    Raises:
        DataError: its ``meta.json`` is damaged.
    """
    return _open(place / _key([source.stamp() for source in sources], labels))


def prepare(
    place: Path, sources: Sequence[Source], protocol: Protocol, labels: Sequence[str], say: Say,
    on_bad: OnBad | None = None,
) -> Prepared:  # fmt: skip
    """Open the cache of these sources; create it in one pass over them if it does not exist.

    A second process waits for the first and uses its cache. If interrupted, the next call resumes after the last
    complete file of the sources.

    Args:
        place: the folder with all caches of a dataset.
        sources: see ``find_sources``.
        protocol: the parts for training and test.
        labels: the label space; records of other characters are dropped and counted.
        say: receives progress messages.
        on_bad: receives each bad record, which is then skipped and counted; None raises the first.

    Raises:
        DataError: a damaged source, or a full disk.
    """
    stamps = [source.stamp() for source in sources]
    folder = place / _key(stamps, labels)
    if not (folder / "meta.json").exists():
        with _lock(place, folder.name, say):
            if not (folder / "meta.json").exists():  # another process may have created it meanwhile
                for text in _other_caches(place, folder.name, stamps):
                    say(text)
                _pack(folder, sources, protocol, labels, say, on_bad)
    prepared = _open(folder)
    assert prepared is not None
    return prepared


def check(prepared: Prepared, sources: Sequence[Source], protocol: Protocol) -> list[str]:
    """Differences of a cache, as texts: of its files from its meta, and of its sources, which are read again."""
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
    for unit in read_units(sources, protocol, _ignore):
        deque(unit.characters(_ignore), maxlen=0)  # read to the end, for the digest
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
def _lock(place: Path, name: str, say: Say) -> Iterator[None]:
    """Hold the lock on a cache's name; the system releases it if the process dies."""
    place.mkdir(parents=True, exist_ok=True)
    with locked(place / f".{name}.lock", lambda: say(f"another process prepares {place / name}; waiting for it")):
        yield


def _other_caches(place: Path, name: str, stamps: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """Messages about existing caches of other sources or another version."""
    for path in sorted(place.glob("v*/meta.json")):
        if path.parent.suffix == ".partial":
            continue
        try:
            meta = json.loads(path.read_bytes())
            version, known = meta["version"], {str(stamp["name"]): stamp for stamp in meta["sources"]}
        except (ValueError, KeyError, TypeError):
            version, known = None, {}
        changed = [str(stamp["name"]) for stamp in stamps if known.get(str(stamp["name"])) != stamp]
        changed += sorted(known.keys() - {str(stamp["name"]) for stamp in stamps})
        why = f"version {version}, not {VERSION}" if version != VERSION else f"other sources: {', '.join(changed[:3])}"
        yield f"{path.parent} is of {why}; it is kept, and {place / name} is prepared as a new cache"


def _pack(
    folder: Path, sources: Sequence[Source], protocol: Protocol, labels: Sequence[str], say: Say, on_bad: OnBad | None
) -> None:
    bad_members: list[str] = []

    def skip(error: DataError) -> None:
        bad_members.append(f"{error.file}: {described(error)}")
        assert on_bad is not None
        on_bad(error)

    class_index = {character: label for label, character in enumerate(labels)}
    with Packer(folder.with_name(f"{folder.name}.partial"), class_index) as packer:
        done = {line["name"] for line in packer.units}
        say(f"preparing {folder}" + (f": resuming after {len(done)} files" if done else ""))
        reported = time.monotonic()
        for unit in read_units(sources, protocol, skip if on_bad else None):
            if unit.name in done:
                continue
            packer.append(unit, on_bad)
            if time.monotonic() - reported > EVERY_S:
                reported = time.monotonic()
                say(f"{len(packer.units)} files, {packer.rows:,} characters, {packer.bytes / 1e6:,.0f} MB")
        for role in ("train", "test"):
            if not any(line["count"] for line in packer.units if line["role"] == role):
                names = ", ".join(source.name for source in sources[:3])
                raise DataError(names, 0, f"characters of the {role} part", "none in the label space")
        stamps = [source.stamp() for source in sources]
        paths = [str(source.path.resolve()) for source in sources]  # bench clean looks whether they still exist
        packer.finish({"version": VERSION, "sources": stamps, "paths": paths, "bad_members": bad_members}, folder)


def _ignore(error: DataError) -> None:
    """Bad records were counted when the cache was prepared."""


def _sha256(file: Any, length: int) -> str:
    digest = hashlib.sha256()
    while length > 0 and (content := file.read(min(length, 1 << 20))):
        digest.update(content)
        length -= len(content)
    return digest.hexdigest()
