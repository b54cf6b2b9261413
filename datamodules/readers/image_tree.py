"""Reads images below class folders, from a folder or a zip: lists the paths, then decodes the images."""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path, PurePath, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from datamodules._errors import DataError
from datamodules.readers.decode import decode_image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
LAYOUT_ADVICE = "Expected layout: train/CLASS/*.png and test/CLASS/*.png, in a folder or a zip."


def entries(root: Path) -> Iterator[tuple[PurePosixPath, bool]]:
    """Paths in a folder or zip, each with whether it is a folder; skips hidden files and ``__MACOSX``.

    Raises:
        DataError: neither a folder nor a zip.
    """
    for path, is_folder in _all_entries(root):
        if not is_hidden(path):
            yield path, is_folder


def is_hidden(path: PurePath) -> bool:
    """Whether file managers wrote this path: a name in it starts with a dot or ``__MACOSX``."""
    return any(part.startswith((".", "__MACOSX")) for part in path.parts)


def read_images(root: Path, paths: Sequence[PurePosixPath]) -> Iterator[NDArray[np.uint8]]:
    """Decode the images at these paths of a folder or zip, in order; see ``decode_image``.

    Raises:
        DataError: a damaged member of the zip, or an image that ``decode_image`` refuses.
    """
    opened: AbstractContextManager[zipfile.ZipFile | None] = nullcontext() if root.is_dir() else zipfile.ZipFile(root)
    with opened as archive:
        for path in paths:
            content = (root / path).read_bytes() if archive is None else _member(archive, root, str(path))
            yield decode_image(content, f"{root}/{path}")


def _all_entries(root: Path) -> Iterator[tuple[PurePosixPath, bool]]:
    if root.is_dir():
        for path in root.rglob("*"):
            yield PurePosixPath(path.relative_to(root).as_posix()), path.is_dir()
        return
    try:
        with zipfile.ZipFile(root) as archive:
            for info in archive.infolist():
                yield PurePosixPath(info.filename), info.is_dir()
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(root, 0, "a zip archive or a folder", str(error), LAYOUT_ADVICE) from error


def _member(archive: zipfile.ZipFile, root: Path, name: str) -> bytes:
    offset = 0
    try:
        info = archive.getinfo(name)
        offset = info.header_offset
        return archive.read(info)
    except (zipfile.BadZipFile, zlib.error, KeyError, RuntimeError, OSError, EOFError) as error:
        raise DataError(f"{root}/{name}", offset, "a readable member of the zip", str(error)) from error
