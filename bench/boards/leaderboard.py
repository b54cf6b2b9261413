"""Parts of a leaderboard page in Markdown: facts, advice, ranked table, published figures, protocols, records."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from bench.audit.claims import Claim
from bench.boards import published
from bench.boards.columns import columns_of
from bench.boards.markdown import table
from bench.boards.sections import other_machines
from bench.boards.sections.section import Section
from bench.records import formatting
from bench.records.protocols import Protocol, protocol_name
from bench.records.rows import BASELINE, BoardRow
from bench.system import base_name

FRONT = "◆"
_SYNTHETIC = (
    "**Synthetic data**: a program drew these characters; nobody wrote them by hand. The accuracies do not show how "
    "well a system reads real handwriting. Where the same systems were measured on real characters too, a section "
    "below compares their order."
)
_PARTS = {"train": "training", "val": "validation", "test": "test"}  # key of a record's dataset -> word


def facts(section: Section) -> str:
    """Data set, scale, machines, versions, date and command, as the records state them; which machine is ranked."""
    records = [item.record for item in section.stored]
    newest = max(records, key=_started)
    dataset = newest["dataset"]
    counts = [f"{dataset[part]:,} {word}" for part, word in _PARTS.items() if dataset.get(part) is not None]
    text = (
        f"Data set `{dataset['name']}`: {dataset['classes']:,} classes; {', '.join(counts)} images. "
        f"Scale `{newest['scale']}`. {provenance(records)}\n"
    )
    if section.others:
        ranked, heading = section.rows[0].machine, other_machines.HEADING
        text += f'\nAdvice, ranks and figures below are those of `{ranked}`; for the others see "{heading}".\n'
    notice = dataset.get("note") or (_SYNTHETIC if dataset["synthetic"] else "")
    return f"{notice}\n\n{text}" if notice else text


def provenance(records: Sequence[Mapping[str, Any]]) -> str:
    """Machines, versions, and date and command of the newest record."""
    newest = max(records, key=_started)
    command = f"Newest record {_started(newest)[:10]}, made by `{newest.get('command')}`."
    return f"{_machines(records)} {_versions(records)} {command}"


def advice(rows: Sequence[BoardRow]) -> str:
    """Which system to deploy: the most accurate, the fastest and smallest of its ties, the Pareto front."""
    top = [row for row in rows if row.rank is not None and row.rank[0] == 1]
    if not top:
        return "No system has an accuracy yet.\n"
    names = ", ".join(_name(row) for row in top[1:])
    tied = f"; tied with {names}, as the 95 % intervals overlap" if names else ", ahead of all others"
    lines = [f"- **Most accurate**: {_name(top[0])}, {formatting.accuracy(top[0]['accuracy'])} %{tied}."]
    for word, figure in (("Fastest", "ratio"), ("Smallest", "size_bytes")):
        known = [row for row in top if row[figure].value is not None]
        if len(top) > 1 and known:
            best = min(known, key=lambda row: (row[figure].value or 0.0, row.system))
            size, ms = (formatting.millions(best[name]) for name in ("size_bytes", "latency"))
            speed = f"{formatting.ratio(best['ratio'])} × reference, {ms} ms per character"
            lines.append(f"- **{word} of these**: {_name(best)}, {speed if figure == 'ratio' else f'{size} MB'}.")
    front = sorted((row for row in rows if row.pareto), key=lambda row: row["ratio"].value or 0.0)
    if len(front) > 1:
        steps = " → ".join(f"{_name(row)} {formatting.share(row['accuracy'])} %" for row in front)
        lines.append(f"- **From fast to accurate** (Pareto front, {FRONT}): {steps}.")
    return "\n".join(lines) + "\n"


def ranking(rows: Sequence[BoardRow], claims: Sequence[Claim], dataset: str) -> str:
    """The ranked table: a column for each measurement that states one and that any row has."""
    columns: list[tuple[str, Callable[[BoardRow], str]]] = [
        ("Rank", lambda row: formatting.places(row.rank)),
        (FRONT, lambda row: FRONT if row.pareto else ""),
        ("System", _label),
        ("Recipe", lambda row: row.recipe or formatting.NONE),
    ]
    left = len(columns)
    columns += [(column.header, column.cell) for column in columns_of(rows)]
    columns.append(("Published accuracy, %, on its data set", lambda row: published.cell(row, claims, dataset)))
    lines = [[cell(row) for _, cell in columns] for row in rows]
    return table([name for name, _ in columns], lines, left)


def protocols_text(rows: Sequence[BoardRow], protocols: Mapping[str, Protocol]) -> str:
    """How each column is measured, one line each."""
    used = {protocol_name(name, protocols) for row in rows for name in row.figures}
    names_of: dict[Protocol, list[str]] = {}
    for name, protocol in protocols.items():
        if name in used:
            names_of.setdefault(protocol, []).append(f"`{name}`")
    lines = [f"- {', '.join(names)}, protocol version {one.version}: {one.text}" for one, names in names_of.items()]
    lines += [
        "- Rank: the best and the worst place that the 95 % intervals of the accuracies allow; rows whose "
        "intervals overlap share places. Several seeds make one row: their mean ± their standard deviation.",
        f"- {FRONT}, the Pareto front: no other row is both at least as accurate and at least as fast. Speed "
        "is the ratio to the reference network, timed in alternating blocks; milliseconds depend on the machine.",
        "- Intervals of ratios hold what another hour measures, where comparison `latency_repeat` has measured the "
        "spread between runs on that machine; elsewhere they hold for the run alone.",
        f"- `stale`: measured by an older protocol version. `noisy`: the machine was busy during the timing. "
        f"{formatting.NONE}: no value.",
    ]
    return "\n".join(lines) + "\n"


def records_text(rows: Sequence[BoardRow]) -> str:
    """Links to the records of each row, with its machine if there are several."""
    several = len({row.machine for row in rows}) > 1
    links = []
    for row in rows:
        seeds = ", ".join(f"[seed {s.record['seed']}]({quote(s.path, safe='/')})" for s in row.records)
        links.append(f"- {_name(row)}{f' on `{row.machine}`' if several else ''}: {seeds}")
    return "\n".join(links) + "\n"


def _started(record: Mapping[str, Any]) -> str:
    return str(record.get("started_at") or "undated")


def _machines(records: Sequence[Mapping[str, Any]]) -> str:
    texts = {}
    for machine in (record["machine"] for record in records):
        cpu, cores, flags, ram, os = map(machine.get, ("cpu", "cores", "flags", "ram_bytes", "os"))
        parts = [cpu, cores and f"{cores} cores", flags and " ".join(flags), ram and f"{ram / 1e9:.0f} GB", os]
        details = ", ".join(str(part) for part in parts if part)
        texts[machine["name"]] = f"`{machine['name']}`" + (f" ({details})" if details else "")
    word = "Machine" if len(texts) == 1 else "Machines"
    return f"{word} {'; '.join(texts[name] for name in sorted(texts))}."


def _versions(records: Sequence[Mapping[str, Any]]) -> str:
    versions: dict[str, set[str]] = {}
    for record in records:
        for name, version in (record.get("versions") or {}).items():
            versions.setdefault(name, set()).add(str(version))
    listed = ", ".join(f"{name} {' and '.join(sorted(versions[name]))}" for name in sorted(versions))
    return f"Versions: {listed or 'not recorded'}."


def _name(row: BoardRow) -> str:
    return f"`{row.system}`"


def _label(row: BoardRow) -> str:
    notes = ["difficulty baseline"] if base_name(row.system) == BASELINE else []
    notes += [] if row.trained else ["random weights, not ranked"]
    return _name(row) + (f" ({', '.join(notes)})" if notes else "")
