"""The command ``bench``: parses the command line, runs one verb of ``bench/cli`` and prints its result."""

import argparse
import io
import json
import logging
import os
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from bench.cli._arguments import add_json
from bench.plugins import VERBS
from datamodules._errors import BenchError

EXIT_USAGE, EXIT_INTERRUPTED = 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; return 0: done, 1: a row failed or boards differ, 2: wrong use or no data, 130: interrupted."""
    for stream in (sys.stdout, sys.stderr):  # in a pipe, Windows would choose an encoding without most characters
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() != "utf-8":
            stream.reconfigure(encoding="utf-8")
    arguments = sys.argv[1:] if arguments is None else arguments
    options = make_parser(*arguments[:1]).parse_args(arguments)
    options.command = command_line(arguments)
    # Progress and messages go to stderr: with --json, stdout holds one document and nothing else.
    try:
        with _data_messages(), redirect_stdout(sys.stderr):  # plug-ins and libraries may print
            code, document, text = VERBS.load(options.verb).run(options)
    except KeyboardInterrupt:
        print("interrupted; finished rows are kept, and the same command without --fresh continues", file=sys.stderr)
        return EXIT_INTERRUPTED
    except (BenchError, OSError) as error:  # errors that the user can fix
        print(f"bench: {_error_line(error, options.verb)}", file=sys.stderr)
        return EXIT_USAGE
    shown = json.dumps(document, ensure_ascii=False, indent=1) if options.json else text
    try:
        print(shown, end="\n" if shown else "", flush=True)
    except BrokenPipeError:  # the reader of the pipe, such as head, stopped reading
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return int(code)


def make_parser(verb: str = "") -> argparse.ArgumentParser:
    """The parser of one verb, or of the whole command line if there is no such verb; imports only the verbs' files."""
    about = "Train, measure and compare compact networks that recognise handwritten characters on a CPU."
    parser = argparse.ArgumentParser(prog="bench", description=about)
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    names = VERBS.names()
    for name in [verb] if verb in names else names:
        module = VERBS.load(name)
        verb_parser = verbs.add_parser(name, help=module.HELP)
        add_json(verb_parser)
        module.add_arguments(verb_parser)
    return parser


class _Version(argparse.Action):
    """Prints the version of the installed package; argparse's own action would look it up for every command."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib import metadata  # a slow import

        try:
            print(f"hccr-bench {metadata.version('hccr-bench')}")
        except metadata.PackageNotFoundError:
            print("hccr-bench: a checkout that is not installed, so without a version; pip install -e . installs it")
        parser.exit()


def command_line(arguments: Sequence[str]) -> str:
    """The command as records store it: every path shortened to its base name."""
    parts = (
        [Path(part).name if {"/", os.sep} & set(part) else part for part in re.split("([=:])", word)]
        for word in arguments
    )
    return shlex.join(["bench", *map("".join, parts)])


@contextmanager
def _data_messages() -> Iterator[None]:
    """Print the log messages of datamodules, such as the progress of packing a cache, to stderr."""
    logger, handler = logging.getLogger("datamodules"), logging.StreamHandler(sys.stderr)
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


def _error_line(error: BenchError | OSError, verb: str) -> str:
    """An error as one line, with the next step."""
    if not isinstance(error, OSError):
        return str(error)
    text = error.strerror or str(error) or type(error).__name__
    place = f"{error.filename}: " if error.filename else ""
    if isinstance(error, FileNotFoundError) and verb != "run":
        return f"{place}{text}; check the name"
    return f"{place}{text}; fix this and run the command again" + ("; finished rows are kept" if verb == "run" else "")


if __name__ == "__main__":
    sys.exit(main())
