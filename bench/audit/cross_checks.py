"""What other printed cells of a paper make of a claim: the same figure, a bound on it, or cells that imply it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.audit.claims import Claim
from bench.audit.verdicts import CONTRADICTED, EXACT, Verdict, digits_agree, reach


@dataclass(frozen=True)
class Other:
    """One statement elsewhere in the paper.

    Attributes:
        why: what stands there, with its id.
        agrees: whether both may stand for one figure, each with its own digits.
        value: the figure that stands or follows there; None where none does.
    """

    why: str
    agrees: bool
    value: float | None = None


def same(claim: Claim, other: Claim) -> Other:
    """Another cell that prints the same figure, or should."""
    if claim.num is None or other.num is None:
        agrees = claim.printed == other.printed
    else:
        agrees = digits_agree(claim, other.num) or digits_agree(other, claim.num)
    words = f"{other.id} prints {other.printed}" + (", which agrees" if agrees else "")
    return Other(words, agrees, other.num)


def bound(claim: Claim, other: Claim, sign: int) -> Other:
    """Another cell that the claim's figure must at least (``sign`` 1) or at most (-1) reach."""
    (low, high), (least, most) = reach(claim), reach(other)
    agrees = high >= least if sign > 0 else low <= most
    end = "at least" if sign > 0 else "at most"
    words = f"{other.id} prints {other.printed}, and this is {'' if agrees else 'not '}{end} that"
    return Other(words, agrees, other.num)


def implied(claim: Claim, value: float, low: float, high: float, why: str) -> Other:
    """A figure that follows from other cells, anywhere between ``low`` and ``high`` given their digits."""
    least, most = reach(claim)
    slack = 1e-9 * max(abs(low), abs(high))  # of binary arithmetic
    agrees = low <= most + slack and high >= least - slack
    return Other(f"{why}{', which agrees within the printed digits' if agrees else ''}", agrees, value)


def weighed(found: Verdict, others: Sequence[Other]) -> Verdict:
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
