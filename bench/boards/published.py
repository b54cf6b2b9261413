"""Published figures on boards: a cell in the rows of published systems, and tables of their own."""

import re
from collections.abc import Mapping, Sequence

from bench.audit.claims import Claim
from bench.records.formatting import MILLION, NONE, digits
from bench.records.rows import ROBUST, BoardRow

# Column -> the metrics that papers use for it; fire-hccr's "FLOPs" are multiply-adds.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "Accuracy, %": ("accuracy",),
    "MACs, M": ("mult_adds", "flops"),
    "Params, M": ("params",),
    "Size, MB as printed": ("memory_mb",),
    "ms/character on their machine": ("latency_ms",),
}
COUNTS = ("mult_adds", "flops", "params")  # claims give these as plain counts


def shown_claims(claims: Sequence[Claim], suite: str, dataset: str) -> list[Claim]:
    """Figures of whole systems for a board: those on its own data set, or if there are none all of the suite."""
    of_suite = [claim for claim in claims if claim.suite == suite and _is_shown(claim)]
    return [claim for claim in of_suite if claim.dataset == dataset] or of_suite


def cell(row: BoardRow, claims: Sequence[Claim], dataset: str) -> str:
    """The published accuracies of a row's system, each with its data set and a link to the audit."""
    if "~" in row.recipe:  # not the recipe that the paper used
        return NONE
    name = row.system.removesuffix(f"+{row.recipe}")
    matches = [claim for claim in claims if claim.system == name and claim.metric == "accuracy" and _is_shown(claim)]
    matches = [claim for claim in matches if claim.dataset == dataset] or matches
    texts: dict[str, str] = {}  # each value once
    for claim in matches:
        texts.setdefault(_value(claim), f"{_linked(claim)} on {claim.dataset}")
    return ", ".join(texts.values()) or NONE


def published_table(shown: Sequence[Claim]) -> tuple[list[str], list[list[str]]]:
    """Header and lines of the published figures: one line per system of each paper, most accurate first."""
    groups: dict[tuple[str, str, str], list[Claim]] = {}
    for claim in shown:
        groups.setdefault((claim.paper, claim.name, claim.dataset), []).append(claim)

    def order(key: tuple[str, str, str]) -> tuple[float, tuple[str, str, str]]:
        return -max((c.num or 0.0 for c in groups[key] if c.metric == "accuracy"), default=0.0), key

    lines = []
    for key in sorted(groups, key=order):
        group = groups[key]
        source = f"[{key[0]}](claims/{key[0]}.yaml)"
        places = "; ".join(dict.fromkeys(claim.where for claim in group if claim.where))
        figures = [_joined(group, metrics) for metrics in COLUMNS.values()]
        lines.append([key[1], f"{source}, {places}" if places else source, key[2], *figures])
    return ["System, as the source names it", "Source", "Data set", *COLUMNS], lines


def robustness_claims(claims: Sequence[Claim]) -> list[Claim]:
    """The claims about accuracy under a condition such as rotation."""
    return [claim for claim in claims if _condition(claim)]


def robustness_table(shown: Sequence[Claim]) -> tuple[list[str], list[list[str]]]:
    """Header and lines: one line per training of each paper, with the corresponding recipes of this suite."""
    conditions = sorted({_condition(claim) for claim in shown})
    groups: dict[tuple[str, str, str, str], dict[str, Claim]] = {}
    for claim in shown:
        recipes = ", ".join(f"`{name}`" for name in claim.check["measured"]["recipes"])
        groups.setdefault((claim.name, claim.paper, claim.dataset, recipes), {})[_condition(claim)] = claim
    lines = []
    for (name, paper, dataset, recipes), cells in groups.items():
        figures = [_linked(cells[one]) if one in cells else NONE for one in conditions]
        lines.append([name, f"[{paper}](claims/{paper}.yaml)", dataset, recipes, *figures])
    columns = [f"{condition.partition('@')[2].capitalize()}, %" for condition in conditions]
    return ["System, as the source names it", "Source", "Data set", "Recipe here", *columns], lines


def time_ratios(claims: Sequence[Claim]) -> str:
    """Published time of training without labels over training with labels, each with its system and a link.

    The papers print the saving in per cent.
    """
    shares = [(claim, digits(1 - (claim.num or 0.0) / 100)) for claim in claims
              if claim.metric == "time_ratio" and claim.num is not None and claim.unit == "%"]  # fmt: skip
    return ", ".join(f"[{share}]({_page(claim)}) {claim.name}, {claim.dataset}" for claim, share in shares) or NONE


def anchor(claim: Claim) -> str:
    """The anchor of a claim's line in ``audit.md``."""
    return "claim-" + re.sub(r"[^a-z0-9]+", "-", claim.id.lower()).strip("-")


def _is_shown(claim: Claim) -> bool:
    """Whether the claim is a figure of a whole system that boards have a column for."""
    of_system = claim.kind in ("result", "cited") and not claim.part
    return of_system and any(claim.metric in metrics for metrics in COLUMNS.values())


def _condition(claim: Claim) -> str:
    """The measurement that a claim is about, such as ``accuracy@flip``; empty if that is no robustness figure."""
    of = str(claim.check.get("measured", {}).get("of", ""))
    return of if of in ROBUST else ""


def _joined(group: Sequence[Claim], metrics: Sequence[str]) -> str:
    """All different values that a source prints for one figure, each with a link to the audit."""
    values = {_value(claim): _linked(claim) for claim in reversed(group) if claim.metric in metrics}
    return " / ".join(reversed(values.values())) or NONE


def _linked(claim: Claim) -> str:
    return f"[{_value(claim)}]({_page(claim)})"


def _page(claim: Claim) -> str:
    return f"audit.md#{anchor(claim)}"


def _value(claim: Claim) -> str:
    if claim.num is None:
        return claim.printed
    return digits(claim.num / MILLION) if claim.metric in COUNTS else f"{claim.num:,g}"
