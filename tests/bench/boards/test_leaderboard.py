"""Boards of systems that were tested under conditions."""

from pathlib import Path

from fake.boards import boards
from fake.claims import claim
from fake.records import condition, record, write

from bench.boards.render import render_all
from bench.records.protocols import Protocol

VALUES = {"rotation": 0.81, "flip": 0.4, "resize": 0.88}
CHECK = {"kind": "data", "why": "files", "measured": {"of": "accuracy@resize", "recipes": ["light"]}}
CLAIM = claim("p/resize", system="fire:gwap", metric="accuracy", printed="65.97", num=65.97, check=CHECK)


def robust(**changes) -> dict:
    found = record("fire:gwap", 0.9, **changes)
    return {**found, "measurements": {**found["measurements"], **condition(0.9, VALUES)}}


def cells(board: str, heading: str) -> list[dict[str, str]]:
    lines = board.split(f"## {heading}\n")[1].split("\n## ")[0].strip().splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    header = [f"{name} {number}" if name.startswith("lost") else name for number, name in enumerate(table[0])]
    return [dict(zip(header, line, strict=True)) for line in table[2:]]


def test_each_condition_stands_beside_clean_with_interval_and_loss(tmp_path: Path) -> None:
    board = boards(tmp_path, robust(), record("lenet5", 0.5))["hccr.md"]
    fire, lenet = cells(board, "Robustness")
    assert fire["System"] == "`fire:gwap`"
    assert fire["Clean, % [95 %]"] == "90.00 [89.00–91.00]"
    assert fire["Flip, % [95 %]"] == "40.00 [39.00–41.00]"
    assert fire["lost, points [95 %] 4"] == "50.00 [49.00, 51.00]"
    assert fire["Resize, % [95 %]"] == "88.00 [87.00–89.00]"
    assert fire["lost, points [95 %] 6"] == "2.00 [1.00, 3.00]"
    assert lenet["Flip, % [95 %]"] == "—"
    assert "## Other conditions" not in board


def test_seeds_are_joined_and_older_protocols_stale(tmp_path: Path) -> None:
    protocols = {name: Protocol("1", "") for name in ("accuracy", "latency")}
    protocols |= {f"accuracy@{name}": Protocol("2" if name == "flip" else "1", "All.") for name in VALUES}
    write(tmp_path, robust(), robust(seed=1))
    files = render_all(tmp_path, lambda suite: "synthetic_hwdb", protocols=protocols, claims=[])
    board = files[tmp_path / "hccr.md"].decode()
    (fire,) = cells(board, "Robustness")
    assert (fire["Flip, % [95 %]"], fire["lost, points [95 %] 4"]) == ("stale", "stale")
    assert fire["Rotation, % [95 %]"] == "81.00 ± 0.00 (2 seeds) [80.00–82.00]"
    assert "- `accuracy@rotation`, `accuracy@resize`, protocol version 1: All." in board


def test_published_robustness_links_to_its_claims_where_systems_were_tested(tmp_path: Path) -> None:
    pages = {}
    for name, made in (("tested", robust()), ("plain", record())):
        write(tmp_path / name, made)
        files = render_all(tmp_path / name, lambda suite: "synthetic_hwdb", claims=[CLAIM])
        pages[name] = files[tmp_path / name / "hccr.md"].decode()
    (line,) = cells(pages["tested"], "Published robustness")
    assert line["Resize, %"] == "[65.97](audit.md#claim-p-resize)"
    assert line["Recipe here"] == "`light`"
    assert "Published robustness" not in pages["plain"]
    assert "Robustness" not in pages["plain"].split("# ", 1)[1]
