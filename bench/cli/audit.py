"""``bench audit``: one verdict for each figure that the papers print."""

import argparse
from pathlib import Path

from bench.cli._arguments import Answer, add_records_folder
from datamodules._errors import UsageError

HELP = "published figures against computed ones, claim by claim"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_records_folder(parser)
    parser.add_argument("--with-storage", action="store_true",
        help="write the networks of claims about file sizes whole, once: minutes instead of seconds")  # fmt: skip
    parser.add_argument("--weights", type=Path, metavar="DIR",
        help="trained weights for these files, safetensors named by system, such as resnet--50.safetensors, with "
        "torchvision's names; seeded Gaussian ones without")  # fmt: skip


def run(options: argparse.Namespace) -> Answer:
    """Check every claim, and every noted contradiction, against the described systems and the records."""
    from bench.audit.auditor import audit
    from bench.audit.claims import load_claims, load_contradictions
    from bench.audit.contradictions import settle
    from bench.audit.files import Files, WeightsFolder
    from bench.boards.audit_page import counted, settled_counted
    from bench.records.load import read_stored
    from bench.records.protocols import present_protocols
    from datamodules._files import cache_folder

    if options.weights and not options.with_storage:
        raise UsageError("--weights: files are written with --with-storage alone; add it")
    given = WeightsFolder(options.weights) if options.weights else None
    files = Files(cache_folder() / "audit", given) if options.with_storage else None
    verdicts = audit(load_claims(), read_stored(options.out)[0], present_protocols(), files)
    wrong = [f"{found.claim.id}: printed {found.claim.printed}; {found.why}" for found in verdicts
             if found.verdict == "contradicted"]  # fmt: skip
    noted = settle(load_contradictions(), verdicts)
    place = f"every claim, with what was measured: {options.out / 'audit.md'}, written by bench render"
    place += "; sizes of files stand there as a sample shows them" if files else ""
    document = {
        "claims": [found.as_dict() for found in verdicts],
        "contradictions": [one.as_dict() for one in noted],
    }
    return 0, document, "\n".join([*wrong, counted(verdicts), settled_counted(noted), place])
