"""The board's section on early exits: a line for each head, and the curve of all thresholds."""

from fake.boards import boards
from fake.records import record

POINTS = [
    {"threshold": t, "accuracy": a, "exit_rate": 1 - t, "macs": 6e7, "latency": 1e6 * (2 + 2 * t)}
    for t, a in ((1e-6, 0.9), (0.5, 0.93), (0.98, 0.95), (1.0, 0.96))
]
PAIRED = {"only_cascade": 12, "only_final": 2, "p": 0.01, "difference": 0.01, "ci_low": 0.002, "ci_high": 0.018}
BUDGETS = [
    {
        "budget": 0.7, "leaves_at": {"mid_a": 0.75}, "average": False, "temperatures": [1.1, 1.0],
        "accuracy": 0.931, "exit_rate": 0.8, "macs": 6e7, "latency": 2.84e6,
    },
    {
        "budget": 0.9, "leaves_at": {"mid_a": 0.98, "mid_b": 0.9}, "average": True, "temperatures": [1.1, 1.0],
        "accuracy": 0.955, "exit_rate": 0.6, "macs": 7e7, "latency": 3.5e6,
    },
]  # fmt: skip


def cascade(**changes):
    made = record("fire_cascade", 0.95, 0.7)
    exits = {
        "exit_accuracy": {
            "value": 0.94, "exits": {"mid_a": {"value": 0.9}, "final": {"value": 0.94}}, "paired": PAIRED,
        },
        "exit_rate": {
            "value": 0.75,
            "exits": {"mid_a": {"value": 0.75, "accuracy": 0.98}, "final": {"value": 0.25, "accuracy": None}},
            "leaves_at": {"mid_a": 0.98}, "average": True, "temperatures": [1.1, 1.0],
        },
        "expected_macs": {"value": 66e6, "exits": {"mid_a": 51_600_000, "final": 104_000_000}},
        "exit_latency": {
            "value": 4e6, "exits": {"mid_a": {"mean": 2.5e6}, "final": {"mean": 4e6}}, "cascade": {"mean": 3e6},
            "cascade_to_final": {"value": 0.7501, "ci_low": 0.7, "ci_high": 0.8},
        },
        "exit_curve": {"value": 3e6, "points": POINTS, "chosen": POINTS[2], "budgets": BUDGETS},
    }  # fmt: skip
    made["measurements"] |= {name: {"version": "1", "unit": "", **figure} for name, figure in exits.items()}
    made["measurements"] |= changes
    return made


def test_each_head_has_its_line_and_the_cascade_its_figures(tmp_path):
    page = boards(tmp_path, cascade(), record("fire:gwap", 0.94, 1.0))["hccr.md"]
    section = page.split("## Early exits")[1].split("## ")[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "`fire" in line]
    assert lines[0] == ["`fire_cascade`", "mid_a", "75.00", "98.00", "90.00", "", "51.6", "2.50", "", "", ""]
    assert lines[1] == [
        "`fire_cascade`", "final", "25.00", "—", "94.00", "1.00 [0.20, 1.80]", "104", "4.00", "3.00",
        "0.750 [0.700–0.800]", "66.0",
    ]  # fmt: skip
    assert "exits at mid_a if confidence ≥ 0.98; the others are classified by the mean of the last two heads" in section
    assert "temperatures 1.1, 1." in section
    assert "fire:gwap" not in section
    assert "hccr-exits.svg" in section


def test_other_runtimes_have_their_own_times_of_heads_and_cascade(tmp_path):
    timed = {
        "version": "1", "unit": "ns", "value": 2e6, "exits": {"mid_a": {"mean": 1e6}, "final": {"mean": 2e6}},
        "cascade": {"mean": 1.3e6}, "cascade_to_final": {"value": 0.65, "ci_low": 0.6, "ci_high": 0.7},
    }  # fmt: skip
    failed = {"version": "1", "unit": "ns", "value": None, "error": "ImportError: no"}
    made = cascade(**{"exit_latency@onnxruntime": timed, "exit_latency@openvino": failed})
    section = boards(tmp_path, made)["hccr.md"].split("## Early exits")[1].split("## ")[0]
    assert "| `fire_cascade` | `onnxruntime` | 1.00 / 2.00 | 1.30 | 0.650 [0.600–0.700] |" in section
    assert "`openvino`" not in section


def test_each_budget_of_time_has_its_line(tmp_path):
    section = boards(tmp_path, cascade())["hccr.md"].split("## Early exits")[1].split("## ")[0]
    table = section.split("Policies within a time budget")[1]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if "`fire" in line]
    assert lines == [
        ["`fire_cascade`", "mid_a if confidence ≥ 0.75", "no", "0.7", "93.10", "80.00", "2.84", "0.710"],  # of 4 ms
        ["`fire_cascade`", "mid_a if confidence ≥ 0.98 and mid_b if confidence ≥ 0.9", "yes", "0.9", "95.50", "60.00",
         "3.50", "0.875"],
    ]  # fmt: skip
    without = cascade(exit_curve={"version": "1", "unit": "ns", "value": 3e6, "points": POINTS, "chosen": POINTS[2]})
    assert "Time budget" not in boards(tmp_path / "old", without)["hccr.md"].split("## Early exits")[1].split("## ")[0]


def test_the_curve_is_a_picture_that_its_records_alone_decide(tmp_path):
    first, again = (boards(tmp_path / name, cascade())["hccr-exits.svg"] for name in ("a", "b"))
    assert first == again
    assert "fire_cascade" in first
    assert ">0.98<" in first
    assert "accuracy, %" in first


def test_boards_without_early_exits_have_no_such_section(tmp_path):
    found = boards(tmp_path, record("fire:gwap", 0.94, 1.0))
    assert "Early exits" not in found["hccr.md"]
    assert not [name for name in found if "exits" in name]


def test_a_cascade_that_was_not_timed_has_no_times(tmp_path):
    failed = {"version": "1", "unit": "ns", "value": None, "error": "MeasurementError: killed"}
    found = boards(tmp_path, cascade(exit_latency=failed, exit_curve=failed))
    line = next(line for line in found["hccr.md"].split("## Early exits")[1].splitlines() if "| final" in line)
    assert line.count("—") == 4
    assert "hccr-exits.svg" not in found
