"""Writes ``audit.md``: verdict counts, the contradictions in plain words, then every claim of each paper."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bench.audit.claims import Claim
from bench.audit.contradictions import FOUND, NONE, Settled
from bench.audit.verdicts import APPROXIMATE, CONTRADICTED, VERDICTS, Verdict
from bench.boards.markdown import table
from bench.boards.published import anchor
from bench.records import formatting

_MEANING = (
    "The audit checks each figure that a paper prints against the system that the paper describes: it builds the "
    "network, counts its parameters and multiply-adds, reads its layer shapes, and compares figures of one paper with "
    "each other. A verdict is arithmetic, not an opinion about a paper.\n\n"
    "- **exact**: the computed figure, rounded or cut off, gives the printed digits; or a printed bound holds; or the "
    "printed figure lies in the range of the stated method.\n"
    "- **approximate**: at most 10 % off; the deviation is shown.\n"
    "- **contradicted**: further off, of the wrong sign, or another figure of the same paper implies another value.\n"
    "- **needs data**: only data files or a record, which is the stored result of a training run, can decide; paper "
    "scale means `--scale paper`. The last column shows what was measured here so far.\n"
    "- **not checkable**: cited systems, hardware or opinions.\n\n"
    "File sizes under gzip are estimated here from a sample of seeded Gaussian weights. `bench audit --with-storage` "
    "writes the whole files and judges by their sizes; `--weights DIR` uses trained weights.\n"
)
_WORDS = {"params": "parameters", "mult_adds": "multiply-adds", "flops": "multiply-adds", "memory_mb": "storage",
          "latency_ms": "latency"}  # fmt: skip
_NOTED = (
    "Readers of the papers noted these statements as contradictory; arithmetic decides. *found*: one of the claims is "
    "contradicted, or a separate comparison shows the contradiction. *no contradiction*: the figures agree, or the "
    "statements do not exclude each other; the reason is given. "
)
_LINKS = 3  # claims that a cell links to
_VAGUE = ("comparative", "cited", "formula", "formula-or-figure", "layer")  # metrics that add nothing to the part


def audit_parts(verdicts: Sequence[Verdict], settled: Sequence[Settled] = ()) -> list[str]:
    """The sections of ``audit.md``, from the verdicts and the settled contradictions."""
    papers = list(dict.fromkeys(verdict.claim.paper for verdict in verdicts))
    parts = [_MEANING, _counts(papers, verdicts)]
    wrong = [verdict for verdict in verdicts if verdict.verdict == CONTRADICTED]
    if wrong:
        ordered = sorted(wrong, key=lambda verdict: (-verdict.size, verdict.claim.id))
        parts += ["## Contradictions, largest first\n", "\n".join(map(_sentence, ordered)) + "\n"]
    if settled:
        header = ["Paper", "Where", "What seems contradictory", "Outcome", "What was compared"]
        parts += ["## Contradictions that readers noted\n", _NOTED + settled_counted(settled) + ".\n"]
        parts += [table(header, [_settled_line(one) for one in settled], len(header))]
    header = ["Claim", "Verdict", "Printed", "Computed", "Why", "Measured here"]
    for paper in papers:
        lines = [_line(verdict) for verdict in verdicts if verdict.claim.paper == paper]
        parts += [f"## {paper}\n", table(header, lines, len(header))]
    return parts


def counted(verdicts: Sequence[Verdict]) -> str:
    """The number of claims with each verdict, on one line."""
    counts = Counter(verdict.verdict for verdict in verdicts)
    return f"{len(verdicts)} claims: " + ", ".join(f"{counts[name]} {name}" for name in VERDICTS)


def settled_counted(settled: Sequence[Settled]) -> str:
    """The number of noted contradictions with each outcome, on one line."""
    counts = Counter(one.outcome for one in settled)
    return f"{len(settled)} noted contradictions: {counts[FOUND]} found, {counts[NONE]} no contradiction"


def _settled_line(one: Settled) -> list[str]:
    """A noted contradiction with links to its claims: to the contradicted ones, or to all if none is."""
    linked = [found for found in one.verdicts if found.verdict == CONTRADICTED] or list(one.verdicts)
    links = ", ".join(f"[{_text(_what(found.claim))}](#{anchor(found.claim)})" for found in linked[:_LINKS])
    more = f" and {len(linked) - _LINKS} more" if len(linked) > _LINKS else ""
    paper = one.verdicts[0].claim.paper
    word = f"**{one.outcome}**" if one.outcome == FOUND else one.outcome
    return [paper, _text(one.noted.where), _text(one.noted.statement), word, f"{_text(one.why)}. See {links}{more}."]


def _counts(papers: Sequence[str], verdicts: Sequence[Verdict]) -> str:
    lines = []
    for paper in (*papers, "all"):
        counts = Counter(one.verdict for one in verdicts if paper in (one.claim.paper, "all"))
        lines.append([paper, *(str(counts[name]) for name in VERDICTS), str(counts.total())])
    return table(["Source", *VERDICTS, "claims"], lines, 1)


def _sentence(verdict: Verdict) -> str:
    claim = verdict.claim
    place = f"{claim.paper}, {claim.where}" if claim.where else claim.paper
    off = f" ({_deviation(verdict)})" if verdict.deviation else ""
    return (
        f"- [{_text(_what(claim))}](#{anchor(claim)}) ({_text(place)}): printed {_text(_printed(claim))}{off}. "
        f"{_text(verdict.why)}."
    )


def _line(verdict: Verdict) -> list[str]:
    claim = verdict.claim
    word = f"**{verdict.verdict}**" if verdict.verdict == CONTRADICTED else verdict.verdict
    if verdict.verdict in (APPROXIMATE, CONTRADICTED) and verdict.deviation:
        word += f", {_deviation(verdict)}"
    place = f" ({_text(claim.where)})" if claim.where else ""
    what = f'<a id="{anchor(claim)}"></a>{_text(_what(claim))}{place}'
    note = f" {_text(claim.note)}." if claim.note else ""
    several = len({found["machine"] for found in verdict.measured}) > 1
    measured = "; ".join(_measured(found, several) for found in verdict.measured) or formatting.NONE
    return [what, word, _text(_printed(claim)), _computed(verdict), f"{_text(verdict.why)}.{note}", measured]


def _what(claim: Claim) -> str:
    parts = [claim.name] + [claim.part] * (claim.part not in ("", claim.name))
    metric = [] if claim.metric in _VAGUE else [_WORDS.get(claim.metric, claim.metric.replace("_", " "))]
    return ": ".join([", ".join(parts), *metric])


def _printed(claim: Claim) -> str:
    shown_already = claim.unit in ("", "1", "count") or claim.unit in claim.printed
    return claim.printed if shown_already else f"{claim.printed} {claim.unit}"


def _computed(verdict: Verdict) -> str:
    if verdict.computed is None:
        return formatting.NONE
    whole = float(verdict.computed).is_integer()
    return f"{verdict.computed:,.0f}" if whole else formatting.digits(verdict.computed, 4)


def _deviation(verdict: Verdict) -> str:
    """How far the printed figure is from the computed one: in per cent, or as a factor beyond twice or half."""
    deviation = verdict.deviation or 0.0
    factor = 1 + deviation
    if factor > 2:
        return f"{formatting.digits(factor, 3)} times too high"
    if 0 < factor < 0.5:
        return f"{formatting.digits(1 / factor, 3)} times too low"
    return f"{100 * deviation:+.2g} %" if factor > 0 else "of the wrong sign"


def _measured(found: Mapping[str, Any], machine: bool) -> str:
    """One measured figure or outcome; ``machine`` names its machine."""
    data = f"{found['dataset']}{', synthetic' if found['synthetic'] else ''}, {found['scale']}"
    data += f", `{found['machine']}`" if machine else ""
    if "outcome" in found:
        return f"{found['outcome']} on {data}: {found['higher']} against {found['lower']}"
    low, high = found["low"], found["high"]
    interval = f" [{formatting.digits(low, 4)}–{formatting.digits(high, 4)}]" if None not in (low, high) else ""
    return f"{formatting.digits(found['value'], 4)}{interval} on {data} (`{found['system']}`)"


def _text(text: str) -> str:
    """Text escaped for Markdown, without a final full stop."""
    for sign in "\\*_<[]`":
        text = text.replace(sign, "\\" + sign)
    return text.rstrip(".")
