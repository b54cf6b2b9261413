"""Judges printed figures: compares their digits with the computed figure and with other printed cells."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bench.audit.claims import Claim

EXACT, APPROXIMATE, CONTRADICTED = "exact", "approximate", "contradicted"
NEEDS_DATA, NOT_CHECKABLE = "needs data", "not checkable"
VERDICTS = (EXACT, APPROXIMATE, CONTRADICTED, NEEDS_DATA, NOT_CHECKABLE)
NEAR = 0.10  # largest deviation of an approximate figure, as a share of the computed one

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
# Kind of the printed bound -> whether the computed figure respects it.
RELATIONS = {
    "at_most": lambda computed, printed: computed <= printed,
    "at_least": lambda computed, printed: computed >= printed,
    "below": lambda computed, printed: computed < printed,
    "above": lambda computed, printed: computed > printed,
}


@dataclass(frozen=True)
class Finding:
    """Result of a check.

    Attributes:
        computed: the figure, in the base unit of the claim's ``num``; None if words or shapes are compared.
        why: how it was computed, in words.
        holds: whether words or shapes agree; None if ``computed`` is judged by its digits.
        cells: ids of the printed cells, if the figure follows from these alone; empty if a network was computed.
        low, high: range of the figure, from the rounding of those cells or from what a stated method leaves open.
    """

    computed: float | None
    why: str
    holds: bool | None = None
    cells: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Verdict:
    """The verdict on one claim.

    Attributes:
        claim: what is printed.
        verdict: one of VERDICTS.
        computed: the described system's figure, in the base unit of ``num``; None if no number was computed.
        why: the reason, in one or two sentences.
        deviation: (printed - computed) / computed; None if either is missing.
        measured: corresponding figures from the records, each with data set and interval.
    """

    claim: Claim
    verdict: str
    computed: float | None
    why: str
    deviation: float | None = None
    measured: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    def as_dict(self) -> dict[str, Any]:
        """The verdict as ``bench audit --json`` prints it."""
        return {
            "id": self.claim.id, "verdict": self.verdict, "printed": self.claim.num, "computed": self.computed,
            "why": self.why, "measured": list(self.measured) or None,
        }  # fmt: skip

    @property
    def size(self) -> float:
        """Size of the deviation, symmetric for figures too high and too low; 0 if there is no deviation."""
        if self.deviation is None:
            return 0.0
        ratio = 1 + self.deviation
        return max(abs(self.deviation), abs(1 / ratio - 1) if ratio else math.inf)


@dataclass(frozen=True)
class CrossCheck:
    """A comparison with another printed cell: its text and id, whether both can be the same figure, and its number."""

    why: str
    agrees: bool
    value: float | None = None


def judge(claim: Claim, finding: Finding, relation: str | None = None) -> Verdict:
    """The verdict on a claim from its finding; ``relation`` is one of RELATIONS if a bound is printed."""
    if isinstance(finding.computed, float):
        finding = replace(finding, computed=float(f"{finding.computed:.12g}"))  # removes binary rounding errors
    if finding.holds is not None:
        return Verdict(claim, EXACT if finding.holds else CONTRADICTED, finding.computed, finding.why)
    computed, printed = finding.computed, claim.num
    if computed is None or printed is None:
        return Verdict(claim, NOT_CHECKABLE, computed, f"{finding.why}. The paper prints no number to compare")
    deviation = (printed - computed) / abs(computed) if computed else None
    exact = Verdict(claim, EXACT, computed, finding.why, deviation)
    if relation is not None:
        return exact if RELATIONS[relation](computed, printed) else replace(exact, verdict=CONTRADICTED)
    if digits_agree(claim, computed):
        return exact
    between = finding.low is not None and finding.high is not None and finding.low <= printed <= finding.high
    if between and not finding.cells:
        return exact
    # Printed cells may differ by their rounding only; a network's description leaves more room.
    near = between if finding.cells else deviation is not None and abs(deviation) <= NEAR
    return replace(exact, verdict=APPROXIMATE if near else CONTRADICTED)


def same(claim: Claim, other: Claim) -> CrossCheck:
    """Check against another cell that should print the same figure."""
    if claim.num is None or other.num is None:
        agrees = claim.printed == other.printed
    else:
        agrees = digits_agree(claim, other.num) or digits_agree(other, claim.num)
    words = f"{other.id} prints {other.printed}, {'which agrees' if agrees else 'which differs'}"
    return CrossCheck(words, agrees, other.num)


def bound(claim: Claim, other: Claim, sign: int) -> CrossCheck:
    """Check against another cell that is a lower (``sign`` 1) or an upper bound (-1) of the claim's figure."""
    (low, high), (least, most) = reach(claim), reach(other)
    agrees = high >= least if sign > 0 else low <= most
    order = f"{'is not' if agrees else 'should not be'} {'lower' if sign > 0 else 'higher'}"
    words = f"{other.id} prints {other.printed}; this figure {order}"
    return CrossCheck(words, agrees, other.num)


