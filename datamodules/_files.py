"""Where files that can be made again are kept, and how a file is written whole or not at all."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_folder() -> Path:
    """The user's cache folder for this suite: $HCCR_BENCH_CACHE, else $XDG_CACHE_HOME or ~/.cache, hccr-bench."""
    named = os.environ.get("HCCR_BENCH_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hccr-bench"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; it takes the name ``path`` when the block ends well, else vanishes."""
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
    """Write a file atomically: readers see the old content or the new, never a part."""
    with whole_file(path) as partial:
        partial.write_bytes(content)


def sha256(path: Path) -> str | None:
    """SHA-256 of a file in hexadecimal; None where there is no file."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_all(descriptor: int, content: bytes | bytearray) -> None:
    """Write all of ``content``: a nearly full disk takes a part first and refuses the rest."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
