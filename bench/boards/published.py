"""Published figures on boards: beside a row whose system a paper names, and in a table of their own."""

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
    """The claims a board shows: figures of its suite's whole systems, on its own data set where there are any."""
    ours = [claim for claim in claims if claim.suite == suite and _shown(claim)]
    return [claim for claim in ours if claim.dataset == dataset] or ours


def cell(row: BoardRow, claims: Sequence[Claim], dataset: str) -> str:
    """The published accuracies of a row's system, each with the data set it was measured on and a link."""
    name = row.system.removesuffix(f"+{row.recipe}")
    found = [claim for claim in claims if claim.system == name and claim.metric == "accuracy" and _shown(claim)]
    found = [claim for claim in found if claim.dataset == dataset] or found
    texts: list[str] = []
    for claim in found:
        text = f"{_linked(claim)} on {claim.dataset}"
        if text.split("]")[0] not in [other.split("]")[0] for other in texts]:
            texts.append(text)
    return ", ".join(texts) or NONE


def published_table(shown: Sequence[Claim]) -> tuple[list[str], list[list[str]]]:
    """Header and lines, one for each system of each paper, by accuracy."""
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
    return ["System as named there", "Source", "Data set", *COLUMNS], lines


def robustness_claims(claims: Sequence[Claim]) -> list[Claim]:
    """The claims that speak of accuracy under a condition, as their checks say."""
    return [claim for claim in claims if _condition(claim)]


def robustness_table(shown: Sequence[Claim]) -> tuple[list[str], list[list[str]]]:
    """Header and lines, one for each training of each paper, with the recipes here that answer it."""
    conditions = sorted({_condition(claim) for claim in shown})
    groups: dict[tuple[str, str, str, str], dict[str, Claim]] = {}
    for claim in shown:
        recipes = ", ".join(f"`{name}`" for name in claim.check["measured"]["recipes"])
        groups.setdefault((claim.name, claim.paper, claim.dataset, recipes), {})[_condition(claim)] = claim
    lines = []
    for (name, paper, dataset, recipes), found in groups.items():
        figures = [_linked(found[one]) if one in found else NONE for one in conditions]
        lines.append([name, f"[{paper}](claims/{paper}.yaml)", dataset, recipes, *figures])
    columns = [f"{condition.partition('@')[2].capitalize()}, %" for condition in conditions]
    return ["System as named there", "Source", "Data set", "Recipe here", *columns], lines


def time_ratios(claims: Sequence[Claim]) -> str:
    """How long training without labels takes others, as a share of training with them: each with its system, linked.

    The papers print how much less that is, in per cent.
    """
    found = [claim for claim in claims if claim.metric == "time_ratio" and claim.num is not None]
    shares = [(claim, digits(1 - (claim.num or 0.0) / 100)) for claim in found if claim.unit == "%"]
    return ", ".join(f"[{share}]({_answer(claim)}) {claim.name}, {claim.dataset}" for claim, share in shares) or NONE


def anchor(claim: Claim) -> str:
    """Where ``audit.md`` answers a claim."""
    return "claim-" + re.sub(r"[^a-z0-9]+", "-", claim.id.lower()).strip("-")


def _shown(claim: Claim) -> bool:
    """Whether it is a figure of a whole system, such as boards have."""
    of_systems = claim.kind in ("result", "cited") and not claim.part
    return of_systems and any(claim.metric in metrics for metrics in COLUMNS.values())


def _condition(claim: Claim) -> str:
    """The measurement under a condition that answers a claim, such as ``accuracy@flip``; empty for most."""
    of = str(claim.check.get("measured", {}).get("of", ""))
    return of if of in ROBUST else ""


def _joined(group: Sequence[Claim], metrics: Sequence[str]) -> str:
    """All different values that a source prints for one figure, each linked to its answer."""
    values = {_value(claim): _linked(claim) for claim in reversed(group) if claim.metric in metrics}
    return " / ".join(reversed(values.values())) or NONE


def _linked(claim: Claim) -> str:
    return f"[{_value(claim)}]({_answer(claim)})"


def _answer(claim: Claim) -> str:
    return f"audit.md#{anchor(claim)}"


def _value(claim: Claim) -> str:
    if claim.num is None:
        return claim.printed
    return digits(claim.num / MILLION) if claim.metric in COUNTS else f"{claim.num:,g}"
