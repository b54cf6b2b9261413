"""Which records ``bench choose`` compares: one data set, one machine."""

import pytest
from fake.choices import BOARDS, HWDB, Bench, answer, printed, row
from fake.records import record, write

ARM = {"name": "arm-4c", "cpu": "ARM", "cores": 4, "ram_bytes": 8_000_000_000, "os": "Linux"}


def test_a_damaged_number_is_no_figure(bench: Bench) -> None:
    damaged = row("lenet5", 0.99, 1.0, None)
    damaged["measurements"]["accuracy"]["value"] = float("nan")
    write(BOARDS, damaged, row("fire:gap", 0.9, 1.0, None))
    found = answer(bench)
    assert found["chosen"]["system"] == "fire:gap"
    assert "measurement accuracy: wanted a mapping with numbers" in found["notes"][0]


def test_data_and_machines_are_never_mixed(records: Bench) -> None:
    write(BOARDS, row("squeezenet", 0.999, 0.1, 3.0, machine=ARM))
    assert answer(records)["machine"] == "cpu-2c"  # five rows against one
    assert "machine cpu-2c (the one that the board ranks; or --machine)" in printed(records)
    assert "or --machine" not in printed(records, "--machine cpu-2c")
    assert answer(records, "--machine cpu-2c")["chosen"]["system"] == "resnet:18"
    assert answer(records, "--machine arm-4c")["chosen"]["system"] == "squeezenet"
    assert records("choose --machine x")[0] == 2
    data = {**record()["dataset"], "fingerprint": "sha256:other"}
    write(BOARDS, row("alexnet", 0.999, 0.1, 3.0, dataset=data, started_at="2020-01-01T00:00:00+00:00"))
    found = answer(records, "--machine cpu-2c")
    assert found["chosen"]["system"] == "resnet:18"
    assert "1 records of other data under the name synthetic_hwdb are left out: another fingerprint" in found["notes"]


def test_real_data_can_be_asked_for(records: Bench) -> None:
    code, _, err = records("choose --real")
    assert code == 2
    assert "--real: no records of real handwriting in suite hccr at scale quick; make them: bench run" in err
    older = {**HWDB, "name": "casia_hwdb", "fingerprint": "sha256:older", "plugin": None}
    write(
        BOARDS,
        row("lenet5", 0.8, 1.0, 0.3, dataset=HWDB, started_at="2026-11-22T00:00:00+00:00"),
        row("fire:gap", 0.9, 1.0, 3.0, dataset=older),
    )
    assert answer(records, "--real")["dataset"]["name"] == "hwdb100"
    assert answer(records, "--real --dataset casia_hwdb")["chosen"]["system"] == "fire:gap"
    assert printed(records, "--real").startswith("real data hwdb100, 100 classes")
    code, _, err = records("choose --real --dataset synthetic_hwdb")
    assert code == 2
    assert "--real: synthetic_hwdb is synthetic" in err


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ("", "there is no folder leaderboards; make them: bench run --suite hccr\n"),
        ("--scale paper", "make them: bench run --suite hccr --scale paper\n"),
        ("--scale smoke", "--scale smoke --out leaderboards\n"),  # where a smoke run would not write by itself
        ("--dataset icdar2013", "bench run --suite hccr --dataset icdar2013 --data-root DIR\n"),
        ("--out bords", "there is no folder bords; make them: bench run"),
        ("--suite performance", "--suite performance: compares programs and has no recognisers to choose from"),
        ("--suite hcr", "unknown suite 'hcr'"),
        ("--max-latency-ms 0", "wanted a number above 0, got '0'"),
        ("--max-size-mb -1", "wanted a number above 0, got '-1'"),
        ("--max-memory-mb x", "wanted a number above 0, got 'x'"),
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
    assert err.endswith("bench run --suite hccr --dataset image_folder --data-root hwdb100\n")
