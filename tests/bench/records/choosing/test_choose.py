"""Which system is chosen within limits, and how the answer reads."""

import re

import pytest
from fake.choices import BOARDS, Bench, answer, row
from fake.records import write


@pytest.mark.parametrize(
    ("flags", "system"),
    [
        ("", "resnet:18"),
        ("--max-latency-ms 5", "fire:gwap"),
        ("--max-latency-ms 4.9", "fire:gap"),
        ("--max-size-mb 1", "lenet5"),
        ("--min-accuracy 95 --max-size-mb 10", "fire:gwap"),
        ("--min-accuracy 0.96", "resnet:18"),
        ("--max-memory-mb 70 --max-latency-ms 4", "fire:gap"),
    ],
)
def test_the_most_accurate_within_the_limits_is_chosen(records: Bench, flags: str, system: str) -> None:
    assert answer(records, flags)["chosen"]["system"] == system


def test_the_answer_is_a_table_a_sentence_and_the_commands(records: Bench) -> None:
    code, out, err = records("choose --max-latency-ms 5")
    assert (code, err) == (0, "")
    data, empty, header, _, *rows, blank, unit, choice, place, train, export = re.sub(
        "  +", "|", out.replace("10.00", "10.0")
    ).splitlines()
    assert data == "synthetic data synthetic_hwdb, 30 classes, scale quick, machine cpu-2c"
    assert (empty, blank) == ("", "")
    assert header == "system|runtime|accuracy %|ms|file|process|why"
    assert rows == [
        "fire:gwap|onnxruntime|95.5 [94.5–96.5]|5.00|3.20|70.0|chosen",
        "fire:gap|onnxruntime|95.0 [94.0–96.0]|4.00|3.00|70.0|fits; tied, faster",
        "lenet5|onnxruntime|80.0 [79.0–81.0]|1.00|0.300|70.0|fits; −15.5 points",
        "resnet:18|onnxruntime|99.0 [98.0–100]|10.0|45.0|70.0|too slow: 10.0 ms > 5 ms",
        "googlenet|onnxruntime|94.0 [93.0–95.0]|10.0|22.0|70.0|too slow: 10.0 ms > 5 ms",
    ]
    assert (
        unit == "ms per character, one thread: ratio to the reference network × 2.00 ms, its median in these records."
    )
    assert choice == (
        "Choose fire:gwap in onnxruntime: 95.5 % at 5.00 ms, the most accurate of the 3 of 5 candidates that fit."
    )
    assert place == "Neither its file nor its weights are on this machine: train it here, then export it."
    assert train == "|bench run --suite hccr --system fire:gwap --fresh"
    assert export == "|bench export fire:gwap --runtime onnxruntime --out fire--gwap.onnx"


def test_at_most_ten_candidates_are_shown_the_front_before_the_rest(bench: Bench) -> None:
    names = ["lenet5", "alexnet", "vgg16", "resnet:18", "resnet:50", "squeezenet", "googlenet", "fire:gap", "shui_cnn"]
    good = [row(name, 0.99 - 0.01 * i, 5.0 - 0.5 * i, None) for i, name in enumerate(names)]
    bad = [row(name, 0.99, 50.0 + i, None) for i, name in enumerate(("fire:fc", "fire:gwap", "dlqdf:dlqdf"))]
    write(BOARDS, *good, *bad, row("nearest_mean", 0.989, 5.0, None))  # dominated
    shown = [one["system"] for one in answer(bench, "--max-latency-ms 20")["table"]]
    assert shown == [*names[:7], "fire:fc", "fire:gwap", "dlqdf:dlqdf"]
    shown = [one["system"] for one in answer(bench, "--max-latency-ms 200")["table"]]
    assert shown == [*names, "fire:fc"]


def test_the_front_and_what_was_given_up_are_in_the_document(records: Bench) -> None:
    found = answer(records, "--max-latency-ms 5")
    assert [one["system"] for one in found["front"]] == ["lenet5", "fire:gap", "fire:gwap", "resnet:18"]
    given_up = {one["system"]: one for one in found["given_up"]}
    assert set(given_up) == {"lenet5", "fire:gap", "resnet:18"}
    assert given_up["resnet:18"]["points"] == pytest.approx(3.5)
    assert given_up["resnet:18"]["latency_factor"] == pytest.approx(2)
    assert given_up["resnet:18"]["misses"] == {"--max-latency-ms": pytest.approx(2)}
    assert (given_up["fire:gap"]["tied"], given_up["lenet5"]["tied"]) == (True, False)


def test_where_nothing_fits_the_nearest_are_shown_with_what_they_miss_by(records: Bench) -> None:
    flags = "--max-latency-ms 2 --min-accuracy 98 --max-size-mb 50"
    found = answer(records, flags)
    assert (found["chosen"], found["commands"]) == (None, [])
    assert found["excluded"] == {"--max-latency-ms": 4, "--min-accuracy": 4, "--max-size-mb": 0}
    assert found["nearest"]["system"] == "fire:gwap"  # 2.5 times too slow, 2.25 times too many errors
    assert found["nearest"]["misses"] == {"--max-latency-ms": pytest.approx(2.5), "--min-accuracy": pytest.approx(2.25)}
    code, out, _ = records(f"choose {flags}")
    assert code == 1
    says = "nearest: fire:gwap in onnxruntime, 2.50 × too slow, 2.25 × too many errors."
    assert out.splitlines()[-1] == f"None of 5 candidates fits; {says}"
    order = [one["system"] for one in found["table"]]
    assert order == ["fire:gwap", "fire:gap", "resnet:18", "googlenet", "lenet5"]  # 2.5, 2.5, 5, 5, 10


@pytest.mark.parametrize("flags", ["--min-accuracy 100", "--max-latency-ms 1e-320"])
def test_a_limit_that_no_factor_reaches_is_missed_without_one(records: Bench, flags: str) -> None:
    found = answer(records, flags)
    assert found["nearest"]["misses"] == {flags.split()[0]: None}
    assert found["nearest"]["system"] == "resnet:18"
    assert "inf" not in records(f"choose {flags}")[1]
