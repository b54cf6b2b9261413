"""Input of every board section: comparable rows, their records, and published figures."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.audit.claims import Claim
from bench.records.load import Stored
from bench.records.rows import BoardRow


@dataclass(frozen=True)
class Section:
    """Rows of one scale and one data set.

    Attributes:
        rows: in the order of the leaderboard, without failed rows.
        stored: their records, and those of failed rows.
        claims: figures that papers print.
    """

    rows: Sequence[BoardRow]
    stored: Sequence[Stored] = ()
    claims: Sequence[Claim] = field(default_factory=tuple)
