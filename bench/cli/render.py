"""``bench render``: renders the leaderboards from the records, or checks that they are up to date."""

import argparse

from bench.cli._arguments import Answer, add_records_folder
from datamodules._errors import UsageError

HELP = "render the leaderboards from the records"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a board is out of date")
    add_records_folder(parser)


def run(options: argparse.Namespace) -> Answer:
    """Write the boards that differ from their records, or list them."""
    from bench.boards.render import check_boards, write_boards

    if not (options.out / "results").is_dir():
        raise UsageError(f"{options.out}: no folder results/ with records in it; run: bench run --suite hccr")
    if options.check:
        problems = check_boards(options.out)
        return int(bool(problems)), {"problems": problems}, "\n".join(problems) or "the boards are up to date"
    done = write_boards(options.out)
    lines = [f"wrote {path}" for path in done.written] + [f"removed {path}" for path in done.removed]
    document = {
        "written": [str(path) for path in done.written], "removed": [str(path) for path in done.removed],
        "damaged": done.damaged,
    }  # fmt: skip
    return int(bool(done.damaged)), document, "\n".join(lines + done.damaged) or "the boards are up to date"
