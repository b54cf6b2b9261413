"""Renders the leaderboards: every Markdown file and picture, from the records and the claims alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from bench.audit.auditor import audit
from bench.audit.claims import Claim, load_claims, load_contradictions
from bench.audit.contradictions import settle
from bench.boards import leaderboard as board
from bench.boards.audit_page import audit_parts
from bench.boards.markdown import table
from bench.boards.performance import performance_board
from bench.boards.published import published_table, robustness_claims, robustness_table, shown_claims
from bench.boards.readme import filled as readme_filled
from bench.boards.scatter_plot import picture
from bench.boards.sections.all_sections import sections_text
from bench.boards.sections.section import Section
from bench.plugins import SUITES
from bench.records.load import Stored, read_stored
from bench.records.protocols import Protocol, present_protocols
from bench.records.repeatability import Spread, between_runs
from bench.records.rows import ROBUST, BoardRow, board_rows, ranked_machine, sections
from datamodules._files import write_whole

MARK = "Rendered by bench render from the records under results; not edited by hand."


class Written(NamedTuple):
    """Files that ``write_boards`` wrote and removed, and a message for each damaged record."""

    written: list[Path]
    removed: list[Path]
    damaged: list[str]


@dataclass(frozen=True)
class Basis:
    """What boards are rendered from, besides their own records: today's protocols, published figures, the spread of
    latency ratios between runs by machine, and the records of all boards.
    """

    protocols: Mapping[str, Protocol]
    claims: Sequence[Claim]
    between: Mapping[str, Spread]
    records: Sequence[Stored]


def default_dataset(suite: str) -> str:
    """The data set that a suite runs on by default; empty for a suite that is not installed."""
    return str(SUITES.load(suite).SUITE.dataset) if suite in SUITES.names() else ""


def suite_title(suite: str) -> str:
    """Heading of a suite's boards: its title, or its name if it is not installed."""
    return str(SUITES.load(suite).SUITE.title) if suite in SUITES.names() else suite


def render_all(
    leaderboards: Path,
    default_dataset: Callable[[str], str] = default_dataset,
    *,
    title: Callable[[str], str] = suite_title,
    protocols: Mapping[str, Protocol] | None = None,
    claims: Sequence[Claim] | None = None,
) -> dict[Path, bytes]:
    """Every board and picture by its path, from the records; deterministic to the byte.

    A folder named ``leaderboards`` also gets the audit of published figures and the README's tables.

    Args:
        leaderboards: the folder that holds ``results``.
        default_dataset: a suite's own data set; its board is ``<suite>.md``, others are ``<suite>-<dataset>.md``.
        title: heading of a suite's boards.
        protocols: how measurements are made today; None for the installed ones.
        claims: published figures; None for the shipped ones.
    """
    protocols = present_protocols() if protocols is None else protocols
    noted = load_contradictions() if claims is None else []
    claims = load_claims() if claims is None else claims
    groups: dict[tuple[str, str | None], list[Stored]] = {}
    every_record = read_stored(leaderboards)[0]
    for item in every_record:
        dataset = item.record["dataset"]
        groups.setdefault((item.record["suite"], dataset["name"] if dataset else None), []).append(item)
    latency = protocols["latency"].version if "latency" in protocols else ""
    basis = Basis(protocols, claims, between_runs(every_record, latency), every_record)
    files: dict[str, bytes] = {}
    first_rows: dict[str, list[BoardRow]] = {}
    for suite, name in sorted(groups, key=str):
        stored = groups[suite, name]
        if name is None:
            files[f"{suite}.md"] = _page(title(suite), [performance_board(stored, protocols)])
        else:
            stem = board_stem(suite, name, default_dataset)
            files |= _recogniser_board(stem, title(suite), stored, basis)
            first_rows[stem] = list(_section_of(sections(stored)[0], basis).rows)
    is_project = leaderboards.name == "leaderboards"  # other folders, such as those of trial runs, get boards alone
    if is_project:
        verdicts = audit(claims, every_record, protocols)
        files["audit.md"] = _page("Published figures, audited", audit_parts(verdicts, settle(noted, verdicts)))
    boards = {leaderboards / name: content for name, content in sorted(files.items())}
    readme = leaderboards.parent / "README.md"
    content = readme_filled(readme, first_rows.get) if is_project else None
    return boards if content is None else {**boards, readme: content}


def write_boards(
    leaderboards: Path, default_dataset: Callable[[str], str] = default_dataset, **options: Any
) -> Written:
    """Write the boards that differ, each atomically, and remove rendered files that no record needs any more."""
    files = render_all(leaderboards, default_dataset, **options)
    differing = [path for path, content in files.items() if not path.exists() or path.read_bytes() != content]
    for path in differing:
        write_whole(path, files[path])
    obsolete = _obsolete(leaderboards, files)
    for path in obsolete:
        path.unlink()
    return Written(differing, obsolete, _damaged(leaderboards))


