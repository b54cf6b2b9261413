import re
import subprocess
import sys

import pytest
from fake.boards import boards, line_of, order_of
from fake.records import record, version, write

from bench.boards.render import MARK, check_boards, render_all, write_boards

# Cells.


def test_figures_are_converted_by_hand_computed_rules(tmp_path):
    cells = line_of(boards(tmp_path, record("lenet5", 0.9512, 0.5))["hccr.md"], "lenet5")
    assert cells["Accuracy, % [95 %]"] == "95.12 [94.12–96.12]"
    assert cells["MACs (M), 1 MAC = 2 FLOPs"] == "51.6"
    assert cells["Trained params (M)"] == "1.23"
    assert cells["Size (MB = 10⁶ bytes)"] == "4.95"
    assert cells["Peak activations (MB)"] == "1.05"
    assert cells["Latency, × reference [95 %]"] == "0.500 [0.490–0.510]"
    assert cells["ms/character (quartiles, p90 ≤ its bound)"] == "1.00 (0.950–1.10, p90 1.50)"
    assert cells["Recipe"] == "light"


def test_seeds_become_one_row_with_mean_and_standard_deviation(tmp_path):
    found = [record("a", accuracy, seed=seed) for seed, accuracy in enumerate((0.90, 0.92, 0.94))]
    board = boards(tmp_path, *found)["hccr.md"]
    assert order_of(board) == ["a"]
    assert line_of(board, "a")["Accuracy, % [95 %]"] == "92.00 ± 2.00 (3 seeds) [91.00–93.00]"
    assert all(f"seed {seed}]" in board for seed in range(3))


def test_older_protocols_render_as_stale_and_are_not_ranked(tmp_path):
    old = record("old", 0.99)
    old["measurements"]["accuracy"]["version"] = "0"
    board = boards(tmp_path, old, record("new", 0.9))["hccr.md"]
    assert line_of(board, "old")["Accuracy, % [95 %]"] == "stale"
    assert line_of(board, "old")["Rank"] == "—"
    assert line_of(board, "new")["Rank"] == "1"
    assert "99.00" not in board


def test_incomplete_and_missing_and_noisy_say_so(tmp_path):
    odd = record("odd")
    odd["measurements"]["macs"].update(value=None, incomplete=["aten::cumsum"])
    odd["measurements"]["latency"]["noisy"] = True
    del odd["measurements"]["params"]
    cells = line_of(boards(tmp_path, odd)["hccr.md"], "odd")
    assert cells["MACs (M), 1 MAC = 2 FLOPs"] == "incomplete: aten::cumsum"
    assert cells["Trained params (M)"] == "—"
    assert cells["Latency, × reference [95 %]"].endswith("`noisy`")


def test_random_weights_are_never_ranked(tmp_path):
    board = boards(tmp_path, record("timed", 0.5, weights="random"), record("lenet5", 0.4))["hccr.md"]
    assert line_of(board, "timed")["Rank"] == "—"
    assert line_of(board, "lenet5")["Rank"] == "1"


def test_the_baseline_is_named_for_what_it_is(tmp_path):
    assert "`nearest_mean` (difficulty baseline)" in boards(tmp_path, record("nearest_mean"))["hccr.md"]


# Published figures.


def test_a_published_accuracy_stands_with_its_data_set_and_leads_to_its_claim(tmp_path):
    board = boards(tmp_path, record("fire:gwap"), record("resnet:18"), record("lenet5"))["hccr.md"]
    column = "Published accuracy, %, on its data set"
    assert line_of(board, "fire:gwap")[column] == (
        "[96.91](audit.md#claim-p-t1-acc) on icdar, [96.96](audit.md#claim-p-t2-acc) on icdar"
    )
    assert line_of(board, "resnet:18")[column] == "[88.9](audit.md#claim-c-acc) on cifar10"
    assert line_of(board, "lenet5")[column] == "—"


def test_another_recipe_of_a_published_system_is_linked_too(tmp_path):
    board = boards(tmp_path, record("fire:gwap+paper", recipe={"name": "paper"}))["hccr.md"]
    assert "96.91" in line_of(board, "fire:gwap+paper")["Published accuracy, %, on its data set"]


def test_published_figures_stand_in_a_table_of_their_own(tmp_path):
    text = boards(tmp_path, record("lenet5"))["hccr.md"].split("## Published figures")[1].split("## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert [line.split("|")[1].strip() for line in lines] == [
        "Other",
        "Fire",
    ]  # by accuracy; cifar's is not shown
    text = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", lines[1])  # links set aside
    assert "| 96.91 / 96.96 | 91.0 |" in text  # both printed values, multiply-adds in millions


