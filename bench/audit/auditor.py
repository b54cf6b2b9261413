"""Checks claims: computes each published figure from the described system and judges it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bench.audit import compressed_size, counts, layer_tables, training_setup, verdicts
from bench.audit.claims import Claim, ClaimError
from bench.audit.files import Files
from bench.audit.formula import evaluate, span
from bench.audit.measured import Measured
from bench.audit.networks import Built, Networks, NotHereError
from bench.audit.verdicts import EXACT, NEEDS_DATA, NOT_CHECKABLE, CrossCheck, Finding, Verdict
from bench.records.load import Stored
from bench.records.protocols import Protocol

CLASSES = 3755  # GB2312 level 1: the characters of the suite's papers; a check may state another number

_LISTED = 4  # most figures that a sentence lists one by one, and whose combinations ``span`` tries
_WHOLE = 10**6  # larger figures are printed without decimals

# Check kinds computed from one network; those of _SHAPES also get the name of its variant, those of _STATED only the
# architecture's literals.
_COUNTS: Mapping[str, Callable[[Built, Mapping[str, Any]], Finding]] = {
    "params": counts.parameters, "macs": counts.multiply_adds, "storage": counts.storage,
    "clusters": compressed_size.compressed,
}  # fmt: skip
_SHAPES: Mapping[str, Callable[[Built, Mapping[str, Any], str], Finding]] = {
    "step": layer_tables.step, "layer": layer_tables.layer, "every": layer_tables.every, "layers": layer_tables.layers,
    "blocks": layer_tables.blocks, "parts": layer_tables.parts, "output": layer_tables.output,
    "setting": layer_tables.setting,
}  # fmt: skip
_STATED: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Finding]] = {
    "recipe": training_setup.recipe, "image": training_setup.image, "variants": training_setup.variants,
}  # fmt: skip


def audit(
    claims: Sequence[Claim],
    stored: Sequence[Stored] = (),
    protocols: Mapping[str, Protocol] | None = None,
    files: Files | None = None,
) -> list[Verdict]:
    """One verdict for each claim, in the same order.

    Args:
        claims: what papers print.
        stored: records whose figures are listed with the verdicts.
        protocols: how measurements are made today.
        files: writes whole files for claims about file sizes; None to estimate them from a sample of the weights.

    Raises:
        ClaimError: an invalid check; names file and claim.
    """
    auditor = Auditor(claims, files)
    measured = Measured(stored, protocols or {})
    return [replace(auditor.verdict(claim), measured=tuple(measured.figures_for(claim))) for claim in claims]


class Auditor:
    """Judges claims; needs all of them, because some are checked against others. Builds each network once."""

    def __init__(self, claims: Sequence[Claim], files: Files | None = None) -> None:
        self._files = files
        self._claims = {claim.id: claim for claim in claims}
        self._networks = Networks()

    def verdict(self, claim: Claim) -> Verdict:
        """Compute a claim's figure and judge what is printed; raises ClaimError for an invalid check."""
        try:
            verdict = self._judged(claim)
            cross_checks = list(self._cross_checks(claim))
        except NotHereError as error:
            return Verdict(claim, NOT_CHECKABLE, None, str(error))
        except (KeyError, TypeError, ValueError) as error:
            raise ClaimError(f"{claim.paper}.yaml: claim {claim.id}: check {claim.check}: {error!r}") from error
        if claim.num is None:
            verdict = replace(verdict, computed=None, deviation=None)  # no printed number, so no base unit
        return verdicts.weighed(verdict, cross_checks) if cross_checks else verdict

    def finding(self, check: Mapping[str, Any], system: str | None) -> Finding:
        """Run a check on a system.

        Raises:
            NotHereError: the check needs something that is not installed.
            KeyError, TypeError, ValueError: an invalid check.
        """
        kind, name = check["kind"], check.get("system", system)
        if kind == "formula":
            return self._formula(check, name)
        if kind == "dataset":
            return training_setup.dataset(check)
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
            missing = NEEDS_DATA if kind == "data" else NOT_CHECKABLE
            return Verdict(claim, missing, None, str(check.get("why", "The claim states no check")))
        reason = f". {check['why']}" if check.get("why") else ""
        if kind == "stored" and self._files is None:
            return Verdict(claim, NEEDS_DATA, None, f"Needs a stored network: run bench audit --with-storage{reason}")
        finding = self.finding(check, claim.system)
        if check.get("less"):  # the figure beyond that of another system
            base = self.finding({**check, "system": check["less"]}, claim.system).computed
            computed = (finding.computed or 0.0) - (base or 0.0)
            finding = replace(finding, computed=computed, why=f"{finding.why}, minus {base:,} of {check['less']}")
        if "low" in check:
            finding = replace(finding, low=check["low"], high=check["high"])
        verdict = verdicts.judge(claim, finding, check.get("relation"))
        if "explained" in check and verdict.verdict != EXACT:
            words = check["explained"].get("words", "Otherwise")
            other = self.finding({**check["explained"], "words": "Total"}, claim.system)
            agrees = other.computed is not None and verdicts.digits_agree(claim, other.computed)
            result = "This is the printed figure" if agrees else "This is not the printed figure either"
            verdict = replace(verdict, why=f"{verdict.why}. {words}: {other.why}. {result}")
        return replace(verdict, why=verdict.why + reason)

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

    def _cross_checks(self, claim: Claim) -> Iterator[CrossCheck]:
        """Compare a claim with the printed cells in ``same``, ``not_below``, ``not_above`` and formula ``implied``."""
        check = claim.check
        yield from (verdicts.same(claim, self._claims[name]) for name in check.get("same", ()))
        for key, sign in (("not_below", 1), ("not_above", -1)):
            yield from (verdicts.bound(claim, self._claims[name], sign) for name in check.get(key, ()))
        if "implied" in check:
            yield verdicts.implied(claim, self._evaluated(check["implied"], claim.system))

    def _rows(self, check: Mapping[str, Any]) -> Finding:
        """Number of layers of the kinds ``ops`` in the rows of a printed table; ``of`` is the prefix of their ids."""
        rows = [one for one in self._claims.values() if one.id.startswith(check["of"])]
        count = sum(row.check.get("times", 1) for row in rows if row.check.get("op") in check["ops"])
        return Finding(count, f"{count} {layer_tables.listed(check['ops'])} layers in the rows of {check['of']}")

    def _formula(self, check: Mapping[str, Any], system: str | None) -> Finding:
        """A formula over ``values``: a figure, or whether it is ``above`` a bound or ``between`` two."""
        finding = self._evaluated(check, system)
        value, bounds = finding.computed or 0.0, check.get("between")
        if "above" in check or bounds:  # no figure to compare with the printed one
            return Finding(None, finding.why, bounds[0] <= value <= bounds[1] if bounds else value > check["above"])
        return finding if finding.cells else Finding(finding.computed, finding.why)

    def _evaluated(self, check: Mapping[str, Any], system: str | None) -> Finding:
        """Evaluate a formula over ``values``: numbers, ids of printed cells, or nested checks.

        The finding's range follows from the digits of the printed cells, which it lists if there are no nested checks.
        """
        values: dict[str, float] = {}
        bounds: dict[str, tuple[float, float]] = {}
        texts: list[str] = []
        for name, source in check["values"].items():
            if isinstance(source, str):
                cell = self._claims[source]
                if cell.num is None:
                    raise ValueError(f"{source} prints no number")
                values[name], bounds[name] = cell.num, verdicts.reach(cell)
                texts.append(f"{name} = {cell.printed} ({source})")
            elif isinstance(source, Mapping):
                finding = self.finding(source, system)
                if finding.computed is None:
                    raise ValueError(f"{name} is no number")
                values[name] = finding.computed
                texts.append(f"{name} = {finding.why}")
            else:
                values[name] = source
        value = evaluate(check["formula"], values)
        low, high = span(check["formula"], values, bounds) if len(bounds) <= _LISTED else (value, value)
        cells = tuple(check["values"][name] for name in bounds) if len(bounds) == len(texts) else ()
        return Finding(value, _explained(check, value, texts), None, cells, low, high)


def _explained(check: Mapping[str, Any], computed: float, texts: Sequence[str]) -> str:
    """The formula in words, its result, and the figures in it."""
    figure = f"{computed:,.0f}" if abs(computed) >= _WHOLE else f"{computed:,.6g}"
    value = f"{check.get('words', check['formula'])} = {figure}"
    if len(texts) > _LISTED:
        return f"{value}, computed from {len(texts)} figures"
    return f"{value}, where {'; '.join(texts)}" if texts else value


def _joined(findings: Sequence[tuple[str, Finding]]) -> Finding:
    """One finding for several systems: the first that fails, else the first."""
    for system, finding in findings:
        if finding.holds is False and len(findings) > 1:
            return replace(finding, why=f"{system}: {finding.why}")
    return findings[0][1]
