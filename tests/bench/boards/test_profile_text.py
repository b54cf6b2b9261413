"""What a profile says beside the board's figures, computed by hand."""

from fake.records import record

from bench.boards.profile_text import lines

LIMIT = {
    "version": "1", "unit": "ns", "value": 2e6, "by": "multiply-adds", "int8": 0.5e6, "int8_by": "weights",
    "fp32_macs_per_s": 4.5e10, "int8_macs_per_s": 2e11,
}  # fmt: skip
LATENCY = {"version": "2", "unit": "ns", "value": 9e6, "cpu_ns": 3e6}


def shown(**measurements) -> dict[str, str]:
    made = record("a", 0.9)
    return dict(lines({**made, "measurements": {**made["measurements"], **measurements}}))


def test_times_the_limit_are_of_cpu_time_and_of_the_right_precision() -> None:
    found = shown(machine_limit=LIMIT, latency=LATENCY, **{"latency@x-int8": LATENCY})
    assert found["latency, × limit"] == "1.50 (bound by multiply-adds; one core: 45.0 G multiply-adds/s)"
    assert found["latency@x-int8, × limit"] == "6.00 (bound by weights; one core: 200 G multiply-adds/s)"


def test_a_runtimes_ratio_to_the_reference_is_shown() -> None:
    found = shown(**{"latency@x": {**LATENCY, "ratio_to_reference": 2.5, "ratio_ci": [2.25, 2.75], "noisy": True}})
    assert found["latency@x, × reference"] == "2.50 [2.25–2.75] `noisy`"


def test_spread_threads_and_processes_are_shown() -> None:
    spread = {"q25": 8e6, "q75": 9.5e6, "p90": 9.9e6, "p90_bound": 1e7, "all_threads": 4, "all_threads_ns": 3e6}
    spread["all_threads_noisy"] = True
    found = shown(latency={**LATENCY, **spread, "launches": [8.1, 8.25, 8.4]})
    assert found["latency, ms (quartiles, p90 ≤ its bound)"] == "9.00 (8.00–9.50, p90 9.90 ≤ 10.0)"
    assert found["latency, ms on 4 threads"] == "3.00 `noisy`"
    assert found["latency, × reference in each process"] == "8.10, 8.25, 8.40"


def test_agreement_is_shown_where_something_was_compared() -> None:
    agreeing = {**LATENCY, "agreement": 0.998, "largest_difference": 0.0123, "compared": 500}
    found = shown(latency=LATENCY, **{"latency@x": agreeing})
    assert found["latency@x, agreement with eager"] == "99.80 % of 500 characters, largest difference 0.012"
    assert "latency, agreement with eager" not in found
    assert "latency, × limit" not in found  # no limit was measured


def test_memory_and_failures_are_told() -> None:
    failed = {"version": "2", "unit": "ns", "value": None, "error": "MeasurementError: no compiler"}
    found = shown(process_bytes={"version": "1", "unit": "byte", "value": 123e6}, **{"latency@compile": failed})
    assert found["Memory of a process"] == "123 MB"
    assert found["latency@compile failed"] == "MeasurementError: no compiler"
