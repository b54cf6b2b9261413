"""The table of runtimes: numbers of characters, files, and noise on all threads."""

from pathlib import Path

from fake.boards import boards
from fake.records import record, version


def lines(board: str) -> list[dict[str, str]]:
    text = board.split("## Runtimes\n")[1].split("\n## ")[0].strip().splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in text if line.startswith("|")]
    return [dict(zip(table[0], line, strict=True)) for line in table[2:]]


def in_onnxruntime(name: str, n: int) -> dict:
    """A record whose accuracy in eager mode is of 1,000 characters, and in ONNX Runtime of ``n``."""
    made = record(name)
    made["measurements"]["latency@onnxruntime"] = {
        "version": version("latency"), "unit": "ns", "value": 1e6, "all_threads_ns": 0.5e6, "all_threads_n": 20,
        "all_threads_noisy": True,
    }  # fmt: skip
    made["measurements"]["accuracy@onnxruntime"] = {
        "version": version("accuracy"), "unit": "ratio", "value": 0.88, "n": n
    }  # fmt: skip
    return made


def test_characters_are_shown_where_a_runtime_classified_fewer(tmp_path: Path) -> None:
    board = boards(tmp_path, in_onnxruntime("a", 400), record("b"))["hccr.md"]
    shown = {(line["System"], line["Runtime"]): (line["Accuracy, %"], line["Characters"]) for line in lines(board)}
    assert shown == {
        ("`a`", "`eager`"): ("90.00", "1,000"), ("`a`", "`onnxruntime`"): ("88.00", "400"),
        ("`b`", "`eager`"): ("90.00", "1,000"),
    }  # fmt: skip
    header = list(lines(board)[0])
    assert header[header.index("Accuracy, %") + 1] == "Characters"
    assert "Characters" not in lines(boards(tmp_path / "same", in_onnxruntime("a", 1000))["hccr.md"])[0]


def test_files_are_shown_once_one_was_measured(tmp_path: Path) -> None:
    made = in_onnxruntime("a", 1000)
    assert "File (MB)" not in lines(boards(tmp_path / "without", made)["hccr.md"])[0]
    made["measurements"]["size_bytes@onnxruntime"] = {"version": "1", "unit": "byte", "value": 5_100_000}
    board = boards(tmp_path / "with", made)["hccr.md"]
    assert [line["File (MB)"] for line in lines(board)] == ["4.95", "5.10"]
    assert "Size (MB = 10⁶ bytes)" not in lines(board)[0]


def test_noise_on_all_threads_is_told_in_the_cell(tmp_path: Path) -> None:
    found = lines(boards(tmp_path, in_onnxruntime("a", 1000))["hccr.md"])
    assert [line["ms on all threads"] for line in found] == ["—", "0.500 `noisy`"]
