"""What a run prints at its end."""

import io

from fake.records import record, version
from rich.console import Console

from bench.boards.summary import summary, summary_table


def test_the_summary_shows_every_record_in_order():
    failed = record("vgg16", None, None, status="failed", error="MemoryError: [x]", measurements={})
    columns, lines = summary([record("b", 0.9, 0.5), failed])
    assert lines[0][columns.index("Accuracy, % [95 %]")] == "90.00 [89.00–91.00]"
    assert [line[0] for line in lines] == ["b", "vgg16"]
    console = Console(width=200, file=io.StringIO())
    console.print(summary_table([record("b", 0.9, 0.5), failed]))
    text = console.file.getvalue()
    assert "90.00 [89.00–91.00]" in text
    assert "failed (MemoryError: [x])" in text


def test_the_summary_has_a_column_for_each_other_runtime():
    odd = record("a")
    odd["measurements"]["latency@onnxruntime"] = {"version": version("latency"), "unit": "ns", "value": 1_250_000}
    columns, lines = summary([odd, record("b")])
    assert [line[columns.index("latency@onnxruntime")] for line in lines] == ["1.25 ms", "—"]
