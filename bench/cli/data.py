"""``bench data``: inspects character files, packs a dataset into the cache, draws synthetic writers."""

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

HELP = "inspect character files, prepare datasets, draw synthetic data"
SHOWN = 20  # bad records printed one by one; the count covers all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add an argument parser for each action."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    look = actions.add_parser("inspect", help="count files, characters and classes, and report all damage")
    look.add_argument("paths", nargs="+", type=Path, metavar="PATH", help=".gnt, image, zip, alz, or a folder of them")
    look.add_argument("--out", type=Path, metavar="DIR", help="also write a contact sheet of each path to this folder")
    pack = actions.add_parser("prepare", help="pack a dataset's files into the cache")
    pack.add_argument("dataset", metavar="DATASET", help="casia_hwdb or icdar2013")
    pack.add_argument("--data-root", type=Path, required=True, metavar="DIR|ZIP", help="folder or zip of its files")
    which = pack.add_mutually_exclusive_group()
    which.add_argument("--check", action="store_true", help="compare the cache with the files; exit 1 if they differ")
    which.add_argument("--skip-bad-records", action="store_true", help="skip and count bad records instead of stopping")
    draw = actions.add_parser("synthesize", help="draw synthetic writers as CASIA .gnt files")
    draw.add_argument("--classes", type=positive_int, required=True, metavar="N", help="number of characters")
    draw.add_argument("--writers", type=positive_int, required=True, metavar="N", help="number of writers, a file each")
    draw.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to")
    draw.add_argument("--glyphs", action="append", default=[], type=Path, metavar="DIR",
        help="folder of handwriting fonts (TTF, OTF, WOFF, collections) and stroke data (JSON of Make Me a Hanzi or "
        "hanzi-writer-data) that the writers follow, beside the built-in font; repeatable")  # fmt: skip
    for action in (look, pack, draw):
        add_json(action, default=argparse.SUPPRESS)


def run(options: argparse.Namespace) -> Answer:
    """Run one of the actions."""
    answer: Answer = _ACTIONS[options.action](options)
    return answer


def inspect(options: argparse.Namespace) -> Answer:
    """``bench data inspect``: counts what lies below each path and reports all damage; exit 1 if there is any."""
    from datamodules.inspection.inspect import inspect as look
    from datamodules.inspection.inspect import together, write_sheet

    findings = [look(path) for path in options.paths]
    total = together(findings)
    sheets = []
    if options.out is not None:
        written = [write_sheet(options.out, one, number) for number, one in enumerate(findings, 1)]
        sheets = [str(sheet) for sheet in written if sheet is not None]
    if not options.json:
        for problem in total.problems:
            print(" ".join(str(problem).split()), file=sys.stderr)
    problems = [{"file": p.file, "offset": p.offset, "message": str(p)} for p in total.problems]
    paths = [{"path": str(one.path), **_counts(one)} for one in findings]
    document = {**_counts(total), "problems": problems, "paths": paths, "contact_sheets": sheets}
    lines = [f"{one.path}: {_describe(one)}" for one in findings]
    if len(findings) > 1:
        lines.append(f"in total: {_describe(total)}")
    return int(bool(problems)), document, "\n".join([*lines, *(f"contact sheet: {sheet}" for sheet in sheets)])


def prepare(options: argparse.Namespace) -> Answer:
    """``bench data prepare``: packs a dataset's files unless their cache exists, or checks that cache.

    Raises:
        UsageError: a dataset that needs no preparing.
        DataError: a missing part, a damaged file, or a full disk.
    """
    from datamodules._casia import differences

    name, datamodule = options.dataset, _packed(options.dataset, options.data_root)
    if options.check:
        faults = datamodule.check()
        text = "\n".join(faults) or f"{name}: the cache is whole and agrees with its sources"
        return int(bool(faults)), {"dataset": name, "problems": faults}, text
    started = time.monotonic()
    skipped: list[DataError] = []
    prepared = datamodule.prepare(skipped.append if options.skip_bad_records else None)
    seconds = time.monotonic() - started
    keys = {"characters": "count", "other_symbols": "dropped", "bad": "bad"}
    counts = {role: {word: prepared.count(key, role) for word, key in keys.items()} for role in ("train", "test")}
    document = {
        "dataset": name, "cache": str(prepared.folder), **counts, "content": f"sha256:{prepared.content}",
        "notes": differences(datamodule.protocol, prepared), "seconds": seconds,
    }  # fmt: skip
    lines = [str(error) for error in skipped[:SHOWN]]
    if len(skipped) > SHOWN:
        lines.append(f"and {len(skipped) - SHOWN:,} more bad records")
    lines += [
        f"{role}: {count['characters']:,} characters; {count['other_symbols']:,} other symbols dropped, "
        f"{count['bad']:,} bad records left out"
        for role, count in counts.items()
    ]
    return 0, document, "\n".join([*lines, f"prepared: {prepared.folder}"])


