"""The rules of the house that a machine can hold."""

import ast
import re
import shlex
from pathlib import Path

import pytest
from file_index import BEGIN, first_line, with_index

from bench.__main__ import make_parser
from bench.plugins import COMPARISONS, DATASETS, MEASUREMENTS, SUITES

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for folder in ("bench", "datamodules", "tasks") for path in (ROOT / folder).rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 300, 40  # lines; a function's docstring is not counted
LOOSE_FILES, MOST_FILES = 4, 15  # of bench itself; of a folder that is not one of plug-ins
EXAMPLE = "`tasks/architectures/tiny.py`"  # the README shows how to write it


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_and_functions_fit_in_the_head(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            documented = ast.get_docstring(node) is not None
            body = node.body[1:] if documented and len(node.body) > 1 else node.body
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1
            assert lines <= LONGEST_FUNCTION, f"{node.name}: {lines} lines"


def test_folders_fit_in_the_head() -> None:
    assert len(list((ROOT / "bench").glob("*.py"))) <= LOOSE_FILES
    plugins = {"architectures", "cli", "codecs", "comparisons", "datamodules", "measurements", "runtimes", "suites"}
    for folder in {path.parent for path in SOURCES if path.parent.name not in plugins}:
        assert len([path for path in folder.glob("*.py") if path.stem != "__init__"]) <= MOST_FILES, folder


def test_packages_import_nothing_by_themselves() -> None:
    for path in (ROOT / "bench").rglob("__init__.py"):
        assert len(ast.parse(path.read_text(encoding="utf-8")).body) == 1, path  # the docstring


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_path_that_a_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8").replace(EXAMPLE, "")
    named = set(re.findall(r"`((?:bench|datamodules|leaderboards|tasks|tests)/[\w./-]*)`", text))
    named |= set(re.findall(r"\]\(([\w./-]+)(?:#\w+)?\)", text))
    assert len(named) > 4
    real = [path for path in sorted(named) if not re.search("NAME|PAPER", path)]
    assert [path for path in real if not (ROOT / path).exists()] == []


def test_the_index_of_files_is_todays() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert with_index(readme) == readme, "run: python tests/file_index.py"


def test_every_file_says_what_it_does() -> None:
    for path in SOURCES:
        assert len(first_line(path)) > 20, path


def test_the_map_knows_every_package() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Map")[2].partition(BEGIN)[0]
    for folder in {path.parent.relative_to(ROOT).as_posix() for path in SOURCES}:
        last = folder.rpartition("/")[2]
        assert folder in text or f"`{last}`" in text, folder


def test_readme_commands_parse() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition(BEGIN)[0]
    text += (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    commands = re.findall(r"(?:^|`|&& )(bench [a-z][^`\n#]*)", text, re.MULTILINE)
    assert len(commands) > 10
    for command in commands:
        words = shlex.split(command)[1:]
        make_parser().parse_args(words)  # exits where it cannot read them


@pytest.mark.parametrize("name", SUITES.names())
def test_suites_name_what_there_is(name: str) -> None:
    suite = SUITES.load(name).SUITE
    assert suite.kind in ("recognisers", "comparisons")
    if suite.kind == "recognisers":
        for measurement in suite.measurements:
            MEASUREMENTS.check(measurement)


@pytest.mark.parametrize("name", DATASETS.names())
def test_datasets_state_where_they_come_from(name: str) -> None:
    literals = DATASETS.literals(name)
    assert literals["SOURCE"]
    assert literals["LICENCE"]
    assert literals["SYNTHETIC"] in (True, False)


@pytest.mark.parametrize("name", COMPARISONS.names())
def test_comparisons_state_their_goal(name: str) -> None:
    literals = COMPARISONS.literals(name)
    assert literals["GOAL"]
    assert literals["VERSION"]
    assert literals["LIMIT"] > 0
    assert literals.get("BETTER", "lower") in ("higher", "lower")
    if literals.get("BETTER") == "higher":
        assert "at least" in literals["GOAL"]


@pytest.mark.parametrize("name", MEASUREMENTS.names())
def test_measurements_are_called_by_their_file(name: str) -> None:
    literals = MEASUREMENTS.literals(name)
    assert literals["NAME"] == name
    assert literals["BETTER"] in ("higher", "lower")
    assert literals["PHASE"] in ("figures", "timing")
