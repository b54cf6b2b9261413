"""Which system to deploy: from records alone, by their own data and machine."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake.records import record, write

Bench = Callable[[str], tuple[int, str, str]]
BOARDS = Path("leaderboards")


def small(found: dict[str, Any], size: float) -> dict[str, Any]:
    found["measurements"]["size_bytes"]["value"] = size
    return found


@pytest.fixture
def records(bench: Bench) -> Bench:
    """2 ms a unit of ratio: lenet5 1 ms, fire:gap 4 ms, fire:gwap 5 ms, resnet:18 10 ms, all but dominated."""
    write(
        BOARDS,
        small(record("lenet5", 0.80, 0.5), 0.3e6),
        small(record("fire:gap", 0.95, 2.0), 3e6),
        small(record("fire:gwap", 0.955, 2.5), 3.2e6),
        small(record("resnet:18", 0.99, 5.0), 45e6),
        small(record("googlenet", 0.94, 5.0), 22e6),
    )
    return bench


def no_number(text: str) -> float:
    pytest.fail(f"{text} is no JSON")


def chosen(bench: Bench, flags: str = "") -> Any:
    code, out, err = bench(f"choose --json {flags}")
    found = json.loads(out, parse_constant=no_number)  # Infinity and NaN
    assert (code, err) == (int(found["chosen"] is None), "")
    return found


@pytest.mark.parametrize(
    ("flags", "system"),
    [
        ("", "resnet:18"),
        ("--max-latency-ms 5", "fire:gwap"),
        ("--max-latency-ms 4.9", "fire:gap"),
        ("--max-size-mb 1", "lenet5"),
        ("--min-accuracy 95 --max-size-mb 10", "fire:gwap"),
        ("--min-accuracy 0.96", "resnet:18"),
    ],
)
def test_the_most_accurate_within_the_limits_is_chosen(records: Bench, flags: str, system: str) -> None:
    assert chosen(records, flags)["chosen"]["system"] == system


def under_load(system: str, accuracy: float, ratio: float, load: float) -> dict[str, Any]:
    """A record of an hour in which everything, the reference as well, took so many times longer."""
    found = record(system, accuracy, ratio)
    latency = found["measurements"]["latency"]
    latency |= {name: load * latency[name] for name in ("value", "q25", "q75", "p90", "reference_ns")}
    return found


def test_rows_timed_under_different_load_compare_by_their_ratios(bench: Bench) -> None:
    write(
        BOARDS,
        under_load("lenet5", 0.80, 1.0, 1.0),
        under_load("fire:gap", 0.95, 2.0, 0.5),
        under_load("fire:gwap", 0.955, 2.0, 3.0),
    )
    found = chosen(bench, "--max-latency-ms 4.1")  # fire:gwap's own clock said 12
    times = {one["system"]: (one["latency_ms"], one["ratio_to_reference"]) for one in found["front"]}
    assert found["reference_ms"] == 2
    assert times == {"lenet5": (2, 1), "fire:gwap": (4, 2)}  # fire:gap is as slow and less accurate
    assert (found["chosen"]["system"], found["chosen"]["measured_ms"]) == ("fire:gwap", 12)
    assert chosen(bench, "--max-latency-ms 3.9")["chosen"]["system"] == "lenet5"
    assert "which cancels the load of the machine, times 2.00 ms, the reference's median" in bench("choose")[1]


@pytest.mark.parametrize("missing", ["reference_ns", "ratio_to_reference"])
def test_rows_without_a_reference_are_left_out(bench: Bench, missing: str) -> None:
    found = record("lenet5")
    del found["measurements"]["latency"][missing]
    write(BOARDS, found)
    answer = chosen(bench)
    assert answer["candidates"] == 0
    assert [note.split(", ")[0] for note in answer["notes"]] == ["lenet5 in eager: left out"]
    assert "reference" in answer["notes"][0]
    assert "Pareto" not in bench("choose")[1]


def test_the_front_and_what_was_given_up_are_named(records: Bench) -> None:
    found = chosen(records, "--max-latency-ms 5")
    assert [one["system"] for one in found["front"]] == ["lenet5", "fire:gap", "fire:gwap", "resnet:18"]
    given_up = {one["system"]: one for one in found["given_up"]}
    assert set(given_up) == {"lenet5", "fire:gap", "resnet:18"}
    assert given_up["resnet:18"]["points"] == pytest.approx(3.5)
    assert given_up["resnet:18"]["latency_factor"] == pytest.approx(2)
    assert given_up["resnet:18"]["misses"] == {"--max-latency-ms": pytest.approx(2)}
    assert given_up["fire:gap"]["tied"]
    assert not given_up["lenet5"]["tied"]
    code, out, _ = records("choose --max-latency-ms 5")
    assert code == 0
    assert "choose fire:gwap in eager: 95.50 % [94.50–96.50], 5.00 ms per character, 3.20 MB" in out
    assert "resnet:18 in eager: 3.50 points more accurate, 2.00 × the time, 14.1 × the size; outside" in out
    assert "synthetic data synthetic_hwdb, 30 classes, scale quick, machine cpu-2c" in out


def test_where_nothing_fits_each_limit_says_what_it_excludes(records: Bench) -> None:
    found = chosen(records, "--max-latency-ms 2 --min-accuracy 98 --max-size-mb 50")
    assert found["chosen"] is None
    assert found["excluded"] == {"--max-latency-ms": 4, "--min-accuracy": 4, "--max-size-mb": 0}
    assert found["nearest"]["system"] == "fire:gwap"  # 2.5 times too slow, 2.25 times too many errors
    assert found["nearest"]["misses"] == {"--max-latency-ms": pytest.approx(2.5), "--min-accuracy": pytest.approx(2.25)}
    code, out, _ = records("choose --max-latency-ms 2 --min-accuracy 98")
    assert code == 1
    assert "nearest: fire:gwap in eager" in out


@pytest.mark.parametrize("flags", ["--min-accuracy 100", "--max-latency-ms 1e-320"])
def test_a_limit_that_no_factor_reaches_is_missed_without_one(records: Bench, flags: str) -> None:
    found = chosen(records, flags)
    assert found["nearest"]["misses"] == {flags.split()[0]: None}
    assert found["nearest"]["system"] == "resnet:18"
    out = records(f"choose {flags}")[1]
    assert f"it misses {flags.split()[0]}\n" in out
    assert "inf" not in out


def test_a_damaged_number_is_no_figure(bench: Bench) -> None:
    damaged = record("lenet5")
    damaged["measurements"]["accuracy"]["value"] = float("nan")
    write(BOARDS, damaged, record("fire:gap"))
    found = chosen(bench)
    assert found["chosen"]["system"] == "fire:gap"
    assert "measurement accuracy: wanted a mapping with numbers" in found["notes"][0]


def test_the_size_of_int8_is_not_that_of_the_weights_before(bench: Bench) -> None:
    found = small(record("fire:gap", 0.95, 2.0), 3e6)
    latency = found["measurements"]["latency"]
    faster = {**latency, "value": latency["value"] / 4, "ratio_to_reference": latency["ratio_to_reference"] / 4}
    found["measurements"]["latency@openvino-int8"] = faster
    write(BOARDS, found)
    answer = chosen(bench)
    assert (answer["chosen"]["runtime"], answer["chosen"]["size_mb"]) == ("openvino-int8", None)
    assert [one["runtime"] for one in answer["front"]] == ["openvino-int8", "eager"]
    assert (answer["given_up"][0]["size_factor"], answer["given_up"][0]["latency_factor"]) == (None, 4)
    note = "fire:gap in openvino-int8: its size is not known, size_bytes is that of its weights before int8"
    assert note in answer["notes"]
    out = bench("choose")[1]
    assert "1.00 ms per character, — MB" in out
    assert "alternative: fire:gap in eager: 4.00 × the time, 3.00 MB" in out
    assert chosen(bench, "--max-size-mb 100")["chosen"]["runtime"] == "eager"
    nothing = chosen(bench, "--max-size-mb 1")
    assert nothing["excluded"] == {"--max-size-mb": 2}
    assert (nothing["nearest"]["runtime"], nothing["nearest"]["misses"]) == ("eager", {"--max-size-mb": 3})


def test_runtimes_are_candidates_of_their_own(bench: Bench) -> None:
    found = record("fire:gap", 0.95, 2.0)
    latency = found["measurements"]["latency"]
    found["measurements"]["latency@onnxruntime"] = {**latency, "ratio_to_reference": 1.0}
    found["measurements"]["latency@openvino"] = {
        "version": latency["version"],
        "unit": "ns",
        "value": None,
        "error": "x",
    }
    found["measurements"]["latency@openvino-int8"] = {**latency, "ratio_to_reference": 0.5}
    found["measurements"]["accuracy@openvino-int8"] = {**found["measurements"]["accuracy"], "value": 0.9}
    write(BOARDS, found)
    answer = chosen(bench)
    assert (answer["chosen"]["runtime"], answer["candidates"]) == ("onnxruntime", 3)
    assert any("openvino: left out" in note for note in answer["notes"])
    assert chosen(bench, "--max-latency-ms 1.5")["chosen"]["accuracy"] == 0.9


def test_data_and_machines_are_never_mixed(records: Bench) -> None:
    other = {"name": "arm-4c", "cpu": "ARM", "cores": 4, "ram_bytes": 8_000_000_000, "os": "Linux"}
    write(BOARDS, record("squeezenet", 0.999, 0.1, machine=other))
    code, out, err = records("choose")
    assert (code, out) == (2, "")
    assert "records of several machines" in err
    assert "--machine arm-4c|cpu-2c" in err
    assert chosen(records, "--machine cpu-2c")["chosen"]["system"] == "resnet:18"
    assert chosen(records, "--machine arm-4c")["chosen"]["system"] == "squeezenet"
    assert records("choose --machine x")[0] == 2
    data = {**record()["dataset"], "fingerprint": "sha256:other"}
    write(BOARDS, record("alexnet", 0.999, 0.1, dataset=data, started_at="2020-01-01T00:00:00+00:00"))
    found = chosen(records, "--machine cpu-2c")
    assert found["chosen"]["system"] == "resnet:18"
    assert found["notes"] == ["1 records of other data under the name synthetic_hwdb are left out: another fingerprint"]


def test_stale_noisy_failed_and_random_rows_are_said(bench: Bench) -> None:
    stale, noisy, random = record("lenet5"), record("fire:gap"), record("alexnet", weights="random")
    stale["measurements"]["latency"]["version"] = "0"
    noisy["measurements"]["latency"]["noisy"] = True
    write(BOARDS, stale, noisy, random, record("fire:fc", None, None, status="failed", error="X: y"))
    found = chosen(bench)
    assert (found["chosen"]["system"], found["candidates"]) == ("fire:gap", 1)
    assert sorted(found["notes"]) == [
        "alexnet: left out, its weights are random",
        "fire:fc: left out, its row failed",
        "fire:gap in eager: its latency is noisy, measured on a busy machine",
        "lenet5 in eager: left out, latency is stale",
    ]


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (
            "",
            "there is no folder leaderboards; make them: bench run --suite hccr --dataset synthetic_hwdb --scale quick",
        ),
        ("--scale paper", "make them: bench run --suite hccr --dataset synthetic_hwdb --scale paper\n"),
        ("--scale smoke", "--scale smoke --out leaderboards\n"),  # where a smoke run would not write by itself
        ("--dataset icdar2013", "bench run --suite hccr --dataset icdar2013 --data-root DIR --scale quick\n"),
        ("--out bords", "there is no folder bords; make them: bench run"),
        ("--suite performance", "--suite performance: compares programs and has no recognisers to choose from"),
        ("--suite hcr", "unknown suite 'hcr'"),
        ("--max-latency-ms 0", "wanted a number above 0, got '0'"),
        ("--max-size-mb -1", "wanted a number above 0, got '-1'"),
        ("--min-accuracy high", "wanted per cent from 0 to 100, got 'high'"),
        ("--min-accuracy 100.1", "wanted per cent from 0 to 100, got '100.1'"),
        ("--min-accuracy -5", "wanted per cent from 0 to 100, got '-5'"),
        ("--min-accuracy nan", "wanted per cent from 0 to 100, got 'nan'"),
    ],
)
def test_wrong_use_is_said(bench: Bench, flags: str, says: str) -> None:
    code, out, err = bench(f"choose {flags}")
    assert (code, out) == (2, "")
    assert says in err


def test_other_data_are_named_where_those_asked_for_are_missing(records: Bench) -> None:
    code, _, err = records("choose --dataset hwdb100")
    assert code == 2
    assert "no records of hwdb100 at scale quick; there are: synthetic_hwdb at quick" in err
    assert err.endswith("bench run --suite hccr --dataset image_folder --data-root hwdb100 --scale quick\n")
