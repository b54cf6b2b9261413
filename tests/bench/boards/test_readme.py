"""The README's tables come from records, between their marks, and nothing else of it is touched."""

from pathlib import Path

from fake.records import record

from bench.boards.readme import filled
from bench.records.load import Stored
from bench.records.rows import board_rows

TEXT = "Before\n<!-- board hccr -->\nold\n<!-- end -->\nAfter\n<!-- board other -->\nkept\n<!-- end -->\n"


def test_marked_tables_are_made_anew(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(TEXT, encoding="utf-8")
    rows = {"hccr": board_rows([Stored("a.json", record("lenet5"))], {})}
    found = filled(readme, rows.get)
    assert found is not None
    text = found.decode()
    assert text.startswith("Before\n<!-- board hccr -->\n| Rank |")
    assert "`lenet5`" in text
    assert "old" not in text
    assert text.endswith("After\n<!-- board other -->\nkept\n<!-- end -->\n")
    readme.write_bytes(found)
    assert filled(readme, rows.get) == found


def test_a_readme_without_marks_is_left_alone(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    assert filled(readme, {}.get) is None
    readme.write_text("no marks", encoding="utf-8")
    assert filled(readme, {}.get) is None