def synthesize(options: argparse.Namespace) -> Answer:
    """``bench data synthesize``: synthetic writers as CASIA .gnt files, and a contact sheet."""
    from datamodules.inspection.contact_sheet import write_contact_sheet
    from datamodules.readers.gnt import read_gnt
    from datamodules.synthetic.glyphs import BUILT_IN, find_glyphs
    from datamodules.synthetic.handwriting import write_synthetic_writer
    from datamodules.synthetic_hwdb import spread

    try:
        characters = spread(options.classes)
    except ValueError as error:
        raise UsageError(f"--classes: {error}") from error
    glyphs = find_glyphs(options.glyphs) if options.glyphs else BUILT_IN
    missing = glyphs.missing(characters)
    started = time.monotonic()
    writers = range(1, options.writers + 1)
    files = [write_synthetic_writer(options.out, characters, writer, seed=0, glyphs=glyphs) for writer in writers]
    seconds = time.monotonic() - started
    shown = [record.image for file in files[:10] for record, _ in zip(read_gnt(file), range(20), strict=False)]
    sheet = options.out / "contact-sheet.png"
    write_contact_sheet(sheet, shown, columns=min(20, options.classes))
    count = len(files) * len(characters)
    document = {"synthetic": True, "files": len(files), "records": count, "classes": len(characters),
                "writers": len(files), "seconds": seconds, "contact_sheet": str(sheet),
                "glyphs": [source.name for source in glyphs.sources], "missing": missing}  # fmt: skip
    text = (
        f"wrote {count} synthetic characters of {len(files)} synthetic writers to {options.out}; contact sheet: {sheet}"
    )
    lines = [f"{text}; {count / seconds:.0f} characters per second"]
    if glyphs.sources:
        lines.append(f"writers follow {', '.join(source.name for source in glyphs.sources)} or the built-in font")
    for name, lacking in missing.items():
        some = "".join(lacking[:SHOWN]) + ("…" if len(lacking) > SHOWN else "")
        lines.append(f"{name} lacks {_count(len(lacking), 'character')}: {some}; drawn from the built-in font instead")
    return 0, document, "\n".join(lines)


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


def _counts(findings: "Findings") -> dict[str, Any]:
    from datamodules.inspection.inspect import quantiles

    return {
        "files": findings.files, "records": findings.records, "classes": len(findings.classes),
        "writers": len(findings.writers), "synthetic": findings.synthetic, "synthetic_files": findings.synthetic_files,
        "other_files": findings.other_files, "sizes": quantiles(findings.sizes),
    }  # fmt: skip


def _describe(findings: "Findings") -> str:
    from datamodules.inspection.inspect import quantiles

    kind = "synthetic character" if findings.synthetic else "character"
    writers = _count(len(findings.writers), "writer") if findings.writers else "writers unknown"
    classes = _count(len(findings.classes), "class", "classes")
    parts = [f"{_count(findings.records, kind)} of {classes} in {_count(findings.files, 'file')}, {writers}"]
    if findings.synthetic_files and not findings.synthetic:
        parts.append(f"{_count(findings.synthetic_files, 'file')} of these synthetic")
    if findings.other_files:
        parts.append(f"{_count(findings.other_files, 'file')} of another kind ignored")
    for side, values in (quantiles(findings.sizes) or {}).items():
        quartiles = ", ".join(str(values[name]) for name in ("q25", "median", "q75"))
        parts.append(f"{side} {values['min']} to {values['max']} pixels, quartiles {quartiles}")
    parts.append(_count(len(findings.problems), "problem") if findings.problems else "no damage")
    return "; ".join(parts)


def _count(number: int, word: str, words: str = "") -> str:
    return f"{number} {word if number == 1 else words or word + 's'}"


_ACTIONS = {"inspect": inspect, "prepare": prepare, "synthesize": synthesize}
