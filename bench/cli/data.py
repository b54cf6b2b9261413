"""What the verbs ``bench data ...`` do: each takes the parsed options and returns (exit code, JSON document, text)."""

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.cli.run import Answer
    from datamodules.inspection.inspect import Findings


def inspect(options: argparse.Namespace) -> "Answer":
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


def prepare(options: argparse.Namespace) -> "Answer":
    """``bench data prepare``: a dataset's files into its packed cache, or whether that is whole."""
    from bench.cli._preparing import check_dataset, prepare_dataset

    if options.check:
        return check_dataset(options.dataset, options.data_root)
    return prepare_dataset(options.dataset, options.data_root, options.skip_bad_records)


def synthesize(options: argparse.Namespace) -> "Answer":
    """``bench data synthesize``: synthetic writers as CASIA .gnt files, and a contact sheet."""
    from bench.run.plan import UsageError
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
