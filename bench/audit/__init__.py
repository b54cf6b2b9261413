"""``bench audit``: what papers print, answered claim by claim by what the described systems really have."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bench._rows import Protocol
from bench._stored import Stored
from bench.audit import clusters, figures, layers, protocols
from bench.audit.cells import evaluate, span
from bench.audit.measured import Measured
from bench.audit.networks import Built, Networks, NotHereError
from bench.audit.verdicts import (
    COMPUTED,
    CONTRADICTED,
    EXACT,
    NEEDS_DATA,
    NOT_CHECKABLE,
    VERDICTS,
    Finding,
    Verdict,
    digits_agree,
    judge,
    last_digit,
)  # fmt: skip
from bench.claims import Claim, ClaimError

__all__ = ["COMPUTED", "CONTRADICTED", "VERDICTS", "Auditor", "Verdict", "audit"]

CLASSES = 3755  # GB2312 level 1: what the suite's papers read, unless a check says otherwise

_TOLD = 4  # figures that a sentence may list one by one

# Kinds that look at one network; those of the second table at the name of its variant, too.
_COUNTS: Mapping[str, Callable[[Built, Mapping[str, Any]], Finding]] = {
    "params": figures.parameters, "macs": figures.multiply_adds, "storage": figures.storage,
    "clusters": clusters.compressed,
}  # fmt: skip
_SHAPES: Mapping[str, Callable[[Built, Mapping[str, Any], str], Finding]] = {
    "step": layers.step, "layer": layers.layer, "every": layers.every, "layers": layers.layers,
    "blocks": layers.blocks, "output": layers.output, "setting": layers.setting,
}  # fmt: skip
_STATED: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Finding]] = {
    "recipe": protocols.recipe, "image": protocols.image, "variants": protocols.variants,
}  # fmt: skip


def audit(
    claims: Sequence[Claim], stored: Sequence[Stored] = (), protocols: Mapping[str, Protocol] | None = None
) -> list[Verdict]:
    """One verdict for each claim, in their order.

    Args:
        claims: what papers print.
        stored: records that may speak beside the verdicts.
        protocols: how measurements are made today.

    Raises:
        ClaimError: a check that cannot be understood; names file and claim.
    """
    auditor = Auditor(claims)
    measured = Measured(stored, protocols or {})
    return [replace(auditor.verdict(claim), measured=tuple(measured.beside(claim))) for claim in claims]


class Auditor:
    """Answers claims, each network built once.

    Args:
        claims: all of them, so that one may be checked against another.
    """

    def __init__(self, claims: Sequence[Claim]) -> None:
        self._claims = {claim.id: claim for claim in claims}
        self._networks = Networks()

    def verdict(self, claim: Claim) -> Verdict:
        """What the described system really has, compared with what is printed.

        Raises:
            ClaimError: a check that cannot be understood.
        """
        check = claim.check
        try:
            found = self._judged(claim)
            others = [self._claims[other] for other in check.get("same", ())]
        except NotHereError as error:
            return Verdict(claim, NOT_CHECKABLE, None, str(error))
        except (KeyError, TypeError, ValueError) as error:
            raise ClaimError(f"{claim.paper}.yaml: claim {claim.id}: check {check}: {error!r}") from error
        if claim.num is None:
            found = replace(found, computed=None, deviation=None)  # there is no base unit to state it in
        differing = [other for other in others if not _same(claim, other)]
        floor = [self._claims[other] for other in check.get("at_least", ())]
        differing += [other for other in floor if (claim.num or 0.0) < (other.num or 0.0)]
        if differing and found.verdict != CONTRADICTED:
            cells = ", ".join(f"{other.id} prints {other.printed}" for other in differing)
            nearest = differing[0].num if found.computed is None else found.computed
            deviation = (claim.num - nearest) / nearest if claim.num is not None and nearest else None
            why = f"{cells}; {found.why}" if found.why else cells
            return replace(found, verdict=CONTRADICTED, why=why, deviation=deviation)
        return found

    def finding(self, check: Mapping[str, Any], system: str | None) -> Finding:
        """What a check computes for a system.

        Raises:
            NotHereError: it needs something that is not installed.
            KeyError, TypeError, ValueError: it cannot be understood.
        """
        kind, name = check["kind"], check.get("system", system)
        if kind == "formula":
            return self._formula(check, name)
        if kind == "dataset":
            return protocols.dataset(check)
        names = check.get("systems", [name])
        if None in names:
            raise ValueError(f"kind {kind} needs a system")
        return _joined([(one, self._of_system(kind, check, one)) for one in names])

    def _judged(self, claim: Claim) -> Verdict:
        check = claim.check
        kind = check.get("kind", "none")
        if kind in ("data", "none"):
            verdict = NEEDS_DATA if kind == "data" else NOT_CHECKABLE
            return Verdict(claim, verdict, None, str(check.get("why", "nothing says how to check it")))
        finding = self.finding(check, claim.system)
        if check.get("less"):
            finding = self._without(finding, check, claim.system)
        if "low" in check:
            finding = replace(finding, low=check["low"], high=check["high"])
        found = judge(claim, finding, check.get("relation"))
        if "explained" in check and found.verdict != EXACT:
            other = self.finding(check["explained"], claim.system)
            agrees = other.computed is not None and digits_agree(claim, other.computed)
            said = "which is the printed figure" if agrees else "not the printed figure either"
            found = replace(
                found, why=f"{found.why}. {check['explained'].get('words', 'Otherwise')}: {other.why}, {said}"
            )
        return replace(found, why=f"{found.why}. {check['why']}") if check.get("why") else found

    def _of_system(self, kind: str, check: Mapping[str, Any], system: str) -> Finding:
        literals = self._networks.literals(system)
        if kind in _STATED:
            return _STATED[kind](literals, check)
        image = check.get("image")
        classes, until = check.get("classes", CLASSES), check.get("until", "")
        built = self._networks.built(system, classes, tuple(image) if image else None, until)
        if kind in _COUNTS:
            return _COUNTS[kind](built, check)
        return _SHAPES[kind](built, check, system.split("+")[0].partition(":")[2])

    def _without(self, finding: Finding, check: Mapping[str, Any], system: str | None) -> Finding:
        """A figure beyond that of another system, given by ``less``."""
        other = self.finding({**check, "system": check["less"]}, system)
        computed = (finding.computed or 0.0) - (other.computed or 0.0)
        return replace(finding, computed=computed, why=f"{finding.why}, less {other.computed:,} of {check['less']}")

    def _formula(self, check: Mapping[str, Any], system: str | None) -> Finding:
        """A formula over ``values``: numbers, ids of printed cells, or checks of their own."""
        values: dict[str, float] = {}
        slack: dict[str, float] = {}
        cells: list[str] = []
        said: list[str] = []
        for name, given in check["values"].items():
            if isinstance(given, str):
                other = self._claims[given]
                if other.num is None:
                    raise ValueError(f"{given} prints no number")
                values[name], slack[name] = other.num, last_digit(other)
                cells.append(given)
                said.append(f"{name} = {other.printed} ({given})")
            elif isinstance(given, Mapping):
                found = self.finding(given, system)
                if found.computed is None:
                    raise ValueError(f"{name} is no number")
                values[name] = found.computed
                said.append(f"{name} = {found.why}")
            else:
                values[name] = given
        computed = evaluate(check["formula"], values)
        why = _explained(check, computed, said)
        bounds = check.get("between")
        if "above" in check or bounds:  # a direction or a range, not a figure
            holds = bounds[0] <= computed <= bounds[1] if bounds else computed > check["above"]
            return Finding(computed, why, holds, tuple(cells))
        low, high = span(check["formula"], values, slack)
        only_cells = tuple(cells) if len(cells) == len(said) else ()
        return Finding(computed, why, None, only_cells, low if only_cells else None, high if only_cells else None)


def _explained(check: Mapping[str, Any], computed: float, said: Sequence[str]) -> str:
    """A formula in words: the check's own, or the formula itself, and what it rests on."""
    value = f"{check.get('words', check['formula'])} = {computed:,.6g}"
    if len(said) > _TOLD:
        return f"{value}, over {len(said)} figures"
    return f"{value}, where {'; '.join(said)}" if said else value


def _joined(found: Sequence[tuple[str, Finding]]) -> Finding:
    """One finding of several systems: it must hold for all; the first that does not speaks."""
    for system, finding in found:
        if finding.holds is False and len(found) > 1:
            return replace(finding, why=f"{system}: {finding.why}")
    return found[0][1]


def _same(claim: Claim, other: Claim) -> bool:
    """Whether two cells may print one figure, each with its own digits."""
    if claim.num is None or other.num is None:
        return claim.printed == other.printed
    return digits_agree(claim, other.num) or digits_agree(other, claim.num)
