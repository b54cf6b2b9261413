"""Claims: the figures that papers print, read from ``leaderboards/claims``, which ships with the package."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from datamodules._errors import BenchError

PACKAGE = "leaderboards.claims"  # shipped as package data, see pyproject.toml
REQUIRED = ("id", "name", "dataset", "metric", "unit", "printed")  # these are never empty
NULLABLE = ("system", "num")  # null has a meaning, so it must be written


class ClaimError(BenchError):
    """A file of claims that does not hold what claims need; names the file and the claim."""


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
        metric: ``accuracy``, ``params``, ``mult_adds``, ``flops``, ``memory_mb`` or ``latency_ms``.
        unit: of the printed figure.
        printed: the figure as printed.
        num: the figure as a number: a count for ``params``, ``mult_adds`` and ``flops`` (a paper's word for
            multiply-adds), else in the printed unit; None where no number is printed.
        where: table or section of the paper.
        note: what a reader must know beside the figure.
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


def load_claims() -> list[Claim]:
    """All claims, in the order of file names and of the rows in them.

    Raises:
        ClaimError: a file that is no list of claims, an id twice, or a claim that lacks something.
    """
    files = [file for file in resources.files(PACKAGE).iterdir() if file.name.endswith(".yaml")]
    return read_claims(sorted(files, key=lambda file: file.name))


def read_claims(files: Iterable[Traversable]) -> list[Claim]:
    """The claims of these YAML files; raises as ``load_claims`` does."""
    claims: dict[str, Claim] = {}
    for file in files:
        for claim in _claims_of(file):
            if claim.id in claims:
                raise ClaimError(f"{file.name}: claim {claim.id}: the id stands twice; give each claim its own")
            claims[claim.id] = claim
    return list(claims.values())


def _claims_of(file: Traversable) -> list[Claim]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ClaimError(f"{file.name}: not readable as YAML: {error}") from error
    wanted = "wanted the keys suite and claims, a list of mappings"
    if not isinstance(content, dict) or not isinstance(content.get("claims"), list) or "suite" not in content:
        raise ClaimError(f"{file.name}: {wanted}, got {type(content).__name__}")
    paper = file.name.removesuffix(".yaml")
    return [_claim(file.name, paper, str(content["suite"]), row) for row in content["claims"]]


def _claim(file: str, paper: str, suite: str, row: Any) -> Claim:
    if not isinstance(row, dict):
        raise ClaimError(f"{file}: wanted a mapping for each claim, got {row!r}")
    place = f"{file}: claim {row.get('id', '(without id)')}"
    missing = [key for key in REQUIRED if row.get(key) in (None, "")]
    missing += [key for key in NULLABLE if key not in row]
    if missing:
        raise ClaimError(f"{place}: lacks {', '.join(missing)}")
    unknown = sorted(set(row) - {field.name for field in fields(Claim)} | {"paper", "suite"} & set(row))
    if unknown:
        raise ClaimError(f"{place}: unknown keys {', '.join(unknown)}")
    num = row["num"]
    if num is not None and (isinstance(num, bool) or not isinstance(num, int | float)):
        raise ClaimError(f"{place}: wanted a number or null for num, got {num!r}")
    texts = {key: str(value) for key, value in row.items() if key not in NULLABLE}
    return Claim(paper=paper, suite=suite, system=row["system"], num=num, **texts)