def implied(claim: Claim, finding: Finding) -> CrossCheck:
    """Check against a figure that follows from other cells, within the range that their digits allow."""
    (least, most), low, high = reach(claim), finding.low or 0.0, finding.high or 0.0
    slack = 1e-9 * max(abs(low), abs(high))  # for binary rounding errors
    agrees = low <= most + slack and high >= least - slack
    why = f"{finding.why}, which agrees within the printed digits" if agrees else finding.why
    return CrossCheck(why, agrees, finding.computed)


def weighed(verdict: Verdict, cross_checks: Sequence[CrossCheck]) -> Verdict:
    """The verdict after cross-checks: contradicted if another cell states or implies another figure."""
    differing = [one for one in cross_checks if not one.agrees]
    agreeing = [one for one in cross_checks if one.agrees]
    own = f"Computed: {verdict.why}" if verdict.why[:1].isdigit() else verdict.why
    why = ". ".join([*(one.why for one in differing), own, *(one.why for one in agreeing)])
    if not differing or verdict.verdict == CONTRADICTED:
        return replace(verdict, why=why)
    expected = differing[0].value if verdict.computed is None or verdict.verdict == EXACT else verdict.computed
    printed = verdict.claim.num
    deviation = (printed - expected) / abs(expected) if printed is not None and expected else None
    return replace(verdict, verdict=CONTRADICTED, why=why, deviation=deviation)


def digits_agree(claim: Claim, computed: float) -> bool:
    """Whether the computed figure, rounded or cut off to the printed digits, is the printed one."""
    printed, quantum = float(claim.num or 0.0), last_digit(claim)
    slack = 1e-9 * max(abs(printed), abs(computed))  # for binary rounding errors
    if abs(computed - printed) <= quantum / 2 + slack:
        return True
    cut_off = 0 <= abs(computed) - abs(printed) < quantum - slack
    return cut_off and (computed >= 0) == (printed >= 0)


def reach(claim: Claim) -> tuple[float, float]:
    """Least and greatest figure that gives the printed digits, rounded or cut off."""
    printed, quantum = float(claim.num or 0.0), last_digit(claim)
    if printed < 0:
        return printed - quantum, printed + quantum / 2
    return printed - quantum / 2, printed + quantum


def last_digit(claim: Claim) -> float:
    """One unit of the last printed digit, in the base unit of ``num``; 0 if ``printed`` shows no such number."""
    if not claim.num:
        return 0.0
    for text in _NUMBER.findall(claim.printed):
        shown = float(text.replace(",", ""))
        scale = abs(claim.num) / shown if shown else 0.0
        power = round(math.log10(scale)) if scale else 0
        if scale and math.isclose(scale, 10.0**power, rel_tol=1e-9):
            decimals = len(text.partition(".")[2])
            return float(10.0 ** (power - decimals))
    return 0.0
