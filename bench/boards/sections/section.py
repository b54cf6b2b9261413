"""Input of every board section: comparable rows, their records, and published figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.audit.claims import Claim
from bench.records.load import Stored
from bench.records.rows import BoardRow


@dataclass(frozen=True)
class Section:
    """Rows of one scale and one data set in leaderboard order, all records (failed ones too), and the claims."""

    rows: Sequence[BoardRow]
    stored: Sequence[Stored] = ()
    claims: Sequence[Claim] = ()
