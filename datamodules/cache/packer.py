"""Writing the packed cache: one pass, memory flat, and after any end it goes on at the last whole unit.

A cache is a folder of three files. ``pixels`` holds the images, uint8, row by row, end to end; ``index`` one ROW for
each; ``meta.json`` says what lies where. While it is written, the folder is called ``….partial`` and a journal stands
in for ``meta.json``: a line for each unit whose bytes have reached the disk.
"""

import hashlib
import json
import os
import struct
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from datamodules._errors import DataError
from datamodules._files import write_all
from datamodules.cache.units import OnBad, Unit

VERSION = 1  # of this layout; part of every cache's name
ROW = struct.Struct("<qiHHH")  # offset in pixels, writer, height, width, label
ROW_TYPE = np.dtype([("offset", "<i8"), ("writer", "<i4"), ("height", "<u2"), ("width", "<u2"), ("label", "<u2")])
BLOCK = 1 << 22  # bytes of pixels gathered before they are written; larger ones gained nothing
ADVICE = "Free some space or set HCCR_BENCH_CACHE to a roomier disk; the same command goes on where it stopped."
PROBLEMS_KEPT = 10  # texts for each unit; the count is exact


class Packer:
    """Appends units to a ``….partial`` folder; a context manager that leaves whole units alone behind.

    Args:
        folder: the partial folder; what an earlier packer left in it is kept.
        labels: class index by character; records of others are dropped and counted.

    Attributes:
        units: the journal's lines: of each whole unit ``name``, ``role``, ``writer``, ``sha256`` of its source,
            ``first`` and ``count`` of its rows, ``dropped`` and ``bad`` records, ``problems`` in words,
            ``pixels`` bytes, ``pixels_sha256`` and ``index_sha256``.

    Raises:
        DataError: the disk is full or fails.
    """

    def __init__(self, folder: Path, labels: Mapping[str, int]) -> None:
        self.folder, self.labels = folder, labels
        self.units: list[dict[str, Any]] = []
        self.rows = self.bytes = self._lines = 0  # of whole units: rows, bytes of pixels and of the journal
        self._files: dict[str, int] = {}

    def __enter__(self) -> "Packer":
        with ExitStack() as opened, self._disk():
            self.folder.mkdir(parents=True, exist_ok=True)
            for name in ("pixels", "index", "journal"):
                self._files[name] = os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
                opened.callback(os.close, self._files[name])
            self._read_journal()
            self._cut()
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with self._opened, suppress(OSError):  # what cannot be cut off now, the next packer does
            self._cut()  # a torn unit takes room on a disk that may be full

    def append(self, unit: Unit, on_bad: OnBad | None) -> None:
        """Read a unit to its end, and journal it.

        Args:
            unit: not among ``units`` yet.
            on_bad: takes each problem; without it the first one is raised.

        Raises:
            DataError: a damaged unit, or a full disk.
        """
        problems: list[str] = []
        bad = 0

        def skip(error: DataError) -> None:
            nonlocal bad
            bad += 1
            if len(problems) < PROBLEMS_KEPT:
                problems.append(f"byte {error.offset}: wanted {error.wanted}, got {error.got}")
            assert on_bad is not None
            on_bad(error)

        pixels, rows = _Appended(self._files["pixels"]), _Appended(self._files["index"])
        dropped = 0
        for character, image in unit.characters(skip if on_bad else None):
            label = self.labels.get(character)
            if label is None:
                dropped += 1
                continue
            rows.add(ROW.pack(self.bytes + pixels.size, unit.writer, *image.shape, label))
            pixels.add(image.data)
            if len(pixels.held) >= BLOCK:
                with self._disk():
                    pixels.flush()
                    rows.flush()
        with self._disk():
            pixels.flush()
            rows.flush()
            self._commit(
                {
                    "name": unit.name, "role": unit.role, "writer": unit.writer, "sha256": unit.digest.hexdigest(),
                    "first": self.rows, "count": rows.size // ROW.size, "dropped": dropped, "bad": bad,
                    "problems": problems, "pixels": pixels.size, "pixels_sha256": pixels.digest.hexdigest(),
                    "index_sha256": rows.digest.hexdigest(),
                }
            )  # fmt: skip

    def finish(self, meta: Mapping[str, Any], whole: Path) -> None:
        """Write ``meta.json`` and give the folder its name; only then is it a cache.

        Raises:
            DataError: the disk is full or fails.
        """
        with self._disk():
            text = json.dumps({**meta, "files": self.units}, ensure_ascii=False, indent=1)
            descriptor = os.open(self.folder / "meta.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            try:
                write_all(descriptor, text.encode())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            sync_folder(self.folder)
            os.rename(self.folder, whole)
            sync_folder(whole.parent)
        (whole / "journal").unlink(missing_ok=True)

    def _commit(self, line: dict[str, Any]) -> None:
        """Journal a unit after its bytes have reached the disk."""
        os.fsync(self._files["pixels"])
        os.fsync(self._files["index"])
        text = (json.dumps(line, ensure_ascii=False) + "\n").encode()
        write_all(self._files["journal"], text)
        os.fsync(self._files["journal"])
        self._take(line, text)

    def _take(self, line: dict[str, Any], text: bytes) -> None:
        self.units.append(line)
        self.rows += line["count"]
        self.bytes += line["pixels"]
        self._lines += len(text)

    def _read_journal(self) -> None:
        """Take over the units of an earlier packer: the journal's lines up to a torn one, or one beyond the files."""
        sizes = {name: os.fstat(descriptor).st_size for name, descriptor in self._files.items()}
        for text in (self.folder / "journal").read_bytes().splitlines(keepends=True):
            try:
                line = json.loads(text) if text.endswith(b"\n") else None
            except ValueError:
                line = None
            if line is None or self.bytes + line["pixels"] > sizes["pixels"]:
                break
            if (self.rows + line["count"]) * ROW.size > sizes["index"]:
                break
            self._take(line, text)

    def _cut(self) -> None:
        """Cut off what belongs to no whole unit."""
        for name, size in (("pixels", self.bytes), ("index", self.rows * ROW.size), ("journal", self._lines)):
            if os.fstat(self._files[name]).st_size > size:
                os.ftruncate(self._files[name], size)

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            where = Path(error.filename) if error.filename else self.folder
            wanted = "room for the packed cache"
            raise DataError(where, self.bytes, wanted, error.strerror or str(error), ADVICE) from error


class _Appended:
    """Bytes on their way to the end of a file, with their digest."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor, self.held, self.size, self.digest = descriptor, bytearray(), 0, hashlib.sha256()

    def add(self, content: bytes | memoryview) -> None:
        self.held += content
        self.size += len(content) if isinstance(content, bytes) else content.nbytes

    def flush(self) -> None:
        self.digest.update(self.held)
        write_all(self.descriptor, self.held)
        self.held.clear()


def sync_folder(folder: Path) -> None:
    """Make a folder's entries survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
