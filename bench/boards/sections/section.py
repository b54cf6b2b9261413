"""What each section of a board is given: rows that may be compared, their records, and published figures."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.audit.claims import Claim
from bench.records.load import Stored
from bench.records.rows import BoardRow


@dataclass(frozen=True)
class Section:
    """Rows of one scale and one data set.

    Attributes:
        rows: in the order of the leaderboard; rows that failed are missing.
        stored: their records, and those of rows that failed.
        claims: figures that papers print.
    """

    rows: Sequence[BoardRow]
    stored: Sequence[Stored] = ()
    claims: Sequence[Claim] = field(default_factory=tuple)
