"""``bench audit``: what papers print, answered claim by claim by what the described systems really have."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.audit import compressed_size as clusters
from bench.audit import counts as figures
from bench.audit import layer_tables as layers
from bench.audit import training_setup as protocols
from bench.audit.claims import Claim, ClaimError
from bench.audit.files import Files
from bench.audit.formula import evaluate, span
from bench.audit.measured import Measured
from bench.audit.networks import Built, Networks, NotHereError
from bench.audit.verdicts import (
    COMPUTED,
    CONTRADICTED,
    EXACT,
    NEEDS_DATA,
    NOT_CHECKABLE,
    VERDICTS,
    CrossCheck,
    Finding,
    Verdict,
    bound,
    digits_agree,
    implied,
    judge,
    reach,
    same,
    weighed,
)  # fmt: skip
from bench.records.load import Stored
from bench.records.protocols import Protocol

__all__ = ["COMPUTED", "CONTRADICTED", "VERDICTS", "Auditor", "Verdict", "audit"]

CLASSES = 3755  # GB2312 level 1: what the suite's papers read, unless a check says otherwise

_TOLD = 4  # figures that a sentence may list one by one, and that a span may try in every combination
_WHOLE = 10**6  # from here on figures are written without decimals

# Kinds that look at one network; those of the second table at the name of its variant, too.
_COUNTS: Mapping[str, Callable[[Built, Mapping[str, Any]], Finding]] = {
    "params": figures.parameters, "macs": figures.multiply_adds, "storage": figures.storage,
    "clusters": clusters.compressed,
}  # fmt: skip
_SHAPES: Mapping[str, Callable[[Built, Mapping[str, Any], str], Finding]] = {
    "step": layers.step, "layer": layers.layer, "every": layers.every, "layers": layers.layers,
    "blocks": layers.blocks, "parts": layers.parts, "output": layers.output, "setting": layers.setting,
}  # fmt: skip
_STATED: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Finding]] = {
    "recipe": protocols.recipe, "image": protocols.image, "variants": protocols.variants,
}  # fmt: skip


def audit(
    claims: Sequence[Claim],
    stored: Sequence[Stored] = (),
    protocols: Mapping[str, Protocol] | None = None,
    files: Files | None = None,
) -> list[Verdict]:
    """One verdict for each claim, in their order.

    Args:
        claims: what papers print.
        stored: records that may speak beside the verdicts.
        protocols: how measurements are made today.
        files: writes whole files for claims about their sizes; None for what a sample of weights shows.

    Raises:
        ClaimError: a check that cannot be understood; names file and claim.
    """
    auditor = Auditor(claims, files)
    measured = Measured(stored, protocols or {})
    return [replace(auditor.verdict(claim), measured=tuple(measured.beside(claim))) for claim in claims]


@dataclass(frozen=True)
class Terms:
    """A formula worked out.

    Attributes:
        value: what it gives.
        span: least and greatest value, given the digits of the printed cells in it.
        cells: their ids.
        cells_alone: whether it holds nothing else but plain numbers.
        why: it in words.
    """

    value: float
    span: tuple[float, float]
    cells: tuple[str, ...]
    cells_alone: bool
    why: str


class Auditor:
    """Answers claims, each network built once.

    Args:
        claims: all of them, so that one may be checked against another.
        files: as for ``audit``.
    """

    def __init__(self, claims: Sequence[Claim], files: Files | None = None) -> None:
        self._files = files
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
            beside = list(self._others(claim))
        except NotHereError as error:
            return Verdict(claim, NOT_CHECKABLE, None, str(error))
        except (KeyError, TypeError, ValueError) as error:
            raise ClaimError(f"{claim.paper}.yaml: claim {claim.id}: check {check}: {error!r}") from error
        if claim.num is None:
            found = replace(found, computed=None, deviation=None)  # there is no base unit to state it in
        return weighed(found, beside) if beside else found

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
        if kind == "rows":
            return self._rows(check)
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
        if kind == "stored" and self._files is None:
            told = "a stored network decides it, as bench audit --with-storage writes one"
            return Verdict(claim, NEEDS_DATA, None, f"{told}. {check['why']}" if check.get("why") else told)
        finding = self.finding(check, claim.system)
        if check.get("less"):
            finding = self._without(finding, check, claim.system)
        if "low" in check:
            finding = replace(finding, low=check["low"], high=check["high"])
        found = judge(claim, finding, check.get("relation"))
        if "explained" in check and found.verdict != EXACT:
            words = check["explained"].get("words", "Otherwise")
            other = self.finding({**check["explained"], "words": "together"}, claim.system)
            agrees = other.computed is not None and digits_agree(claim, other.computed)
            said = "which is the printed figure" if agrees else "not the printed figure either"
            found = replace(found, why=f"{found.why}. {words}: {other.why}, {said}")
        return replace(found, why=f"{found.why}. {check['why']}") if check.get("why") else found

    def _of_system(self, kind: str, check: Mapping[str, Any], system: str) -> Finding:
        literals = self._networks.literals(system)
        if kind in _STATED:
            return _STATED[kind](literals, check)
        image = check.get("image")
        classes, until = check.get("classes", CLASSES), check.get("until", "")
        built = self._networks.built(system, classes, tuple(image) if image else None, until)
        if self._files is not None and kind in ("clusters", "stored"):
            return self._files.shrunk(built, check) if kind == "clusters" else self._files.stated(built, check)
        if kind in _COUNTS:
            return _COUNTS[kind](built, check)
        return _SHAPES[kind](built, check, system.split("+")[0].partition(":")[2])

    def _without(self, finding: Finding, check: Mapping[str, Any], system: str | None) -> Finding:
        """A figure beyond that of another system, given by ``less``."""
        other = self.finding({**check, "system": check["less"]}, system)
        computed = (finding.computed or 0.0) - (other.computed or 0.0)
        return replace(finding, computed=computed, why=f"{finding.why}, less {other.computed:,} of {check['less']}")

    def _others(self, claim: Claim) -> Iterator[CrossCheck]:
        """What other printed cells make of a claim: ``same``, ``not_below`` and ``not_above`` name them by id.

        ``implied`` is a formula over them, and over what is computed.
        """
        check = claim.check
        yield from (same(claim, self._claims[name]) for name in check.get("same", ()))
        for key, sign in (("not_below", 1), ("not_above", -1)):
            yield from (bound(claim, self._claims[name], sign) for name in check.get(key, ()))
        if "implied" in check:
            terms = self._terms(check["implied"], claim.system)
            yield implied(claim, terms.value, *terms.span, terms.why)

    def _rows(self, check: Mapping[str, Any]) -> Finding:
        """How many layers of the kinds ``ops`` the rows of a printed table (``of``, how their ids begin) name."""
        rows = [one for one in self._claims.values() if one.id.startswith(check["of"])]
        found = sum(row.check.get("times", 1) for row in rows if row.check.get("op") in check["ops"])
        return Finding(found, f"{found} layers of kind {', '.join(check['ops'])} in the rows of {check['of']}")

    def _formula(self, check: Mapping[str, Any], system: str | None) -> Finding:
        """A formula over ``values``, see ``_terms``: a figure, or a direction (``above``) or range (``between``)."""
        terms = self._terms(check, system)
        bounds = check.get("between")
        if "above" in check or bounds:  # no figure that the printed one could be compared with
            holds = bounds[0] <= terms.value <= bounds[1] if bounds else terms.value > check["above"]
            return Finding(None, terms.why, holds, terms.cells)
        if not terms.cells_alone:
            return Finding(terms.value, terms.why)
        low, high = terms.span
        return Finding(terms.value, terms.why, None, terms.cells, low, high)

    def _terms(self, check: Mapping[str, Any], system: str | None) -> Terms:
        """A formula over ``values``: numbers, ids of printed cells, or checks of their own."""
        values: dict[str, float] = {}
        bounds: dict[str, tuple[float, float]] = {}
        cells: list[str] = []
        said: list[str] = []
        for name, given in check["values"].items():
            if isinstance(given, str):
                other = self._claims[given]
                if other.num is None:
                    raise ValueError(f"{given} prints no number")
                values[name], bounds[name] = other.num, reach(other)
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
        value = evaluate(check["formula"], values)
        reached = span(check["formula"], values, bounds) if len(bounds) <= _TOLD else (value, value)
        return Terms(value, reached, tuple(cells), len(cells) == len(said), _explained(check, value, said))


def _explained(check: Mapping[str, Any], computed: float, said: Sequence[str]) -> str:
    """A formula in words: the check's own, or the formula itself, and what it rests on."""
    figure = f"{computed:,.0f}" if abs(computed) >= _WHOLE else f"{computed:,.6g}"
    value = f"{check.get('words', check['formula'])} = {figure}"
    if len(said) > _TOLD:
        return f"{value}, over {len(said)} figures"
    return f"{value}, where {'; '.join(said)}" if said else value


def _joined(found: Sequence[tuple[str, Finding]]) -> Finding:
    """One finding of several systems: it must hold for all; the first that does not speaks."""
    for system, finding in found:
        if finding.holds is False and len(found) > 1:
            return replace(finding, why=f"{system}: {finding.why}")
    return found[0][1]
