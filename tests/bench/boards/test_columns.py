"""A measurement's own column: one file, and every table shows it."""

from pathlib import Path

import pytest
from fake.boards import boards, line_of
from fake.records import record

from bench.boards import columns
from bench.boards.readme import filled
from bench.boards.summary import summary
from bench.plugins import MEASUREMENTS, Registry
from bench.records import formatting
from bench.records.load import Stored
from bench.records.rows import board_rows

ENERGY = 'NAME = "energy"\nUNIT = "mJ"\nVERSION = "1"\nCOLUMN = ("Energy (mJ)", "number"{more})\n'


@pytest.fixture
def energy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a new measurement, in a plug-in folder that holds no other."""
    folder = tmp_path / "acme_measurements"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(columns, "MEASUREMENTS", Registry("acme_measurements"))
    (folder / "energy.py").write_text(ENERGY.format(more=""))
    return folder / "energy.py"


def measured() -> dict:
    made = record("lenet5")
    made["measurements"]["energy"] = {"version": "1", "unit": "mJ", "value": 1.25}
    return made


def test_a_new_measurement_stands_in_every_table(energy: Path, tmp_path: Path) -> None:
    page = boards(tmp_path / "boards", measured(), record("vgg16"))["hccr.md"]
    assert [line_of(page, system)["Energy (mJ)"] for system in ("lenet5", "vgg16")] == ["1.25", "—"]
    header, lines = summary([measured()])  # the terminal and W&B
    assert lines[0][header.index("Energy (mJ)")] == "1.25"
    readme = tmp_path / "README.md"
    readme.write_text("<!-- board hccr -->\n<!-- end -->\n", encoding="utf-8")
    text = (filled(readme, lambda stem: board_rows([Stored("", measured())], {})) or b"").decode()
    assert "| Energy (mJ) |" in text
    assert "| 1.25 |" in text


def test_narrow_tables_take_their_own_header_or_leave_the_column_out(energy: Path) -> None:
    rows = board_rows([Stored("", measured())], {})
    for more, header in ((', "mJ", "number"', ["mJ"]), (", None, None", [])):
        energy.write_text(ENERGY.format(more=more))
        assert [column.header for column in columns.columns_of(rows)] == ["Energy (mJ)"]
        assert [column.header for column in columns.columns_of(rows, narrow=True)] == header


def test_a_column_without_a_value_is_left_out(energy: Path) -> None:
    assert columns.columns_of(board_rows([Stored("", record("lenet5"))], {})) == []


@pytest.mark.parametrize("name", MEASUREMENTS.names())
def test_every_measurement_says_whether_it_has_a_column(name: str) -> None:
    literals = MEASUREMENTS.literals(name)
    assert ("COLUMN" in literals) != ("COLUMNS" in literals)
    one = literals.get("COLUMN")
    for _, *words in literals.get("COLUMNS", ((name, *one),) if one else ()):
        assert len(words) in (2, 4)
        assert all(word is None or callable(getattr(formatting, word)) for word in words[1::2])
