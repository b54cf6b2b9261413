"""What is a candidate of ``bench choose``, and which figures it is judged by."""

from typing import Any

import pytest
from fake.choices import BOARDS, INT8, ORT, Bench, answer, printed, row
from fake.records import in_runtime, record, write


def test_only_files_are_candidates(bench: Bench) -> None:
    found = in_runtime(record("fire:gap", 0.95, 2.0), "compile", 0.1)
    write(BOARDS, in_runtime(found, ORT, 1.0), record("lenet5", 0.99, 0.1))
    choice = answer(bench)
    assert (choice["chosen"]["runtime"], choice["candidates"]) == (ORT, 1)
    assert choice["left_out"] == {"compile is not a file": 1, "eager is not a file": 2}
    assert "lenet5 in eager: left out, eager is not a file" in choice["notes"]


def test_int8_needs_its_own_accuracy_other_runtimes_keep_that_of_the_weights(bench: Bench) -> None:
    gap = in_runtime(in_runtime(record("fire:gap", 0.95, 2.0), INT8, 0.25, 0.9), ORT, 1.0)
    write(BOARDS, gap, in_runtime(record("lenet5", 0.99, 1.0), INT8, 0.1))
    choice = answer(bench)
    assert {(one["runtime"], one["accuracy"]) for one in choice["table"]} == {(ORT, 0.95), (INT8, 0.9)}
    assert choice["left_out"] == {"eager is not a file": 2, "accuracy in int8 not measured": 1}
    assert "lenet5 in onnxruntime-int8: left out, accuracy in int8 not measured" in choice["notes"]
    assert answer(bench, "--max-latency-ms 1.5")["chosen"]["runtime"] == INT8
    write(BOARDS, in_runtime(gap, ORT, 1.0, 0.94))
    assert answer(bench)["chosen"]["accuracy"] == 0.94


def test_an_unknown_size_fits_no_limit(bench: Bench) -> None:
    old, new = row("fire:gap", 0.95, 1.0, None), row("lenet5", 0.8, 0.5, 0.3)
    del old["measurements"]["process_bytes@onnxruntime"]
    write(BOARDS, old, new)
    assert "fire:gap onnxruntime 95.0 [94.0–96.0] 2.00 — — chosen" in printed(bench)
    assert "— — size unknown: measure again" in printed(bench, "--max-size-mb 100")
    assert "— — memory unknown: measure again" in printed(bench, "--max-memory-mb 100")
    assert answer(bench, "--max-size-mb 100")["chosen"]["system"] == "lenet5"
    assert answer(bench, "--max-memory-mb 60")["excluded"] == {"--max-memory-mb": 2}
    nearest = answer(bench, "--max-size-mb 0.1")["nearest"]
    assert (nearest["system"], nearest["misses"]) == ("lenet5", {"--max-size-mb": pytest.approx(3)})


def test_figures_belong_to_one_file(bench: Bench) -> None:
    mixed = in_runtime(record("lenet5"), ORT, 1.0, 0.9, 0.3)
    mixed["measurements"]["accuracy@onnxruntime"]["file_sha256"] = "f2"
    write(BOARDS, mixed, in_runtime(record("fire:gap", 0.8), ORT, 1.0, 0.8, 3.0))
    choice = answer(bench)
    assert choice["left_out"]["its figures are of different files: measure again"] == 1
    assert (choice["chosen"]["system"], choice["chosen"]["file_sha256"]) == ("fire:gap", "f1")


def test_runtimes_can_be_chosen(bench: Bench) -> None:
    write(BOARDS, in_runtime(row("fire:gap", 0.95, 1.0, 3.0), INT8, 0.5, 0.9))
    assert answer(bench, f"--runtime {INT8}")["chosen"]["runtime"] == INT8
    assert answer(bench, f"--runtime {INT8} --runtime {ORT}")["candidates"] == 2
    code, out, _ = bench("choose --runtime openvino")
    assert code == 1
    assert out.endswith("Measure some:\n  bench run --suite hccr --runtime openvino\n")
    for name, says in (
        ("eager", "wanted a runtime that ships as a file: onnxruntime, "),
        ("tflite", "unknown runtime 'tflite'"),
    ):
        code, _, err = bench(f"choose --runtime {name}")
        assert code == 2
        assert says in err


def under_load(system: str, accuracy: float, ratio: float, load: float) -> dict[str, Any]:
    """A record of an hour in which everything, the reference as well, took so many times longer."""
    found = row(system, accuracy, ratio, None)
    latency = found["measurements"]["latency@onnxruntime"]
    latency |= {name: load * latency[name] for name in ("value", "q25", "q75", "p90", "reference_ns")}
    return found


def test_rows_timed_under_different_load_compare_by_their_ratios(bench: Bench) -> None:
    write(
        BOARDS,
        under_load("lenet5", 0.80, 1.0, 1.0),
        under_load("fire:gap", 0.95, 2.0, 0.5),
        under_load("fire:gwap", 0.955, 2.0, 3.0),
    )
    found = answer(bench, "--max-latency-ms 4.1")  # fire:gwap's own clock said 12
    times = {one["system"]: (one["latency_ms"], one["ratio_to_reference"]) for one in found["front"]}
    assert found["reference_ms"] == 2
    assert times == {"lenet5": (2, 1), "fire:gwap": (4, 2)}  # fire:gap is as slow and less accurate
    assert (found["chosen"]["system"], found["chosen"]["measured_ms"]) == ("fire:gwap", 12)
    assert answer(bench, "--max-latency-ms 3.9")["chosen"]["system"] == "lenet5"


@pytest.mark.parametrize("missing", ["reference_ns", "ratio_to_reference"])
def test_rows_without_a_reference_are_left_out(bench: Bench, missing: str) -> None:
    found = row("lenet5", 0.9, 1.0, None)
    for name in ("latency", "latency@onnxruntime"):
        del found["measurements"][name][missing]
    write(BOARDS, found)
    choice = answer(bench)
    assert (choice["candidates"], choice["chosen"], choice["table"]) == (0, None, [])
    assert any("reference" in reason for reason in choice["left_out"])


def test_stale_noisy_failed_and_random_rows_are_said(bench: Bench) -> None:
    stale, noisy = row("lenet5", 0.9, 1.0, None), row("fire:gap", 0.9, 1.0, None)
    stale["measurements"]["latency@onnxruntime"]["version"] = "0"
    noisy["measurements"]["latency@onnxruntime"]["noisy"] = True
    random = row("alexnet", 0.9, 1.0, None, weights="random")
    write(BOARDS, stale, noisy, random, record("fire:fc", None, None, status="failed", error="X: y"))
    found = answer(bench)
    assert (found["chosen"]["system"], found["candidates"]) == ("fire:gap", 1)
    assert found["table"][0]["reason"] == "chosen, noisy"
    assert sorted(note for note in found["notes"] if "eager" not in note) == [
        "alexnet in onnxruntime: left out, its weights are random",
        "fire:fc: left out, its row failed",
        "fire:gap in onnxruntime: its latency is noisy, measured on a busy machine",
        "lenet5 in onnxruntime: left out, latency is stale",
    ]
