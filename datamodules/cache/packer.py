"""Writes the packed cache in one pass with constant memory; resumes after the last complete unit if interrupted.

A cache is a folder of three files: ``pixels`` contains the images, uint8, row by row, end to end; ``index`` one ROW per
image; ``meta.json`` the description. While it is written, the folder is named ``….partial`` and has a journal instead
of ``meta.json``: one line per unit whose bytes have reached the disk.
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

from datamodules._errors import DataError, OnBad
from datamodules._files import write_all
from datamodules.cache.units import Unit

VERSION = 1  # of this layout; part of every cache's name
ROW = struct.Struct("<qiHHH")  # offset in pixels, writer, height, width, label
ROW_TYPE = np.dtype([("offset", "<i8"), ("writer", "<i4"), ("height", "<u2"), ("width", "<u2"), ("label", "<u2")])
_BINARY = getattr(os, "O_BINARY", 0)  # Windows would write line ends of its own
BLOCK = 1 << 22  # bytes of pixels buffered before a write; larger blocks were no faster
ADVICE = "Free some space or set HCCR_BENCH_CACHE to a larger disk; then repeat the command, and it resumes."
PROBLEMS_KEPT = 10  # error texts per unit; their number is exact


class Packer:
    """Appends units to a ``….partial`` folder; on exit, this context manager removes incomplete units.

    Args:
        folder: the partial folder; complete units of an earlier packer are kept.
        labels: class index by character; records of other characters are dropped and counted.

    Attributes:
        units: the journal's lines, one per complete unit: ``name``, ``role``, ``writer``, ``sha256`` of its source,
            ``first`` and ``count`` of its rows, ``dropped`` and ``bad`` records, ``problems`` as texts,
            ``pixels`` bytes, ``pixels_sha256`` and ``index_sha256``.

    Raises:
        DataError: the disk is full or fails.
    """

    def __init__(self, folder: Path, labels: Mapping[str, int]) -> None:
        self.folder, self.labels = folder, labels
        self.units: list[dict[str, Any]] = []
        self.rows = self.bytes = self._lines = 0  # of complete units: rows, bytes of pixels and of the journal
        self._files: dict[str, int] = {}

    def __enter__(self) -> "Packer":
        with ExitStack() as opened, self._disk():
            self.folder.mkdir(parents=True, exist_ok=True)
            for name in ("pixels", "index", "journal"):
                self._files[name] = os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_APPEND | _BINARY, 0o644)
                opened.callback(os.close, self._files[name])
            self._read_journal()
            self._truncate()
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with self._opened, suppress(OSError):  # if truncating fails now, the next packer does it
            self._truncate()  # because the disk may be full

    def append(self, unit: Unit, on_bad: OnBad | None) -> None:
        """Write a unit that is not in ``units`` yet, and add it to the journal.

        Args:
            unit: is read to its end.
            on_bad: receives each error; None raises the first.

        Raises:
            DataError: a damaged unit, or a full disk.
        """
        problems: list[str] = []
        bad = 0

        def skip(error: DataError) -> None:
            nonlocal bad
            bad += 1
            if bad <= PROBLEMS_KEPT:
                problems.append(described(error))
            assert on_bad is not None
            on_bad(error)

        pixels, rows, dropped = _Buffer(self._files["pixels"]), _Buffer(self._files["index"]), 0
        for character, image in unit.characters(skip if on_bad else None):
            label = self.labels.get(character)
            if label is None:
                dropped += 1
                continue
            rows.add(ROW.pack(self.bytes + pixels.size, unit.writer, *image.shape, label))
            pixels.add(image.data)
            if len(pixels.content) >= BLOCK:
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

    def finish(self, meta: Mapping[str, Any], folder: Path) -> None:
        """Write ``meta.json`` and rename the partial folder to ``folder``, which completes the cache."""
        with self._disk():
            text = json.dumps({**meta, "files": self.units}, ensure_ascii=False, indent=1)
            descriptor = os.open(self.folder / "meta.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, 0o644)
            try:
                write_all(descriptor, text.encode())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            _sync_folder(self.folder)
            os.rename(self.folder, folder)
            _sync_folder(folder.parent)
        (folder / "journal").unlink(missing_ok=True)

    def _commit(self, line: dict[str, Any]) -> None:
        """Add a unit to the journal after its bytes have reached the disk."""
        os.fsync(self._files["pixels"])
        os.fsync(self._files["index"])
        text = (json.dumps(line, ensure_ascii=False) + "\n").encode()
        write_all(self._files["journal"], text)
        os.fsync(self._files["journal"])
        self._add(line, text)

    def _add(self, line: dict[str, Any], text: bytes) -> None:
        self.units.append(line)
        self.rows += line["count"]
        self.bytes += line["pixels"]
        self._lines += len(text)

    def _read_journal(self) -> None:
        """Load complete units: the journal up to a torn line, or a line whose bytes are missing in the files."""
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
            self._add(line, text)

    def _truncate(self) -> None:
        """Remove the bytes after the last complete unit."""
        for name, size in (("pixels", self.bytes), ("index", self.rows * ROW.size), ("journal", self._lines)):
            if os.fstat(self._files[name]).st_size > size:
                os.ftruncate(self._files[name], size)

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            where, got = error.filename or self.folder, error.strerror or str(error)
            raise DataError(where, self.bytes, "room for the packed cache", got, ADVICE) from error


class _Buffer:
    """Bytes to append to a file, and the SHA-256 of all flushed bytes."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor, self.content, self.size, self.digest = descriptor, bytearray(), 0, hashlib.sha256()

    def add(self, content: bytes | memoryview) -> None:
        self.content += content
        self.size += len(content) if isinstance(content, bytes) else content.nbytes

    def flush(self) -> None:
        self.digest.update(self.content)
        write_all(self.descriptor, self.content)
        self.content.clear()


def described(error: DataError) -> str:
    """An error without its file and advice, for the cache's description."""
    return f"byte {error.offset}: wanted {error.wanted}, got {error.got}"


def _sync_folder(folder: Path) -> None:
    """Make a folder's entries survive a power failure; Windows opens no folder and does it itself."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
