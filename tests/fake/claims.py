"""Made-up claims for tests of what answers them."""

from typing import Any

from bench.audit.claims import Claim


def claim(name: str = "p/claim", **changes: Any) -> Claim:
    """A claim of paper ``p`` about a system of others, without a number or a check unless ``changes`` give them."""
    given = {
        "suite": "hccr", "name": "Net", "system": None, "dataset": "d", "metric": "params", "unit": "1",
        "printed": "so", "num": None, **changes,
    }  # fmt: skip
    return Claim(id=name, paper=name.split("/")[0], **given)
