"""The cache folder, atomic file writes, and SHA-256 checksums of files."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType


def cache_folder() -> Path:
    """The cache folder: $HCCR_BENCH_CACHE, else hccr-bench in $XDG_CACHE_HOME or ~/.cache."""
    if folder := os.environ.get("HCCR_BENCH_CACHE"):
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hccr-bench"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path; renamed to ``path`` if the block succeeds, else deleted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file atomically: readers see either the old or the new content."""
    with whole_file(path) as partial:
        partial.write_bytes(content)


def sha256(path: Path) -> str | None:
    """SHA-256 of a file in hexadecimal; None if it does not exist."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def source_hash(*modules: ModuleType) -> str:
    """Eight hexadecimal digits over the source code of these modules: part of the path of what they generate."""
    return hashlib.sha256(b"".join(Path(str(module.__file__)).read_bytes() for module in modules)).hexdigest()[:8]


def write_all(descriptor: int, content: bytes | bytearray) -> None:
    """Write all of ``content``; a single ``os.write`` to a nearly full disk may write only a part."""
    remaining = memoryview(content)
    while remaining:
        remaining = remaining[os.write(descriptor, remaining) :]
