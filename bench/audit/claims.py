"""Claims: the figures that papers print, read from ``leaderboards/claims``, which ships with the package."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from bench.plugins import systems
from datamodules._errors import BenchError

PACKAGE = "leaderboards.claims"  # shipped as package data, see pyproject.toml
KINDS = ("result", "comparative", "protocol", "architecture", "cited")
REQUIRED = ("id", "name", "dataset", "metric", "printed")  # these are never empty; nor is unit where num is set
NULLABLE = ("system", "num")  # null has a meaning, so it must be written


class ClaimError(BenchError):
    """A file of claims that does not hold what claims need; names the file and the claim."""


# The same as safe_load; libyaml, where PyYAML was built with it, is several times as fast.
SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Claim:
    """One figure as a paper printed it.

    Attributes:
        id: unique over all files; ``paper/place/figure``.
        paper: name of the file it stands in.
        suite: the suite whose boards show it.
        name: what the paper calls the system.
        system: name of the system here that rebuilds it; None where there is none.
        dataset: what it was measured on.
        metric: ``accuracy``, ``params``, ``mult_adds``, ``flops``, ``memory_mb``, ``latency_ms``, or a word for
            what else is stated.
        unit: of the printed figure, ``1`` for plain numbers; empty where no number is printed.
        printed: the figure as printed.
        num: the figure as a number: a count for ``params``, ``mult_adds`` and ``flops`` (a paper's word for
            multiply-adds), else in the printed unit; None where no number is printed.
        where: table or section of the paper.
        note: what a reader must know beside the figure.
        kind: one of KINDS: measured by the paper, an order or difference, how it was done, how it is built, or
            taken from others.
        part: what of the system, or of its training, the figure is of; empty for the whole.
        check: how ``bench audit`` computes the same; its ``kind`` names a function of ``bench/audit``.
    """

    id: str
    paper: str
    suite: str
    name: str
    system: str | None
    dataset: str
    metric: str
    unit: str
    printed: str
    num: float | None
    where: str = ""
    note: str = ""
    kind: str = "result"
    part: str = ""
    check: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Contradiction:
    """Statements that a reader of a paper noted as being at odds; ``bench audit`` says whether they are.

    Attributes:
        id: unique over all files.
        where: tables or sections of the paper.
        statement: what seems to be at odds.
        claims: ids of the claims whose verdicts answer it; one at least.
        why: what was compared, or why there is nothing to compare; empty where the verdicts say it all.
        check: a computation of its own, as of a claim.
    """

    id: str
    where: str
    statement: str
    claims: tuple[str, ...]
    why: str = ""
    check: Mapping[str, Any] = field(default_factory=dict)


def load_claims() -> list[Claim]:
    """All claims, in the order of file names and of the rows in them.

    Raises:
        ClaimError: a file that is no list of claims, an id twice, or a claim that lacks something or names a system
            that is not there.
    """
    return read_claims(_shipped())


def read_claims(files: Iterable[Traversable]) -> list[Claim]:
    """The claims of these YAML files; raises as ``load_claims`` does."""
    claims: dict[str, Claim] = {}
    known = frozenset(systems())
    for file in files:
        for claim in _claims_of(file, known):
            if claim.id in claims:
                raise ClaimError(f"{file.name}: claim {claim.id}: the id stands twice; give each claim its own")
            claims[claim.id] = claim
    return list(claims.values())


def load_contradictions() -> list[Contradiction]:
    """All noted contradictions, in the order of file names and of the rows in them; raises as ``load_claims`` does."""
    return read_contradictions(_shipped())


def read_contradictions(files: Iterable[Traversable]) -> list[Contradiction]:
    """The contradictions noted in these YAML files, under the key of that name, which a file may lack.

    Raises:
        ClaimError: an id twice, a row of another form, or one that names no claim of its file.
    """
    found: dict[str, Contradiction] = {}
    for file in files:
        content = _content(file)
        known = {row.get("id") for row in content["claims"] if isinstance(row, dict)}
        for row in content.get("contradictions", ()):
            one = _contradiction(file.name, row, known)
            if one.id in found:
                raise ClaimError(f"{file.name}: contradiction {one.id}: the id stands twice; give each its own")
            found[one.id] = one
    return list(found.values())


def _shipped() -> list[Traversable]:
    files = [file for file in resources.files(PACKAGE).iterdir() if file.name.endswith(".yaml")]
    return sorted(files, key=lambda file: file.name)


def _content(file: Traversable) -> Mapping[str, Any]:
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), SAFE_LOADER)
    except yaml.YAMLError as error:
        raise ClaimError(f"{file.name}: not readable as YAML: {error}") from error
    wanted = "wanted the keys suite and claims, a list of mappings"
    if not isinstance(content, dict) or not isinstance(content.get("claims"), list) or "suite" not in content:
        raise ClaimError(f"{file.name}: {wanted}, got {type(content).__name__}")
    return content


def _contradiction(file: str, row: Any, known: Collection[Any]) -> Contradiction:
    if not isinstance(row, dict):
        raise ClaimError(f"{file}: wanted a mapping for each contradiction, got {row!r}")
    place = f"{file}: contradiction {row.get('id', '(without id)')}"
    wanted = [one.name for one in fields(Contradiction)]
    odd = sorted({"id", "where", "statement", "claims"} - set(row) | set(row) - set(wanted))
    if odd:
        raise ClaimError(f"{place}: lacks, or should not have, {', '.join(odd)}; wanted {', '.join(wanted)}")
    named = row["claims"]
    missing = [name for name in named if name not in known] if isinstance(named, list) else []
    if not isinstance(named, list) or not named or missing:
        raise ClaimError(f"{place}: wanted ids of claims of this file for claims, got {missing or named!r}")
    return Contradiction(**{**row, "claims": tuple(named)})


def _claims_of(file: Traversable, known: Collection[str]) -> list[Claim]:
    content = _content(file)
    paper = file.name.removesuffix(".yaml")
    return [_claim(file.name, paper, str(content["suite"]), row, known) for row in content["claims"]]


def _claim(file: str, paper: str, suite: str, row: Any, known: Collection[str]) -> Claim:
    if not isinstance(row, dict):
        raise ClaimError(f"{file}: wanted a mapping for each claim, got {row!r}")
    place = f"{file}: claim {row.get('id', '(without id)')}"
    missing = [key for key in REQUIRED if row.get(key) in (None, "")]
    missing += [key for key in NULLABLE if key not in row]
    missing += ["unit (1 for a plain number)"] if row.get("num") is not None and not row.get("unit") else []
    if missing:
        raise ClaimError(f"{place}: lacks {', '.join(missing)}")
    unknown = sorted(set(row) - {field.name for field in fields(Claim)} | {"paper", "suite"} & set(row))
    if unknown:
        raise ClaimError(f"{place}: unknown keys {', '.join(unknown)}")
    _check_values(place, row, known)
    texts = {key: str(value) for key, value in row.items() if key not in (*NULLABLE, "check")}
    check = row.get("check", {})
    return Claim(paper=paper, suite=suite, system=row["system"], num=row["num"], check=check, **{"unit": "", **texts})


def _check_values(place: str, row: Mapping[str, Any], known: Collection[str]) -> None:
    num, check = row["num"], row.get("check", {})
    if num is not None and (isinstance(num, bool) or not isinstance(num, int | float)):
        raise ClaimError(f"{place}: wanted a number or null for num, got {num!r}")
    if row.get("kind", "result") not in KINDS:
        raise ClaimError(f"{place}: unknown kind {row['kind']!r}; known: {', '.join(KINDS)}")
    if not isinstance(check, dict):
        raise ClaimError(f"{place}: wanted a mapping for check, got {check!r}")
    if row["system"] is not None and str(row["system"]).split("+")[0] not in known:
        raise ClaimError(f"{place}: unknown system {row['system']!r}; see: bench list systems")
