"""Systems are compared by any spelling of their names."""

import json
from typing import Any

from fake.records import record, write


def test_names_are_found_in_their_one_spelling(bench: Any, tmp_path: Any) -> None:
    write(tmp_path / "out", record("lenet5"), record("fire:gwap~lr=0.001~rotate=0"))
    code, out, _ = bench(f"compare lenet5+light fire:gwap~rotate=0.0~lr=1e-3 --json --out {tmp_path / 'out'}")
    found = json.loads(out)
    assert (code, found["a"]["system"], found["b"]["system"]) == (0, "lenet5", "fire:gwap~lr=0.001~rotate=0")
