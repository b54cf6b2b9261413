"""``bench data``: inspect files of characters, pack a dataset into the cache, draw synthetic writers."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.cli._arguments import Answer, add_json, positive_int
from bench.plugins import DATASETS
from datamodules._errors import DataError, UsageError

if TYPE_CHECKING:
    from datamodules._casia import HandwritingDatabase
    from datamodules.inspection.inspect import Findings

HELP = "look at data, or draw synthetic data"
SHOWN = 20  # bad records printed one by one; the count is exact


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add an argument parser for each action."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    look = actions.add_parser("inspect", help="count what is there, and name all damage")
    look.add_argument("paths", nargs="+", type=Path, metavar="PATH", help=".gnt, image, zip, alz, or a folder of them")
    look.add_argument("--out", type=Path, metavar="DIR", help="write a contact sheet of each path there")
    pack = actions.add_parser("prepare", help="pack a dataset's files into the cache")
    pack.add_argument("dataset", metavar="DATASET", help="casia_hwdb or icdar2013")
    pack.add_argument("--data-root", type=Path, required=True, metavar="DIR|ZIP", help="where its files are")
    which = pack.add_mutually_exclusive_group()
    which.add_argument("--check", action="store_true", help="read cache and files again; exit 1 where they differ")
    which.add_argument("--skip-bad-records", action="store_true", help="leave them out and count them")
    draw = actions.add_parser("synthesize", help="draw synthetic writers as CASIA .gnt files")
    draw.add_argument("--classes", type=positive_int, required=True, metavar="N")
    draw.add_argument("--writers", type=positive_int, required=True, metavar="N")
    draw.add_argument("--out", type=Path, required=True, metavar="DIR")
    for action in (look, pack, draw):
        add_json(action, default=argparse.SUPPRESS)


def run(options: argparse.Namespace) -> Answer:
    """Run one of the actions."""
    answer: Answer = _ACTIONS[options.action](options)
    return answer


def inspect(options: argparse.Namespace) -> Answer:
    """``bench data inspect``: what lies below each path, and every damage found there."""
    from datamodules.inspection.inspect import inspect as look
    from datamodules.inspection.inspect import together, write_sheet

    findings = [look(path) for path in options.paths]
    whole = together(findings)
    sheets = []
    if options.out is not None:
        written = [write_sheet(options.out, found, number) for number, found in enumerate(findings, 1)]
        sheets = [str(sheet) for sheet in written if sheet is not None]
    if not options.json:
        for problem in whole.problems:
            print(" ".join(str(problem).split()), file=sys.stderr)
    problems = [{"file": p.file, "offset": p.offset, "message": str(p)} for p in whole.problems]
    paths = [{"path": str(found.path), **_counts(found)} for found in findings]
    document = {**_counts(whole), "problems": problems, "paths": paths, "contact_sheets": sheets}
    lines = [f"{found.path}: {_described(found)}" for found in findings]
    if len(findings) > 1:
        lines.append(f"in all: {_described(whole)}")
    return int(bool(problems)), document, "\n".join([*lines, *(f"contact sheet: {sheet}" for sheet in sheets)])


def prepare(options: argparse.Namespace) -> Answer:
    """``bench data prepare``: a dataset's files into its packed cache, or whether that is whole."""
    if options.check:
        return check_dataset(options.dataset, options.data_root)
    return prepare_dataset(options.dataset, options.data_root, options.skip_bad_records)


def synthesize(options: argparse.Namespace) -> Answer:
    """``bench data synthesize``: synthetic writers as CASIA .gnt files, and a contact sheet."""
    from datamodules.inspection.contact_sheet import write_contact_sheet
    from datamodules.readers.gnt import read_gnt
    from datamodules.synthetic.handwriting import write_synthetic_writer
    from datamodules.synthetic_hwdb import spread

    try:
        characters = spread(options.classes)
    except ValueError as error:
        raise UsageError(f"--classes: {error}") from error
    started = time.monotonic()
    writers = range(1, options.writers + 1)
    files = [write_synthetic_writer(options.out, characters, writer, seed=0) for writer in writers]
    seconds = time.monotonic() - started
    shown = [record.image for file in files[:10] for record, _ in zip(read_gnt(file), range(20), strict=False)]
    sheet = options.out / "contact-sheet.png"
    write_contact_sheet(sheet, shown, columns=min(20, options.classes))
    count = len(files) * len(characters)
    document = {"synthetic": True, "files": len(files), "records": count, "classes": len(characters),
                "writers": len(files), "seconds": seconds, "contact_sheet": str(sheet)}  # fmt: skip
    text = f"{count} synthetic characters of {len(files)} synthetic writers in {options.out}, seen in {sheet}"
    return 0, document, f"{text}; {count / seconds:.0f} a second"


