"""Noted contradictions, each settled by the verdicts on the claims that it names, or by a check of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.audit.auditor import CONTRADICTED, Auditor, Verdict
from bench.audit.claims import Claim, Contradiction

FOUND, NONE = "found", "no contradiction"


@dataclass(frozen=True)
class Settled:
    """What the audit makes of a noted contradiction.

    Attributes:
        noted: it.
        verdicts: on the claims that it names.
        own: that of its own check; None where it has none.
    """

    noted: Contradiction
    verdicts: Sequence[Verdict]
    own: Verdict | None = None

    @property
    def wrong(self) -> list[Verdict]:
        """The verdicts that find it, its own first."""
        every = [self.own, *self.verdicts] if self.own else self.verdicts
        return [one for one in every if one is not None and one.verdict == CONTRADICTED]

    @property
    def outcome(self) -> str:
        """FOUND where a verdict is ``contradicted``, else NONE."""
        return FOUND if self.wrong else NONE

    @property
    def why(self) -> str:
        """What was compared: where it was found, the first verdict that says so."""
        said = [self.wrong[0].why] if self.wrong else []
        return ". ".join([*said, *([self.noted.why] if self.noted.why else [])])

    def as_dict(self) -> dict[str, Any]:
        """As ``bench audit --json`` gives it."""
        return {
            "id": self.noted.id, "statement": self.noted.statement, "outcome": self.outcome, "why": self.why,
            "claims": {one.claim.id: one.verdict for one in self.verdicts},
        }  # fmt: skip


def settle(noted: Sequence[Contradiction], verdicts: Sequence[Verdict]) -> list[Settled]:
    """Each noted contradiction answered, in their order; one is left out where a claim that it names has no verdict.

    Args:
        noted: what a reader noted.
        verdicts: on all claims.

    Raises:
        ClaimError: a check that cannot be understood; names file and contradiction.
    """
    by_id = {one.claim.id: one for one in verdicts}
    auditor = Auditor([one.claim for one in verdicts])
    found = []
    for one in noted:
        if not by_id.keys() >= set(one.claims):
            continue
        own = auditor.verdict(_asked(one, by_id[one.claims[0]].claim)) if one.check else None
        found.append(Settled(one, [by_id[name] for name in one.claims], own))
    return found


def _asked(noted: Contradiction, first: Claim) -> Claim:
    """A contradiction with a check of its own, as a claim of the same paper that prints no number."""
    return Claim(
        id=noted.id, paper=first.paper, suite=first.suite, name=first.name, system=None, dataset=first.dataset,
        metric="contradiction", unit="", printed=noted.statement, num=None, check=noted.check,
    )  # fmt: skip
