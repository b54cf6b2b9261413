"""``bench choose --here``: accuracies of the records, times of this machine."""

from typing import Any

import pytest
from fake.choices import BOARDS, HWDB, ORT, RUNS, Bench, answer, printed, row
from fake.records import in_runtime, record, write

from bench.records import provenance
from bench.records.record import write_record

HERE = {"name": "here-2c", "cpu": "ARM", "cores": 2, "ram_bytes": 8_000_000_000, "os": "Linux"}


@pytest.fixture
def here(records: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """On another machine than that of the records."""
    monkeypatch.setattr(provenance, "machine", lambda: HERE)
    return records


def timing(system: str, ratio: float, runtime: str = ORT, **changes: Any) -> None:
    """What ``bench time`` writes."""
    found = record(system, None, 4 * ratio, weights="random", machine=HERE, **changes)
    write_record(RUNS / "timings", in_runtime(found, runtime, ratio, memory_mb=50, file="random"))


def test_here_joins_accuracies_with_the_times_of_this_machine(here: Bench) -> None:
    code, _, err = here("choose --here")
    assert code == 2
    assert "no timing on this machine, here-2c" in err
    assert err.endswith("make them: bench time --suite hccr\n")
    timing("lenet5", 3.0)
    timing("fire:gwap", 0.75)
    found = answer(here, "--here")
    assert found["left_out"] == {"eager is not a file": 5, "not timed on this machine": 3}
    chosen = found["chosen"]
    assert (chosen["system"], chosen["accuracy"], chosen["latency_ms"]) == ("fire:gwap", 0.955, 1.5)
    assert (chosen["memory_mb"], chosen["size_mb"], chosen["file_sha256"]) == (50, 3.2, "f1")  # never the timed file's
    assert answer(here, "--here --max-memory-mb 60 --max-latency-ms 1.5")["fit"] == 1
    assert printed(here, "--here").startswith(
        "synthetic data synthetic_hwdb, 30 classes, scale quick, accuracies of machine cpu-2c\n"
    )
    assert "its median on this machine." in printed(here, "--here")


def test_a_timing_serves_all_recipes_of_an_architecture_but_early_exits_only_at_their_rates(here: Bench) -> None:
    write(BOARDS, row("fire:gwap+paper", 0.999, 9.0, 3.2), row("fire_cascade", 0.999, 9.0, 3.2))
    timing("fire:gwap", 0.75)
    timing("fire_cascade", 0.1)  # random weights leave at random exits
    timing("lenet5", 0.1, dataset=HWDB)  # another number of classes
    found = answer(here, "--here")
    assert {one["system"]: one["latency_ms"] for one in found["table"]} == {"fire:gwap": 1.5, "fire:gwap+paper": 1.5}
    timing("fire_cascade", 0.25, exit_rates={"mid_a": 0.5})
    found = answer(here, "--here")
    assert {one["system"]: one["latency_ms"] for one in found["table"]}["fire_cascade"] == 0.5


def test_here_prefers_records_of_this_machine(here: Bench) -> None:
    timing("fire:gwap", 0.75)
    write(BOARDS, row("fire:gwap", 0.999, 0.5, 3.2, machine=HERE))
    found = answer(here, "--here")
    assert found["machine"] == "cpu-2c"  # five rows against one
    assert (found["chosen"]["accuracy"], found["chosen"]["latency_ms"]) == (0.955, 1.0)
    assert "cpu-2c (the one with the most rows; or --machine)" in printed(here, "--here")
    assert answer(here, "--here --machine here-2c")["chosen"]["accuracy"] == 0.999


def test_here_takes_a_runtime_that_only_this_machine_was_timed_in(here: Bench) -> None:
    timing("fire:gwap", 0.75, "openvino")
    timing("fire:gap", 0.75, "openvino-int8")
    found = answer(here, "--here")
    assert [(one["system"], one["runtime"]) for one in found["table"]] == [("fire:gwap", "openvino")]
    assert found["left_out"]["accuracy in int8 not measured"] == 1
    code, _, err = here("choose --here --scale paper")
    assert (code, "scale paper" in err) == (2, True)
