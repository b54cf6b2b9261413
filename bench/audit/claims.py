"""Reads claims, the figures that papers print, and noted contradictions from the YAML files in leaderboards/claims."""

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
REQUIRED = ("id", "name", "dataset", "metric", "printed")  # never empty; nor is unit if num is set
NULLABLE = ("system", "num")  # null has a meaning, so it must be written


class ClaimError(BenchError):
    """An invalid file of claims; the message names the file and the claim."""


# As safe_load does; libyaml is several times as fast, if PyYAML was built with it.
SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Claim:
    """One figure as a paper printed it.

    Attributes:
        id: ``paper/place/figure``, unique over all files.
        paper, suite: name of its file, and the suite whose boards show it.
        name, system: the system's name in the paper, and the system here that rebuilds it, None if there is none.
        dataset: the data set it was measured on.
        metric: ``accuracy``, ``params``, ``mult_adds``, ``flops``, ``memory_mb``, ``latency_ms``, or another word.
        unit: of the printed figure, ``1`` for plain numbers; empty if no number is printed.
        printed: the figure as printed.
        num: the figure as a number: a count for ``params``, ``mult_adds`` and ``flops`` (some papers' word for
            multiply-adds), else in the printed unit; None if no number is printed.
        where, note: table or section of the paper, and a remark for the reader.
        kind: one of KINDS: measured by the paper, an order or difference, training protocol, architecture, or cited.
        part: the part of the system or of its training that the figure is about; empty for the whole.
        check: how ``bench audit`` computes the figure; its ``kind`` names a function of ``bench/audit``.
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
    """Statements of a paper that a reader noted as contradictory; ``bench audit`` decides whether they are.

    Attributes:
        id: unique over all files.
        where: tables or sections of the paper.
        statement: what seems contradictory.
        claims: ids of the claims whose verdicts decide; at least one.
        why: what was compared, or why nothing can be; empty if the verdicts explain it.
        check: a check of its own, in the form of a claim's.
    """

    id: str
    where: str
    statement: str
    claims: tuple[str, ...]
    why: str = ""
    check: Mapping[str, Any] = field(default_factory=dict)


def load_claims() -> list[Claim]:
    """All shipped claims, in the order of file names and rows.

    Raises:
        ClaimError: no list of claims, a duplicate id, a missing or unknown key, or an unknown system.
    """
    return read_claims(_shipped())


def read_claims(files: Iterable[Traversable]) -> list[Claim]:
    """The claims of these YAML files; raises ClaimError as ``load_claims`` does."""
    claims: dict[str, Claim] = {}
    known = frozenset(systems())
    for file in files:
        content = _content(file)
        for row in content["claims"]:
            claim = _claim(file.name, file.name.removesuffix(".yaml"), str(content["suite"]), row, known)
            if claim.id in claims:
                raise ClaimError(f"{file.name}: claim {claim.id}: duplicate id; give each claim its own")
            claims[claim.id] = claim
    return list(claims.values())


def load_contradictions() -> list[Contradiction]:
    """All shipped contradictions, in the order of file names and rows; raises ClaimError as ``read_contradictions``."""
    return read_contradictions(_shipped())


def read_contradictions(files: Iterable[Traversable]) -> list[Contradiction]:
    """The contradictions in these YAML files, under the optional key ``contradictions``.

    Raises:
        ClaimError: a duplicate id, an invalid row, or a row that names no claim of its file.
    """
    noted: dict[str, Contradiction] = {}
    for file in files:
        content = _content(file)
        known = {row.get("id") for row in content["claims"] if isinstance(row, dict)}
        for row in content.get("contradictions", ()):
            one = _contradiction(file.name, row, known)
            if one.id in noted:
                raise ClaimError(f"{file.name}: contradiction {one.id}: duplicate id; give each its own")
            noted[one.id] = one
    return list(noted.values())


def _shipped() -> list[Traversable]:
    files = (file for file in resources.files(PACKAGE).iterdir() if file.name.endswith(".yaml"))
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
        raise ClaimError(f"{place}: missing or unknown keys {', '.join(odd)}; wanted {', '.join(wanted)}")
    ids = row["claims"]
    unknown = [name for name in ids if name not in known] if isinstance(ids, list) else []
    if not isinstance(ids, list) or not ids or unknown:
        raise ClaimError(f"{place}: wanted ids of claims of this file for claims, got {unknown or ids!r}")
    return Contradiction(**{**row, "claims": tuple(ids)})


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