# Facts, failures, sections.


def test_facts_come_from_the_records(tmp_path):
    newer = record("b", started_at="2026-12-01T00:00:00+00:00", command="bench run --suite hccr --system b")
    board = boards(tmp_path, record("a"), newer)["hccr.md"]
    assert "**Synthetic data**" in board
    assert "30 classes; 1,500 training, 300 validation, 1,000 test images. Scale `quick`." in board
    assert "`cpu-2c` (CPU, 2 cores, 8 GB, Linux)" in board
    assert "python 3.11.7, torch 2.15.0" in board
    assert "Newest record 2026-12-01, made by `bench run --suite hccr --system b`." in board


def test_real_data_is_not_called_synthetic(tmp_path):
    real = record("a")
    real["dataset"].update(name="casia_hwdb", synthetic=False)
    files = boards(tmp_path, real)
    assert set(files) == {"hccr-casia_hwdb.md", "hccr-casia_hwdb.svg"}
    assert "ynthetic" not in "".join(files.values())


def test_failures_are_rows_with_their_errors(tmp_path):
    failed = record("vgg16", None, None, status="failed", error="MemoryError: wanted 9 | got 4", measurements={})
    odd = record("a")
    odd["measurements"]["latency@openvino"] = {
        "version": "1",
        "unit": "ns",
        "value": None,
        "error": "ImportError: no",
    }
    board = boards(tmp_path, failed, odd)["hccr.md"]
    assert "| `vgg16` | 0 | the row | MemoryError: wanted 9 \\| got 4 |" in board
    assert "| `a` | 0 | `latency@openvino` | ImportError: no |" in board
    assert order_of(board) == ["a"]


def test_only_failures_still_make_a_board(tmp_path):
    failed = record("vgg16", None, None, status="failed", error="MemoryError: x", measurements={})
    files = boards(tmp_path, failed)
    assert set(files) == {"hccr.md"}
    assert "MemoryError: x" in files["hccr.md"]


def test_other_runtimes_stand_in_their_own_table(tmp_path):
    odd = record("a", ratio=2.0)
    one = {"version": version("latency"), "unit": "ns", "value": 1_250_000, "q25": 1.2e6, "q75": 1.3e6, "p90": 1.5e6}
    beside = {
        "p90_bound": 1.6e6,
        "ratio_to_reference": 0.8,
        "ratio_ci": [0.75, 0.85],
        "all_threads_ns": 0.7e6,
        "all_threads_n": 20,
    }
    odd["measurements"]["latency@onnxruntime"] = {**one, **beside, "agreement": 0.999}
    odd["measurements"]["process_bytes@onnxruntime"] = {
        "version": version("process_bytes"), "unit": "byte", "value": 90_000_000
    }  # fmt: skip
    odd["measurements"]["accuracy@onnxruntime"] = {
        "version": version("accuracy"), "unit": "ratio", "value": 0.895, "drop": 0.005, "drop_ci": [0.001, 0.009]
    }  # fmt: skip
    odd["measurements"]["latency"].update(all_threads_ns=2.5e6, all_threads_n=40)
    board = boards(tmp_path, odd, record("b"))["hccr.md"]
    table = board[board.index("## Runtimes") :]
    assert (
        "| `a` | `onnxruntime` | 0.800 [0.750–0.850] | 0.400 | 1.25 (1.20–1.30, p90 1.50 ≤ 1.60) | 0.700 | — | 90.0 | "
        "99.90 | 89.50 | 0.50 [0.10, 0.90] |"
    ) in table
    assert (
        "| `a` | `eager` | 2.00 [1.96–2.04] | — | 4.00 (3.80–4.40, p90 6.00) | 2.50 | — | — | — | 90.00 | — |" in table
    )
    assert "| `b` | `eager` |" in table
    assert "| `b` | `onnxruntime` |" not in table
    assert "## Other conditions" not in board
    assert "## Robustness" not in board


def test_eager_alone_needs_no_table_of_runtimes(tmp_path):
    assert "## Runtimes" not in boards(tmp_path, record("a"))["hccr.md"]


def test_a_runtime_that_failed_is_a_line_without_figures(tmp_path):
    odd = record("a")
    failed = {"version": version("latency"), "unit": "ns", "value": None, "error": "ValueError: no such operator"}
    odd["measurements"]["latency@onnxruntime"] = failed
    board = boards(tmp_path, odd)["hccr.md"]
    assert "| `a` | `onnxruntime` | — | — | — | — | — | — | — | — | — |" in board
    assert "| `a` | 0 | `latency@onnxruntime` | ValueError: no such operator |" in board