def prepare_dataset(name: str, data_root: Path, skip_bad: bool) -> Answer:
    """Pack a dataset's files, unless their cache is there.

    Args:
        name: of a dataset that is packed.
        data_root: the folder or archive with its files.
        skip_bad: leave bad records out and count them, instead of stopping at the first.

    Returns: exit code 0, the document, the text.

    Raises:
        UsageError: a dataset that needs no preparing.
        DataError: a missing part, a damaged file, or a full disk.
    """
    from datamodules._casia import differences

    datamodule = _packed(name, data_root)
    started = time.monotonic()
    problems: list[DataError] = []
    prepared = datamodule.prepare(problems.append if skip_bad else None)
    seconds = time.monotonic() - started
    counts = {
        role: {what: prepared.count(key, role) for what, key in
               (("characters", "count"), ("other_symbols", "dropped"), ("bad", "bad"))}
        for role in ("train", "test")
    }  # fmt: skip
    notes = differences(datamodule.protocol, prepared)
    document = {"dataset": name, "cache": str(prepared.folder), **counts, "content": f"sha256:{prepared.content}",
                "notes": notes, "seconds": seconds}  # fmt: skip
    lines = [f"{error}" for error in problems[:SHOWN]]
    lines += [f"and {len(problems) - SHOWN:,} more bad records"] * (len(problems) > SHOWN)
    lines += [
        f"{role}: {found['characters']:,} characters; {found['other_symbols']:,} other symbols dropped, "
        f"{found['bad']:,} bad records left out"
        for role, found in counts.items()
    ]
    return 0, document, "\n".join([*lines, f"prepared: {prepared.folder}"])


def check_dataset(name: str, data_root: Path) -> Answer:
    """Read a dataset's cache and its sources again, and compare both with what was noted when it was prepared.

    Returns: exit code 1 where something differs or no cache is there, the document, the text.

    Raises:
        UsageError: a dataset that needs no preparing.
        DataError: a missing part or a damaged archive.
    """
    problems = _packed(name, data_root).check()
    text = "\n".join(problems) or f"{name}: the cache is whole and agrees with its sources"
    return int(bool(problems)), {"dataset": name, "problems": problems}, text


def _packed(name: str, data_root: Path) -> "HandwritingDatabase":
    from datamodules._base import DataSettings
    from datamodules._casia import HandwritingDatabase

    try:
        datamodule = DATASETS.load(name).build(DataSettings(data_root))
    except ValueError as error:
        raise UsageError(str(error)) from error
    if not isinstance(datamodule, HandwritingDatabase):
        raise UsageError(f"{name} needs no preparing; bench run reads its files as they are")
    return datamodule


def _counts(found: "Findings") -> dict[str, Any]:
    from datamodules.inspection.inspect import quantiles

    return {
        "files": found.files, "records": found.records, "classes": len(found.classes), "writers": len(found.writers),
        "synthetic": found.synthetic, "synthetic_files": found.synthetic_files, "other_files": found.other_files,
        "sizes": quantiles(found.sizes),
    }  # fmt: skip


def _described(found: "Findings") -> str:
    from datamodules.inspection.inspect import quantiles

    kind = "synthetic character" if found.synthetic else "character"
    writers = _count(len(found.writers), "writer") if found.writers else "writers unknown"
    classes = _count(len(found.classes), "class", "classes")
    parts = [f"{_count(found.records, kind)} of {classes} in {_count(found.files, 'file')}, {writers}"]
    if found.synthetic_files and not found.synthetic:
        parts.append(f"{found.synthetic_files} of the files synthetic")
    if found.other_files:
        parts.append(f"{_count(found.other_files, 'file')} of another kind left aside")
    for side, values in (quantiles(found.sizes) or {}).items():
        quartiles = ", ".join(str(values[name]) for name in ("q25", "median", "q75"))
        parts.append(f"{side} {values['min']} to {values['max']} pixels, quartiles {quartiles}")
    parts.append(_count(len(found.problems), "problem") if found.problems else "no damage")
    return "; ".join(parts)


def _count(number: int, word: str, words: str = "") -> str:
    return f"{number} {word if number == 1 else words or word + 's'}"


_ACTIONS = {"inspect": inspect, "prepare": prepare, "synthesize": synthesize}
