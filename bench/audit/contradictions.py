"""Settles contradictions that readers noted: by the verdicts on their claims, or by a check of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.audit.auditor import Auditor
from bench.audit.claims import Claim, Contradiction
from bench.audit.verdicts import CONTRADICTED, Verdict

FOUND, NONE = "found", "no contradiction"


@dataclass(frozen=True)
class Settled:
    """A noted contradiction, the verdicts on its claims, and the verdict of its own check if it has one."""

    noted: Contradiction
    verdicts: Sequence[Verdict]
    own: Verdict | None = None

    @property
    def wrong(self) -> list[Verdict]:
        """The verdicts that confirm the contradiction, its own first."""
        return [one for one in (self.own, *self.verdicts) if one is not None and one.verdict == CONTRADICTED]

    @property
    def outcome(self) -> str:
        """FOUND if a verdict is ``contradicted``, else NONE."""
        return FOUND if self.wrong else NONE

    @property
    def why(self) -> str:
        """What was compared: the reason of the first confirming verdict, and the noted reason."""
        return ". ".join(filter(None, [*(one.why for one in self.wrong[:1]), self.noted.why]))

    def as_dict(self) -> dict[str, Any]:
        """The contradiction as ``bench audit --json`` prints it."""
        return {
            "id": self.noted.id, "statement": self.noted.statement, "outcome": self.outcome, "why": self.why,
            "claims": {one.claim.id: one.verdict for one in self.verdicts},
        }  # fmt: skip


def settle(noted: Sequence[Contradiction], verdicts: Sequence[Verdict]) -> list[Settled]:
    """Settle each noted contradiction by the verdicts on all claims; omits those with a claim without a verdict.

    Raises:
        ClaimError: an invalid check; names file and contradiction.
    """
    by_id = {one.claim.id: one for one in verdicts}
    auditor = Auditor([one.claim for one in verdicts])
    settled = []
    for one in noted:
        if by_id.keys() >= set(one.claims):
            own = auditor.verdict(_as_claim(one, by_id[one.claims[0]].claim)) if one.check else None
            settled.append(Settled(one, [by_id[name] for name in one.claims], own))
    return settled


def _as_claim(noted: Contradiction, first: Claim) -> Claim:
    """A contradiction with its own check, as a claim of the same paper that prints no number."""
    return Claim(
        id=noted.id, paper=first.paper, suite=first.suite, name=first.name, system=None, dataset=first.dataset,
        metric="contradiction", unit="", printed=noted.statement, num=None, check=noted.check,
    )  # fmt: skip
