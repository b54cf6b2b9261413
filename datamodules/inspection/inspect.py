"""Counts files, characters, classes, writers and sizes below a path, and collects all damage."""

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
from datamodules.readers.image_tree import is_hidden
from datamodules.synthetic.handwriting import file_name

SHEET = "contact-sheet.png"  # suffix of the suite's own contact sheets, which are no characters
SHEET_GROUPS, SHEET_COLUMNS = 10, 20  # files or classes on a sheet, and characters of each
LARGEST_IMAGE = 1 << 26  # bytes of an image file: the size of the largest accepted image, uncompressed
QUANTILES = {"min": 0.0, "q25": 0.25, "median": 0.5, "q75": 0.75, "max": 1.0}
KINDS = "a .gnt file, an image, a zip or an ALZ archive"


@dataclass
class Findings:
    """Counts and damage below one or several paths."""

    path: Path | None = None  # None for several
    files: int = 0  # data files, also in archives
    other_files: int = 0  # of other kinds, ignored
    synthetic_files: int = 0  # drawn by this suite, recognised by name
    records: int = 0  # readable characters
    classes: set[str] = field(default_factory=set)  # characters, or names of folders of images
    writers: set[str] = field(default_factory=set)  # .gnt files with a readable record: each has one writer
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)  # characters by (height, width) in pixels
    problems: list[DataError] = field(default_factory=list)
    shown: dict[str, list[NDArray[np.uint8]]] = field(default_factory=dict)  # for a contact sheet, by file or class

    @property
    def synthetic(self) -> bool | None:
        """True if all files are synthetic, None if unknown."""
        return True if self.files and self.synthetic_files == self.files else None

    def add(self, image: NDArray[np.uint8], kind: str, group: str) -> None:
        """Count a character of class ``kind``; a group is one row of the contact sheet."""
        self.records += 1
        self.classes.add(kind)
        self.sizes[image.shape[0], image.shape[1]] += 1
        if group in self.shown or len(self.shown) < SHEET_GROUPS:
            row = self.shown.setdefault(group, [])
            if len(row) < SHEET_COLUMNS:
                row.append(image.copy())  # a view would keep its whole block in memory


def inspect(path: Path) -> Findings:
    """Read everything below a path: .gnt files, images, zip and ALZ archives of both, and folders of all of them.

    Raises:
        DataError: the path does not exist.
    """
    if not path.exists():
        raise DataError(path, 0, "a file or folder of characters", "nothing there")
    findings = Findings(path)
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file() and not is_hidden(file.relative_to(path)):
                _inspect_file(file, findings)
    elif not _inspect_file(path, findings):
        findings.files, findings.other_files = 1, 0
        findings.problems.append(DataError(path, 0, KINDS, "another kind of file"))
    if not findings.files and not findings.problems:
        findings.problems.append(DataError(path, 0, KINDS, "none"))
    return findings


def together(findings: Sequence[Findings]) -> Findings:
    """The sum over several paths."""
    whole = Findings()
    for part in findings:
        for name in ("files", "other_files", "synthetic_files", "records", "sizes", "problems"):
            setattr(whole, name, getattr(whole, name) + getattr(part, name))
        whole.classes |= part.classes
        whole.writers |= part.writers
    return whole


def quantiles(sizes: Counter[tuple[int, int]]) -> dict[str, dict[str, int]] | None:
    """Quantiles of height and width in pixels that occur in the data; None without characters."""
    if not sizes:
        return None
    levels, counts = list(QUANTILES.values()), list(sizes.values())
    values = np.quantile(np.array(list(sizes)), levels, axis=0, weights=counts, method="inverted_cdf").astype(int)
    heights, widths = values.T.tolist()
    return {"height": dict(zip(QUANTILES, heights, strict=True)), "width": dict(zip(QUANTILES, widths, strict=True))}


def write_sheet(folder: Path, findings: Findings, number: int) -> Path | None:
    """Write the contact sheet ``NUMBER-NAME-contact-sheet.png``; None if there is no character to show."""
    images = [image for row in findings.shown.values() for image in row]
    if not images or findings.path is None:
        return None
    sheet = folder / f"{number}-{findings.path.resolve().name}-{SHEET}"
    write_contact_sheet(sheet, images, SHEET_COLUMNS)
    return sheet


def _inspect_file(path: Path, findings: Findings) -> bool:
    """Read one file on disk; False if its kind contains no characters."""
    try:
        if path.suffix.lower() in ARCHIVE_SUFFIXES or (not _is_known(path.name) and is_archive(path)):
            for member, stream in members(path, findings.problems.append):
                if is_hidden(PurePath(member.name)):
                    continue
                if _is_known(member.name):
                    _read(stream, member.where, findings)
                else:
                    findings.other_files += 1
        elif _is_known(path.name):
            with path.open("rb", buffering=0) as file:
                _read(file, str(path), findings)
        else:
            findings.other_files += 1
            return False
    except OSError as error:
        findings.problems.append(DataError(path, 0, "a readable file", str(error.strerror or error)))
    return True


def _read(file: BinaryIO, where: str, findings: Findings) -> None:
    """Read one file of characters, on disk or in an archive."""
    findings.files += 1
    name = PurePath(where)
    try:
        if name.suffix.lower() == ".gnt":
            findings.synthetic_files += _is_synthetic(name.name)
            for record in read_gnt_stream(file, where, findings.problems.append):
                findings.writers.add(where)
                findings.add(record.image, gnt_character(record.tag), where)
            while file.read(BLOCK):  # read on after damage, so that an archive's checksum is verified
                pass
        else:
            content = file.read(LARGEST_IMAGE + 1)
            if len(content) > LARGEST_IMAGE:
                raise DataError(where, LARGEST_IMAGE, f"an image of at most {LARGEST_IMAGE} bytes", "more")
            findings.add(decode_image(content, where), name.parent.name, str(name.parent))
    except DataError as problem:
        findings.problems.append(problem)


def _is_known(name: str) -> bool:
    suffix = PurePath(name).suffix.lower()
    return suffix == ".gnt" or (suffix in IMAGE_SUFFIXES and not name.endswith(SHEET))


def _is_synthetic(name: str) -> bool:
    number = re.fullmatch(r"s(\d+)\.gnt", name)
    return number is not None and name == file_name(int(number[1]))
