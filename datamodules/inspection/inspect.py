"""What lies in a file or folder of characters, and what of it is damaged."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from datamodules._errors import DataError
from datamodules.inspection.contact_sheet import write_contact_sheet
from datamodules.readers.archive import SUFFIXES as ARCHIVE_SUFFIXES
from datamodules.readers.archive import is_archive, members
from datamodules.readers.decode import decode_image
from datamodules.readers.gnt import BLOCK, gnt_character, read_gnt_stream
from datamodules.readers.image_tree import SUFFIXES as IMAGE_SUFFIXES
from datamodules.synthetic.handwriting import file_name

SHEET = "contact-sheet.png"  # how the names of the suite's own contact sheets end; they are no characters
SHEET_GROUPS, SHEET_COLUMNS = 10, 20  # so many files or classes, and first characters of each
LARGEST_IMAGE = 1 << 26  # bytes of an image file: as many as the largest image taken, uncompressed
QUANTILES = {"min": 0.0, "q25": 0.25, "median": 0.5, "q75": 0.75, "max": 1.0}
KINDS = "a .gnt file, an image, a zip or an ALZ archive"


@dataclass
class Findings:
    """What was found below one path, or below several.

    Attributes:
        path: where; None for several.
        files: of data, in archives or not.
        other_files: of another kind, left aside.
        synthetic_files: those that this suite drew, by their names.
        records: characters that could be read.
        classes: their characters, or names of their folders.
        writers: .gnt files with a readable record: the format's files are of one writer each.
        sizes: how often each (height, width) occurs, in pixels.
        problems: all damage.
        shown: first characters of the first files or classes, for a contact sheet.
    """

    path: Path | None = None
    files: int = 0
    other_files: int = 0
    synthetic_files: int = 0
    records: int = 0
    classes: set[str] = field(default_factory=set)
    writers: set[str] = field(default_factory=set)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    problems: list[DataError] = field(default_factory=list)
    shown: dict[str, list[NDArray[np.uint8]]] = field(default_factory=dict)

    @property
    def synthetic(self) -> bool | None:
        """True where all files are synthetic, None where that is not known."""
        return True if self.files and self.synthetic_files == self.files else None

    def add(self, image: NDArray[np.uint8], kind: str, group: str) -> None:
        """Count a character of class ``kind``; groups share a row of the contact sheet."""
        self.records += 1
        self.classes.add(kind)
        self.sizes[image.shape[0], image.shape[1]] += 1
        if group in self.shown or len(self.shown) < SHEET_GROUPS:
            row = self.shown.setdefault(group, [])
            if len(row) < SHEET_COLUMNS:
                row.append(image.copy())  # a view would hold what it was read from


def inspect(path: Path) -> Findings:
    """Read everything below a path: .gnt files, images, zip and ALZ archives of both, and folders of all of them.

    Raises:
        DataError: nothing lies there.
    """
    if not path.exists():
        raise DataError(path, 0, "a file or folder of characters", "nothing there")
    found = Findings(path)
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file() and not _is_hidden(file.relative_to(path)):
                _look_at(file, found)
    elif not _look_at(path, found):
        found.files, found.other_files = 1, 0
        found.problems.append(DataError(path, 0, KINDS, "another kind of file"))
    if not found.files and not found.problems:
        found.problems.append(DataError(path, 0, KINDS, "none"))
    return found


def together(findings: Sequence[Findings]) -> Findings:
    """The sum over several paths."""
    whole = Findings()
    for found in findings:
        whole.files += found.files
        whole.other_files += found.other_files
        whole.synthetic_files += found.synthetic_files
        whole.records += found.records
        whole.classes |= found.classes
        whole.writers |= found.writers
        whole.sizes += found.sizes
        whole.problems += found.problems
    return whole


def quantiles(sizes: Counter[tuple[int, int]]) -> dict[str, dict[str, int]] | None:
    """Quantiles of height and width in pixels, each one that occurs; None without a character."""
    if not sizes:
        return None
    counts = np.array(list(sizes.values()))
    sides = dict(zip(("height", "width"), np.array(list(sizes)).T, strict=True))
    return {side: dict(zip(QUANTILES, _weighted(lengths, counts), strict=True)) for side, lengths in sides.items()}


def write_sheet(folder: Path, found: Findings, number: int) -> Path | None:
    """Write a contact sheet of what was found; None where there is no character to show.

    Returns: its path, ``NUMBER-NAME-contact-sheet.png``.
    """
    images = [image for row in found.shown.values() for image in row]
    if not images or found.path is None:
        return None
    sheet = folder / f"{number}-{found.path.resolve().name}-{SHEET}"
    write_contact_sheet(sheet, images, SHEET_COLUMNS)
    return sheet


def _weighted(lengths: NDArray[np.int_], counts: NDArray[np.int_]) -> list[int]:
    found = np.quantile(lengths, list(QUANTILES.values()), weights=counts, method="inverted_cdf")
    return [int(length) for length in found]


def _look_at(path: Path, found: Findings) -> bool:
    """Read one file on disk; False where it is of no kind that holds characters."""
    try:
        if path.suffix.lower() in ARCHIVE_SUFFIXES or (not _is_known(path.name) and is_archive(path)):
            _read_archive(path, found)
        elif _is_known(path.name):
            with path.open("rb", buffering=0) as file:
                _read(file, str(path), found)
        else:
            found.other_files += 1
            return False
    except OSError as error:
        found.problems.append(DataError(path, 0, "a readable file", str(error.strerror or error)))
    return True


def _read_archive(path: Path, found: Findings) -> None:
    for member, stream in members(path, found.problems.append):
        if _is_hidden(PurePath(member.name)):
            continue
        if _is_known(member.name):
            _read(stream, member.where, found)
        else:
            found.other_files += 1


def _read(file: BinaryIO, where: str, found: Findings) -> None:
    """Read one file of characters, on disk or in an archive."""
    found.files += 1
    name = PurePath(where)
    try:
        if name.suffix.lower() == ".gnt":
            _read_gnt(file, where, found)
            while file.read(BLOCK):  # what follows damage, so that an archive's checksum is looked at
                pass
        else:
            content = file.read(LARGEST_IMAGE + 1)
            if len(content) > LARGEST_IMAGE:
                raise DataError(where, LARGEST_IMAGE, f"an image of at most {LARGEST_IMAGE} bytes", "more")
            found.add(decode_image(content, where), name.parent.name, str(name.parent))
    except DataError as problem:
        found.problems.append(problem)


def _read_gnt(file: BinaryIO, where: str, found: Findings) -> None:
    found.synthetic_files += _is_synthetic(PurePath(where).name)
    for record in read_gnt_stream(file, where, found.problems.append):
        found.writers.add(where)
        found.add(record.image, gnt_character(record.tag), where)


def _is_known(name: str) -> bool:
    suffix = PurePath(name).suffix.lower()
    return suffix == ".gnt" or (suffix in IMAGE_SUFFIXES and not name.endswith(SHEET))


def _is_hidden(path: PurePath) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in path.parts)  # what file managers leave


def _is_synthetic(name: str) -> bool:
    number = re.fullmatch(r"s(\d+)\.gnt", name)
    return number is not None and name == file_name(int(number[1]))