def check_boards(
    leaderboards: Path, default_dataset: Callable[[str], str] = default_dataset, **options: Any
) -> list[str]:
    """One line for each file that is missing, out of date, obsolete or damaged; empty if there is none."""
    files = render_all(leaderboards, default_dataset, **options)
    problems = {path: "missing" for path in files if not path.exists()}
    problems |= {path: "differs from its records" for path, content in files.items()
                 if path.exists() and path.read_bytes() != content}  # fmt: skip
    problems |= dict.fromkeys(_obsolete(leaderboards, files), "obsolete, no record needs it")
    lines = [f"{path.name}: {problem}; run bench render" for path, problem in problems.items()]
    return lines + _damaged(leaderboards)


def board_stem(suite: str, dataset: str, default_dataset: Callable[[str], str] = default_dataset) -> str:
    """File name, without suffix, of a suite's board on a data set."""
    return suite if dataset == default_dataset(suite) else f"{suite}-{dataset}"


def _recogniser_board(stem: str, title: str, stored: Sequence[Stored], basis: Basis) -> dict[str, bytes]:
    """One board and the pictures of its sections; the first section's picture has the board's stem."""
    first, claims, protocols = stored[0].record, basis.claims, basis.protocols
    shown = shown_claims(claims, first["suite"], first["dataset"]["name"])
    groups = sections(stored)
    every_row: list[BoardRow] = []
    parts: list[str] = []
    files: dict[str, bytes] = {}
    for number, group in enumerate(groups, 1):
        section = _section_of(group, basis)
        every_row += [*section.rows, *section.others]
        suffix = f" ({_section_name(group, groups)})" if len(groups) > 1 else ""
        image = stem + (f"-{number}" if number > 1 else "") + ".svg"
        picture_title = partial(_picture_title, title, group[0].record)
        text, pictures = _section(section, suffix, image, picture_title, first["dataset"]["name"])
        parts += text
        files |= pictures
    if shown:
        parts += ["## Published figures\n", _PUBLISHED, table(*published_table(shown), 3)]
    tested = robustness_claims(claims) if any(name in ROBUST for row in every_row for name in row.figures) else []
    if tested:
        parts += ["## Published robustness\n", _PUBLISHED, table(*robustness_table(tested), 4)]
    parts += ["## How it was measured\n", board.protocols_text(every_row, protocols)]
    parts += ["## Records\n", board.records_text(every_row)]
    return {f"{stem}.md": _page(title, parts), **files}


def _section_of(group: Sequence[Stored], basis: Basis) -> Section:
    """Comparable records as rows, those of the ranked machine apart from those of others."""
    rows = board_rows(group, basis.protocols, basis.between)
    machine = ranked_machine(rows)
    ranked = [row for row in rows if row.machine == machine]
    suite = [item for item in basis.records if item.record["suite"] == group[0].record["suite"]]
    return Section(ranked, group, basis.claims, [row for row in rows if row.machine != machine], suite)


def _section(
    section: Section, suffix: str, image: str, title: Callable[[str], str], dataset: str
) -> tuple[list[str], dict[str, bytes]]:
    """Advice, leaderboard and further sections of comparable rows, and their pictures by file name."""
    rows = section.rows
    parts = [board.facts(section), f"## Which system to deploy{suffix}\n", board.advice(rows)]
    plot = picture(rows, title(""), MARK)
    if plot is not None:
        alt = "Accuracy against latency of the systems in the table below; a line connects the Pareto front"
        parts.append(f"![{alt}]({image})\n")
    parts += [f"## Leaderboard{suffix}\n", board.ranking(rows, section.claims, dataset)]
    more, pictures = sections_text(section, suffix, image, title, MARK)
    return parts + more, {**({image: plot} if plot is not None else {}), **pictures}


def _picture_title(title: str, record: Mapping[str, Any], heading: str) -> str:
    """Title of a picture: the section's heading, or the board's title for the leaderboard's own picture."""
    dataset = record["dataset"]
    synthetic = ", synthetic data" if dataset["synthetic"] else ""
    return f"{heading or title}: {dataset['name']}{synthetic}, scale {record['scale']}"


def _section_name(group: Sequence[Stored], groups: Sequence[Sequence[Stored]]) -> str:
    """The group's scale, and its classes and fingerprint if another group has the same scale."""
    record = group[0].record
    scale = f"scale {record['scale']}"
    if sum(other[0].record["scale"] == record["scale"] for other in groups) == 1:
        return scale
    fingerprint = record["dataset"]["fingerprint"].removeprefix("sha256:")
    return f"{scale}, {record['dataset']['classes']:,} classes, fingerprint {fingerprint[:8]}"


def _damaged(leaderboards: Path) -> list[str]:
    return [str(error) for error in read_stored(leaderboards)[1]]


def _page(title: str, parts: Sequence[str]) -> bytes:
    return "\n".join([f"<!-- {MARK} -->\n", f"# {title}\n", *parts]).encode()


def _obsolete(leaderboards: Path, files: Mapping[Path, bytes]) -> list[Path]:
    """Earlier rendered files that are not among ``files``; files without the mark are not touched."""
    paths = sorted([*leaderboards.glob("*.md"), *leaderboards.glob("*.svg")])
    return [path for path in paths if path not in files and MARK.encode() in path.read_bytes()]


_PUBLISHED = (
    "Figures from papers, on their data, by their protocols and on their machines. They cannot be compared with the "
    "rows above and are never ranked with them.\n"
)