def test_scales_are_ranked_apart(tmp_path):
    files = boards(tmp_path, record("a", 0.9), record("a", 0.5, scale="paper"))
    assert set(files) == {"hccr.md", "hccr.svg", "hccr-2.svg"}
    board = files["hccr.md"]
    assert board.index("## Leaderboard (scale paper)") < board.index("## Leaderboard (scale quick)")


def test_other_data_of_the_same_name_is_ranked_apart(tmp_path):
    other = record("b", 0.5)
    other["dataset"] = {**other["dataset"], "fingerprint": "sha256:ffffffffffffffff", "classes": 100}
    board = boards(tmp_path, record("a", 0.9), other)["hccr.md"]
    assert "(scale quick, 30 classes, fingerprint 01234567)" in board
    assert "(scale quick, 100 classes, fingerprint ffffffff)" in board


def test_each_used_measurement_is_explained_with_its_version(tmp_path):
    board = boards(tmp_path, record("a"))["hccr.md"]
    assert "- `accuracy`, protocol version 1: How accuracy is measured." in board


def test_performance_is_a_board_of_comparisons(tmp_path):
    ratio = {"version": "1", "unit": "ratio", "value": 1.424, "ci_low": 1.38, "ci_high": 1.47}
    made = record("loader", suite="performance", dataset=None, goal="at least 1.3", verdict="met",
                  measurements={"ratio": ratio})  # fmt: skip
    bare = record("cache", suite="performance", dataset=None, measurements={"ratio": {**ratio, "ci_low": None}})
    files = boards(tmp_path, made, bare)
    assert set(files) == {"performance.md"}
    assert "| `loader` | 1.42 [1.38–1.47] | at least 1.3 | met |" in files["performance.md"]
    assert "| `cache` | 1.42 | — | — |" in files["performance.md"]


# Files.


def test_check_names_missing_different_and_left_over_files(tmp_path):
    write(tmp_path, record("a"))
    assert sorted(line.split(":")[0] for line in check_boards(tmp_path)) == ["hccr.md", "hccr.svg"]
    write_boards(tmp_path)
    assert check_boards(tmp_path) == []
    (tmp_path / "hccr.md").write_text("edited")
    (tmp_path / "cifar.md").write_text(f"<!-- {MARK} -->")
    (tmp_path / "audit.md").write_text("rendered by others")
    assert [line.split(";")[0] for line in check_boards(tmp_path)] == [
        "hccr.md: differs from its records", "cifar.md: obsolete, no record needs it",
    ]  # fmt: skip
    done = write_boards(tmp_path)
    assert ([p.name for p in done.written], [p.name for p in done.removed]) == (["hccr.md"], ["cifar.md"])
    assert (tmp_path / "audit.md").exists()
    assert write_boards(tmp_path) == ([], [], [])


@pytest.mark.parametrize(
    "text",
    [
        "{", '{"schema": 9}', '{"schema": 1}', "[]",
        '{"schema": 1, "suite": "hccr", "scale": "quick", "status": "whole", "system": "x", "seed": 0,'
        ' "machine": {"name": "m"}, "measurements": {}, "dataset": {"name": "d"}}',
    ],
)  # fmt: skip
def test_damaged_records_are_reported_and_the_rest_rendered(tmp_path, text):
    write(tmp_path, record("a"))
    (tmp_path / "results/hccr/synthetic_hwdb/bad.json").write_text(text)
    done = write_boards(tmp_path)
    assert len(done.damaged) == 1
    assert "bad.json" in done.damaged[0]
    assert len(check_boards(tmp_path)) == 1
    assert order_of((tmp_path / "hccr.md").read_text()) == ["a"]


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("accuracy", {"value": "0.9"}),
        ("accuracy", 0.9),
        ("latency", {"ratio_ci": [1]}),
        ("latency", {"ratio_to_reference": 0}),
    ],
)
def test_a_measurement_of_another_form_is_damage(tmp_path, name, broken):
    odd = record("a")
    odd["measurements"][name] = {**odd["measurements"][name], **broken} if isinstance(broken, dict) else broken
    write(tmp_path, odd)
    (problem,) = check_boards(tmp_path)
    assert f"measurement {name}" in problem
    assert "--fresh" in problem


def test_no_records_make_no_boards(tmp_path):
    assert render_all(tmp_path) == {}


def test_the_same_records_give_the_same_bytes_in_another_process(tmp_path):
    write(tmp_path, *[record(f"system-{i}", 0.9 + i / 100, 0.5 + i / 10) for i in range(8)])
    write_boards(tmp_path)
    code = (
        "from pathlib import Path; from bench.boards.render import check_boards; "
        f"print(check_boards(Path({str(tmp_path)!r})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
