"""``bench audit``: checks every figure printed in the papers and prints the contradicted ones."""

import argparse
from pathlib import Path

from bench.cli._arguments import Answer, add_records_folder
from datamodules._errors import UsageError

HELP = "check the figures printed in papers against the networks they describe"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_records_folder(parser)
    parser.add_argument("--with-storage", action="store_true",
        help="for claims about file sizes, write the whole files instead of a sample of the weights; "
        "minutes instead of seconds, cached afterwards")  # fmt: skip
    parser.add_argument("--weights", type=Path, metavar="DIR",
        help="trained weights for --with-storage: safetensors files named by system, such as resnet--50.safetensors, "
        "with torchvision's tensor names; default: seeded Gaussian weights")  # fmt: skip


def run(options: argparse.Namespace) -> Answer:
    """Check every claim and every noted contradiction against the described systems and the records."""
    from bench.audit.auditor import audit
    from bench.audit.claims import load_claims, load_contradictions
    from bench.audit.contradictions import settle
    from bench.audit.files import Files, WeightsFolder
    from bench.boards.audit_page import counted, settled_counted
    from bench.records.load import read_stored
    from bench.records.protocols import present_protocols
    from datamodules._files import cache_folder

    if options.weights and not options.with_storage:
        raise UsageError("--weights is used only with --with-storage; add --with-storage")
    weights = WeightsFolder(options.weights) if options.weights else None
    files = Files(cache_folder() / "audit", weights) if options.with_storage else None
    verdicts = audit(load_claims(), read_stored(options.out)[0], present_protocols(), files)
    wrong = [f"{one.claim.id}: printed {one.claim.printed}; {one.why}" for one in verdicts
             if one.verdict == "contradicted"]  # fmt: skip
    settled = settle(load_contradictions(), verdicts)
    place = f"all claims, with the measured figures: {options.out / 'audit.md'}, written by bench render"
    place += "; that page estimates file sizes from a sample of the weights" if files else ""
    document = {"claims": [one.as_dict() for one in verdicts], "contradictions": [one.as_dict() for one in settled]}
    return 0, document, "\n".join([*wrong, counted(verdicts), settled_counted(settled), place])
