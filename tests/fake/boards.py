"""Boards rendered from made-up records, claims and protocols, and how to read them."""

from pathlib import Path

from fake.records import version, write

from bench.audit.claims import Claim
from bench.boards.render import render_all
from bench.records.protocols import Protocol

PROTOCOLS = {name: Protocol(version(name), f"How {name} is measured.") for name in ("accuracy", "macs", "latency")}
CLAIMS = [
    Claim("p/t1/acc", "p", "hccr", "Fire", "fire:gwap", "icdar", "accuracy", "%", "96.91%", 96.91, "Table 1"),
    Claim("p/t1/macs", "p", "hccr", "Fire", "fire:gwap", "icdar", "flops", "1e8", "0.91", 91e6, "Table 1"),
    Claim("p/t2/acc", "p", "hccr", "Fire", "fire:gwap", "icdar", "accuracy", "%", "96.96", 96.96, "Text"),
    Claim("q/acc", "q", "hccr", "Other", None, "icdar", "accuracy", "%", "97.5", 97.5),
    Claim("c/acc", "c", "cifar", "Net", "resnet:18", "cifar10", "accuracy", "%", "88.9", 88.9),
]


def boards(folder: Path, *records) -> dict[str, str]:
    """Rendered boards and pictures of these records, by file name."""
    write(folder, *records)
    files = render_all(folder, lambda suite: "synthetic_hwdb", protocols=PROTOCOLS, claims=CLAIMS)
    return {path.name: content.decode() for path, content in files.items()}


def line_of(board: str, system: str) -> dict[str, str]:
    """A system's line in the ranked table, by column."""
    lines = board.split("## Leaderboard")[1].split("## ")[0].strip().splitlines()
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    match = [cells for cells in found[2:] if cells[2].split(" ")[0] == f"`{system}`"]
    assert len(match) == 1
    return dict(zip(found[0], match[0], strict=True))


def order_of(board: str) -> list[str]:
    lines = board.split("## Leaderboard")[1].split("## ")[0].strip().splitlines()[2:]
    return [line.split("|")[3].strip().split(" ")[0].strip("`") for line in lines if line.startswith("|")]
