"""Input of every board section: comparable rows, their records, and published figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.audit.claims import Claim
from bench.records.load import Stored
from bench.records.rows import BoardRow


@dataclass(frozen=True)
class Section:
    """Comparable rows of one scale and one data set.

    Attributes:
        rows: of the ranked machine, in leaderboard order.
        stored: all records, those of failed rows too.
        claims: published figures.
        others: rows of other machines.
        suite: all records of the suite, on every data set.
    """

    rows: Sequence[BoardRow]
    stored: Sequence[Stored] = ()
    claims: Sequence[Claim] = ()
    others: Sequence[BoardRow] = ()
    suite: Sequence[Stored] = ()
