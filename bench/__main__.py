"""The command ``bench``: its verbs and arguments; ``verbs.py`` and ``data_verbs.py``, loaded when used, do the work."""

import argparse
import json
import logging
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from bench.suites._base import SCALES
from datamodules._errors import BenchError

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130
LISTS = ("architectures", "systems", "datasets", "suites", "measurements", "runtimes", "claims")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code: 0 done, 1 a row failed or boards differ, 2 wrong use, 130 interrupted."""
    parser = _parser()
    options = parser.parse_args(arguments)
    options.command = _command(sys.argv[1:] if arguments is None else arguments)
    # Progress and messages go to stderr; with --json stdout holds one document and nothing else.
    try:
        verb: Callable[[argparse.Namespace], tuple[int, Any, str]] = _verb(options)
        with _messages(), redirect_stdout(sys.stderr):  # what a plug-in or a library prints
            code, document, text = verb(options)
    except KeyboardInterrupt:
        print("interrupted; finished rows are kept, and the same command without --fresh continues", file=sys.stderr)
        return EXIT_INTERRUPTED
    except (BenchError, OSError) as error:  # what the user, or the user's disk, can mend
        print(f"bench: {_line(error, options.verb)}", file=sys.stderr)
        return EXIT_USAGE
    shown = json.dumps(document, ensure_ascii=False, indent=1) if options.json else text
    try:
        print(shown, end="\n" if shown else "", flush=True)
    except BrokenPipeError:  # the reader, such as head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


@contextmanager
def _messages() -> Iterator[None]:
    """Show what reading data has to say, such as the progress of preparing it."""
    logger, handler = logging.getLogger("datamodules"), logging.StreamHandler(sys.stderr)
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]


def _verb(options: argparse.Namespace) -> Any:
    if options.verb == "list":  # listing imports no torch: half a second matters here
        from bench.cli.list import list_names

        return list_names
    if options.verb == "data":
        from bench.cli import data as data_verbs

        return getattr(data_verbs, options.action)
    if options.verb in ("export", "recognize", "choose"):  # recognising imports no torch either
        from bench.cli import recognize as home_verbs

        return getattr(home_verbs, options.verb)
    from bench.cli import run as verbs

    return getattr(verbs, options.verb)


def _line(error: BenchError | OSError, verb: str) -> str:
    """What is said of an error, in one line."""
    if not isinstance(error, OSError):
        return str(error)
    text = error.strerror or str(error) or type(error).__name__
    place = f"{error.filename}: " if error.filename else ""
    if isinstance(error, FileNotFoundError) and verb != "run":
        return f"{place}{text}; is it named right?"
    return f"{place}{text}; mend that and run it again" + (", what is finished is kept" if verb == "run" else "")


def _command(arguments: Sequence[str]) -> str:
    """The command as records state it: paths by their base names alone."""
    parts = ([Path(part).name if "/" in part else part for part in re.split("([=:])", word)] for word in arguments)
    return shlex.join(["bench", *map("".join, parts)])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench", description="Which compact network reads handwritten characters best on a CPU?"
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="one JSON document on stdout and nothing else")
    _add_run(verbs.add_parser("run", parents=[shared], help="train, measure and rank the systems of a suite"))
    listing = verbs.add_parser("list", parents=[shared], help="names of what there is")
    listing.add_argument("what", choices=LISTS)
    _add_profile(verbs.add_parser("profile", parents=[shared], help="cost of one system, without training"))
    compare = verbs.add_parser("compare", parents=[shared], help="two records: paired test and ratios")
    compare.add_argument("a", metavar="A", help="a record's file, or a system's name")
    compare.add_argument("b", metavar="B", help="a record's file, or a system's name")
    _add_place(compare)
    render = verbs.add_parser("render", parents=[shared], help="records into leaderboards")
    render.add_argument("--check", action="store_true", help="write nothing; exit 1 when a board differs")
    render.add_argument("--out", type=Path, default=Path("leaderboards"), metavar="DIR", help="folder of results/")
    check = verbs.add_parser("audit", parents=[shared], help="published figures against computed ones, claim by claim")
    check.add_argument("--out", type=Path, default=Path("leaderboards"), metavar="DIR", help="folder of results/")
    check.add_argument("--with-storage", action="store_true",
        help="write the networks of claims about file sizes whole, once: minutes instead of seconds")  # fmt: skip
    check.add_argument("--weights", type=Path, metavar="DIR",
        help="trained weights for these files, safetensors named by system, such as resnet--50.safetensors, with "
        "torchvision's names; seeded Gaussian ones without")  # fmt: skip
    _add_data(verbs.add_parser("data", help="look at data, or draw synthetic data"), shared)
    _add_export(verbs.add_parser("export", parents=[shared], help="a trained system as one file to take home"))
    _add_recognize(verbs.add_parser("recognize", parents=[shared], help="read images with an exported file"))
    _add_choose(verbs.add_parser("choose", parents=[shared], help="which system to deploy, from the records"))
    verbs.add_parser("doctor", parents=[shared], help="is this environment fit, and what to install if not")
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--suite", required=True, metavar="NAME", help="see: bench list suites")
    add("--dataset", metavar="NAME", help="instead of the suite's own; see: bench list datasets")
    add("--data-root", type=Path, metavar="DIR|ZIP", help="where the dataset's files are")
    add("--unlabelled", metavar="DATASET[:ROOT]",
        help="whose images systems +…-retrained learn from, without labels; the dataset's own training images "
        "by default, others' in rows named …-on-NAME; image_folder:ROOT takes any images, idx files too")  # fmt: skip
    add("--weights", type=Path, metavar="DIR",
        help="trained weights that systems +given take, safetensors named by architecture, such as "
        "torchvision--resnet50.safetensors")  # fmt: skip
    add("--scale", choices=SCALES, default="quick", help="smoke: for CI; quick: the default; paper: as published")
    add("--system", action="append", default=[], metavar="NAME",
        help="NAME[:variant][+recipe][+storage] instead of the default rows; may be repeated")  # fmt: skip
    add("--runtime", action="append", default=[], metavar="NAME", help="time with this runtime too; may be repeated")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--seeds", type=_positive, metavar="N", help="N runs of each row: mean and spread")
    which.add_argument("--seed", type=_seed, metavar="K", help="one run with this seed; default 0")
    add("--out", type=Path, metavar="DIR", help="folder of results/ and boards; leaderboards, at smoke runs/smoke")
    add("--fresh", action="store_true", help="measure again what is already measured")
    add("--dry-run", action="store_true", help="the rows, their cost and an estimated time; nothing is run")
    add("--wandb", choices=("off", "offline", "online"), default="off", help="Weights & Biases beside the records")
    add("--accelerator", choices=("auto", "cpu", "gpu"), default="auto", help="where to train")


def _add_profile(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("system", metavar="SYSTEM", help="see: bench list systems")
    add("--classes", type=_positive, default=3755, metavar="N", help="label-space size; 3,755 by default")
    add("--runtime", default="eager", metavar="NAME", help="see: bench list runtimes")
    add("--checkpoint", type=Path, metavar="FILE", help="trained weights, safetensors; random ones without")
    add("--long", action="store_true", help="time it in three processes, one after the other, and join them")


def _add_export(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("system", metavar="SYSTEM", help="see: bench list systems")
    add("--checkpoint", type=Path, required=True, metavar="FILE", help="its trained weights, safetensors")
    add("--format", choices=("onnx", "openvino"), required=True, help="openvino: a zip of its pair of files")
    add("--out", type=Path, required=True, metavar="FILE", help="the file to write")
    add("--labels", type=Path, metavar="FILE", help="class names, one a line, for weights that do not name them")
    add("--records", type=Path, default=Path("leaderboards"), metavar="DIR",
        help="folder of results/ where the accuracy of these weights is looked up")  # fmt: skip


def _add_recognize(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="written by bench export")
    add(
        "images", type=Path, nargs="+", metavar="IMAGE", help="photo or scan of one character; with --batch folders too"
    )
    add("--top", type=_positive, default=5, metavar="K", help="how many characters to name; 5 by default")
    add("--batch", action="store_true", help="many images at full speed, on all cores")


def _add_choose(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--max-latency-ms", type=_amount, metavar="X",
        help="milliseconds a character, one thread: the ratio to the reference times its median time")  # fmt: skip
    add("--min-accuracy", type=_per_cent, metavar="X", help="per cent of the test part; 1 and less is a ratio")
    add("--max-size-mb", type=_amount, metavar="X", help="MB of 10^6 bytes")
    add("--suite", default="hccr", metavar="NAME")
    add("--dataset", metavar="NAME", help="as records name it; the suite's own by default")
    add("--scale", choices=SCALES, default="quick")
    add("--machine", metavar="NAME", help="as records name it; needed where there are several")
    add("--out", type=Path, default=Path("leaderboards"), metavar="DIR", help="folder of results/")


def _add_place(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--suite", default="hccr", metavar="NAME")
    add("--dataset", metavar="NAME", help="as records name it; the suite's own by default")
    add("--scale", choices=SCALES, default="quick")
    add("--seed", type=_seed, default=0, metavar="K")
    add("--out", type=Path, default=Path("leaderboards"), metavar="DIR", help="folder of results/")


def _add_data(parser: argparse.ArgumentParser, shared: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    look = actions.add_parser("inspect", parents=[shared], help="count what is there, and name all damage")
    look.add_argument("paths", nargs="+", type=Path, metavar="PATH", help=".gnt, image, zip, alz, or a folder of them")
    look.add_argument("--out", type=Path, metavar="DIR", help="write a contact sheet of each path there")
    pack = actions.add_parser("prepare", parents=[shared], help="pack a dataset's files into the cache")
    pack.add_argument("dataset", metavar="DATASET", help="casia_hwdb or icdar2013")
    pack.add_argument("--data-root", type=Path, required=True, metavar="DIR|ZIP", help="where its files are")
    which = pack.add_mutually_exclusive_group()
    which.add_argument("--check", action="store_true", help="read cache and files again; exit 1 where they differ")
    which.add_argument("--skip-bad-records", action="store_true", help="leave them out and count them")
    draw = actions.add_parser("synthesize", parents=[shared], help="draw synthetic writers as CASIA .gnt files")
    draw.add_argument("--classes", type=_positive, required=True, metavar="N")
    draw.add_argument("--writers", type=_positive, required=True, metavar="N")
    draw.add_argument("--out", type=Path, required=True, metavar="DIR")


def _seed(text: str) -> int:
    if not text.isdigit() or int(text) >= 2**32:  # numpy's and Lightning's range
        raise argparse.ArgumentTypeError(f"wanted a whole number from 0 to {2**32 - 1}, got {text!r}")
    return int(text)


def _amount(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"wanted a number above 0, got {text!r}")
    return value


def _per_cent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"wanted per cent from 0 to 100, got {text!r}")
    return value


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"wanted a whole number above 0, got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
