"""The audit as Markdown: counts, then the contradictions in plain words, then every claim of each paper."""

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
    "Each figure that a paper prints is compared with what the system it describes really has: the network is built, "
    "its parameters, multiply-adds and shapes are counted, and cells of one paper are compared with each other. A "
    "verdict is arithmetic, not an opinion about a paper.\n\n"
    "- **exact**: the printed digits, rounded or cut off; a bound that holds; inside the range of the stated method.\n"
    "- **approximate**: at most 10 % off, with the deviation.\n"
    "- **contradicted**: further off, of the wrong sign, or another printed cell of the paper implies another value.\n"
    "- **needs data**: a training run or files decide it; the last column has what was measured here so far.\n"
    "- **not checkable**: cited systems, hardware, opinion.\n\n"
    "How far a file shrinks under gzip is learnt here from a sample of seeded Gaussian weights; "
    "`bench audit --with-storage` writes the whole files and judges by their sizes, "
    "with `--weights DIR` by those of trained weights.\n"
)
_WORDS = {"params": "parameters", "mult_adds": "multiply-adds", "flops": "multiply-adds", "memory_mb": "storage",
          "latency_ms": "latency"}  # fmt: skip
_NOTED = (
    "What readers of the papers noted as being at odds, and what arithmetic makes of it: *found* where a claim or a "
    "comparison of its own is contradicted; *no contradiction* where the figures agree or nothing stands against "
    "anything, with the reason. "
)
_LINKS = 3  # claims that a cell links to
_VAGUE = ("comparative", "cited", "formula", "formula-or-figure", "layer")  # say nothing that the part does not


def audit_parts(verdicts: Sequence[Verdict], noted: Sequence[Settled] = ()) -> list[str]:
    """The sections of ``audit.md``, a function of the verdicts and of what was made of noted contradictions."""
    papers = list(dict.fromkeys(verdict.claim.paper for verdict in verdicts))
    parts = [_MEANING, _counts(papers, verdicts)]
    wrong = [verdict for verdict in verdicts if verdict.verdict == CONTRADICTED]
    if wrong:
        ordered = sorted(wrong, key=lambda verdict: (-verdict.size, verdict.claim.id))
        parts += ["## Contradictions, largest first\n", "\n".join(map(_sentence, ordered)) + "\n"]
    if noted:
        header = ["Paper", "Where", "What seems at odds", "Outcome", "What was compared"]
        parts += ["## Contradictions that readers noted\n", _NOTED + settled_counted(noted) + ".\n"]
        parts += [table(header, [_noted(one) for one in noted], len(header))]
    for paper in papers:
        own = [verdict for verdict in verdicts if verdict.claim.paper == paper]
        header = ["Claim", "Verdict", "Printed", "Computed", "Why", "Measured here"]
        parts += [f"## {paper}\n", table(header, [_line(verdict) for verdict in own], len(header))]
    return parts


def counted(verdicts: Sequence[Verdict]) -> str:
    """How many there are of each verdict, on one line."""
    found = Counter(verdict.verdict for verdict in verdicts)
    return f"{len(verdicts)} claims: " + ", ".join(f"{found[name]} {name}" for name in VERDICTS)


def settled_counted(noted: Sequence[Settled]) -> str:
    """How many noted contradictions were found and how many are none, on one line."""
    found = Counter(one.outcome for one in noted)
    return f"{len(noted)} noted contradictions: {found[FOUND]} found, {found[NONE]} no contradiction"


def _noted(one: Settled) -> list[str]:
    """A contradiction, and the claims that answer it: those that are contradicted, else all of them."""
    answering = [found for found in one.verdicts if found.verdict == CONTRADICTED] or list(one.verdicts)
    links = ", ".join(f"[{_text(_what(found.claim))}](#{anchor(found.claim)})" for found in answering[:_LINKS])
    more = f" and {len(answering) - _LINKS} more" if len(answering) > _LINKS else ""
    paper = one.verdicts[0].claim.paper
    word = f"**{one.outcome}**" if one.outcome == FOUND else one.outcome
    return [paper, _text(one.noted.where), _text(one.noted.statement), word, f"{_text(one.why)}. See {links}{more}."]


def _counts(papers: Sequence[str], verdicts: Sequence[Verdict]) -> str:
    found = Counter((verdict.claim.paper, verdict.verdict) for verdict in verdicts)
    every = Counter(verdict.verdict for verdict in verdicts)
    rows = {paper: [found[paper, name] for name in VERDICTS] for paper in papers}
    rows["all"] = [every[name] for name in VERDICTS]
    lines = [[name, *map(str, row), str(sum(row))] for name, row in rows.items()]
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
    measured = "; ".join(_measured(found) for found in verdict.measured) or formatting.NONE
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
    """How far the printed figure lies from the computed one; as a factor where per cents say little."""
    deviation = verdict.deviation or 0.0
    factor = 1 + deviation
    if factor > 2:
        return f"{formatting.digits(factor, 3)} times too high"
    if 0 < factor < 0.5:
        return f"{formatting.digits(1 / factor, 3)} times too low"
    return f"{100 * deviation:+.2g} %" if factor > 0 else "of the wrong sign"


def _measured(found: Mapping[str, Any]) -> str:
    data = f"{found['dataset']}{', synthetic' if found['synthetic'] else ''}, {found['scale']}"
    if "outcome" in found:
        return f"{found['outcome']} on {data}: {found['higher']} against {found['lower']}"
    low, high = found["low"], found["high"]
    interval = f" [{formatting.digits(low, 4)}–{formatting.digits(high, 4)}]" if None not in (low, high) else ""
    return f"{formatting.digits(found['value'], 4)}{interval} on {data} (`{found['system']}`)"


def _text(text: str) -> str:
    """Plain text that Markdown leaves as it is, without a full stop at its end."""
    for sign in "\\*_<[]`":
        text = text.replace(sign, "\\" + sign)
    return text.rstrip(".")
