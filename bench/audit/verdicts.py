"""What a check finds, and the verdict on a printed figure: plain arithmetic on its digits."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bench.audit.claims import Claim

EXACT, APPROXIMATE, CONTRADICTED = "exact", "approximate", "contradicted"
NEEDS_DATA, NOT_CHECKABLE = "needs data", "not checkable"
VERDICTS = (EXACT, APPROXIMATE, CONTRADICTED, NEEDS_DATA, NOT_CHECKABLE)
COMPUTED = (EXACT, APPROXIMATE, CONTRADICTED)  # arithmetic spoke; the other two say what is missing
NEAR = 0.10  # share of the computed figure that a printed one may be off and still be called approximate

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
# How a bound is printed -> whether the computed figure keeps it.
RELATIONS = {
    "at_most": lambda computed, printed: computed <= printed,
    "at_least": lambda computed, printed: computed >= printed,
    "below": lambda computed, printed: computed < printed,
    "above": lambda computed, printed: computed > printed,
}


@dataclass(frozen=True)
class Finding:
    """What a check computes for one claim.

    Attributes:
        computed: the figure, in the base unit of the claim's ``num``; None where words or shapes are compared.
        why: how it came about, in words.
        holds: whether words or shapes agree; None where ``computed`` is to be judged by its digits.
        cells: ids of the printed cells that it rests on alone; empty where a network was computed.
        low, high: where the figure may lie, given the rounding of those cells or the freedom of a stated method.
    """

    computed: float | None
    why: str
    holds: bool | None = None
    cells: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Verdict:
    """The answer to one claim.

    Attributes:
        claim: what was printed.
        verdict: one of VERDICTS.
        computed: what the described system really has, in the base unit of ``num``; None where no number was had.
        why: one or two sentences.
        deviation: (printed - computed) / computed; None without both.
        measured: what records say of it, each with data set and interval.
    """

    claim: Claim
    verdict: str
    computed: float | None
    why: str
    deviation: float | None = None
    measured: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    def as_dict(self) -> dict[str, Any]:
        """As ``bench audit --json`` gives it."""
        return {
            "id": self.claim.id, "verdict": self.verdict, "printed": self.claim.num, "computed": self.computed,
            "why": self.why, "measured": list(self.measured) or None,
        }  # fmt: skip

    @property
    def size(self) -> float:
        """How large a deviation is, alike for figures too high and too low; 0 where there is none to state."""
        if self.deviation is None:
            return 0.0
        ratio = 1 + self.deviation
        return max(abs(self.deviation), abs(1 / ratio - 1) if ratio else math.inf)


@dataclass(frozen=True)
class CrossCheck:
    """One statement elsewhere in the paper.

    Attributes:
        why: what stands there, with its id.
        agrees: whether both may stand for one figure, each with its own digits.
        value: the figure that stands or follows there; None where none does.
    """

    why: str
    agrees: bool
    value: float | None = None


def judge(claim: Claim, finding: Finding, relation: str | None = None) -> Verdict:
    """The verdict on a claim, given what was computed for it.

    Args:
        claim: printed figure; its digits say how precisely it is meant.
        finding: what was computed.
        relation: one of RELATIONS where a bound is printed; None where a value is.
    """
    if isinstance(finding.computed, float):
        finding = replace(finding, computed=float(f"{finding.computed:.12g}"))  # no dust of binary arithmetic
    if finding.holds is not None:
        return Verdict(claim, EXACT if finding.holds else CONTRADICTED, finding.computed, finding.why)
    computed, printed = finding.computed, claim.num
    if computed is None or printed is None:
        return Verdict(claim, NOT_CHECKABLE, computed, f"{finding.why}; no number is printed to compare")
    deviation = (printed - computed) / abs(computed) if computed else None
    found = Verdict(claim, EXACT, computed, finding.why, deviation)
    if relation is not None:
        return found if RELATIONS[relation](computed, printed) else replace(found, verdict=CONTRADICTED)
    if digits_agree(claim, computed):
        return found
    between = finding.low is not None and finding.high is not None and finding.low <= printed <= finding.high
    if between and not finding.cells:
        return found
    # Printed cells leave no room but their rounding; a network may be meant a little otherwise.
    near = between if finding.cells else deviation is not None and abs(deviation) <= NEAR
    return replace(found, verdict=APPROXIMATE if near else CONTRADICTED)


def same(claim: Claim, other: Claim) -> CrossCheck:
    """Another cell that prints the same figure, or should."""
    if claim.num is None or other.num is None:
        agrees = claim.printed == other.printed
    else:
        agrees = digits_agree(claim, other.num) or digits_agree(other, claim.num)
    words = f"{other.id} prints {other.printed}" + (", which agrees" if agrees else "")
    return CrossCheck(words, agrees, other.num)


def bound(claim: Claim, other: Claim, sign: int) -> CrossCheck:
    """Another cell that the claim's figure must at least (``sign`` 1) or at most (-1) reach."""
    (low, high), (least, most) = reach(claim), reach(other)
    agrees = high >= least if sign > 0 else low <= most
    end = "at least" if sign > 0 else "at most"
    words = f"{other.id} prints {other.printed}, and this is {'' if agrees else 'not '}{end} that"
    return CrossCheck(words, agrees, other.num)


def implied(claim: Claim, value: float, low: float, high: float, why: str) -> CrossCheck:
    """A figure that follows from other cells, anywhere between ``low`` and ``high`` given their digits."""
    least, most = reach(claim)
    slack = 1e-9 * max(abs(low), abs(high))  # of binary arithmetic
    agrees = low <= most + slack and high >= least - slack
    return CrossCheck(f"{why}{', which agrees within the printed digits' if agrees else ''}", agrees, value)


def weighed(found: Verdict, others: Sequence[CrossCheck]) -> Verdict:
    """A verdict once other cells have spoken: contradicted where one of them states or implies another figure."""
    differing = [other for other in others if not other.agrees]
    agreeing = [other for other in others if other.agrees]
    why = "; ".join([*(other.why for other in differing), found.why, *(other.why for other in agreeing)])
    if not differing or found.verdict == CONTRADICTED:
        return replace(found, why=why)
    nearest = differing[0].value if found.computed is None or found.verdict == EXACT else found.computed
    printed = found.claim.num
    deviation = (printed - nearest) / abs(nearest) if printed is not None and nearest else None
    return replace(found, verdict=CONTRADICTED, why=why, deviation=deviation)


def digits_agree(claim: Claim, computed: float) -> bool:
    """Whether a figure, rounded or cut off to the printed digits, is the printed one."""
    printed, quantum = float(claim.num or 0.0), last_digit(claim)
    slack = 1e-9 * max(abs(printed), abs(computed))  # of binary arithmetic
    if abs(computed - printed) <= quantum / 2 + slack:
        return True
    cut_off = 0 <= abs(computed) - abs(printed) < quantum - slack
    return cut_off and (computed >= 0) == (printed >= 0)


def reach(claim: Claim) -> tuple[float, float]:
    """Least and greatest figure that the printed digits may stand for, rounded or cut off."""
    printed, quantum = float(claim.num or 0.0), last_digit(claim)
    if printed < 0:
        return printed - quantum, printed + quantum / 2
    return printed - quantum / 2, printed + quantum


def last_digit(claim: Claim) -> float:
    """Worth of the last printed digit in the base unit of ``num``; 0 where the text shows no such number."""
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
