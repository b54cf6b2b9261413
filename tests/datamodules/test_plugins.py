"""The file name is the registration, and reading names imports nothing."""

import sys
from importlib import metadata
from pathlib import Path

import pytest

from datamodules._plugins import Registry, UnknownPlugin

FINE = '''"""A fine plug-in.

More about it.
"""
SOURCE: str = "a paper, " "2020"
VARIANTS = ("a", "b")
INPUT = (1, 64)
COMPUTED = len(VARIANTS)
LATER: int
lower = 3
'''
RAISES = '"""Raises when imported."""\nSOURCE = "nowhere"\nraise RuntimeError("imported!")\n'


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A package ``shelf.nets`` with files of several kinds in it."""
    folder = tmp_path / "shelf" / "nets"
    folder.mkdir(parents=True)
    for name, text in {
        "fine": FINE,
        "raises": RAISES,
        "garbled": "def (",
        "_private": "",
        "__init__": "",
    }.items():
        (folder / f"{name}.py").write_text(text)
    (folder / "notes.txt").write_text("no plug-in")
    (tmp_path / "shelf" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == "shelf"]:
        monkeypatch.delitem(sys.modules, name)
    return Registry("shelf.nets", "shelf.nets")


def offer(monkeypatch: pytest.MonkeyPatch, **modules: str) -> None:
    """Make other packages offer these modules."""
    points = metadata.EntryPoints(metadata.EntryPoint(name, value, "shelf.nets") for name, value in modules.items())
    monkeypatch.setattr(metadata, "entry_points", lambda group: points.select(group=group))


def test_each_file_is_a_plug_in_unless_private(nets: Registry) -> None:
    assert nets.names() == ["fine", "garbled", "raises"]


def test_literals_are_read_without_importing(nets: Registry) -> None:
    assert nets.literals("fine") == {
        "__doc__": "A fine plug-in.\n\nMore about it.",
        "SOURCE": "a paper, 2020",
        "VARIANTS": ("a", "b"),
        "INPUT": (1, 64),
    }
    assert nets.literals("raises")["SOURCE"] == "nowhere"
    assert not {"shelf.nets.fine", "shelf.nets.raises"} & set(sys.modules)


def test_a_file_that_is_no_python_lists_and_says_so(nets: Registry) -> None:
    assert "SyntaxError" in nets.literals("garbled")["__doc__"]


def test_loading_imports_that_one(nets: Registry) -> None:
    assert nets.load("fine").COMPUTED == 2
    with pytest.raises(RuntimeError, match="imported!"):
        nets.load("raises")


@pytest.mark.parametrize("ask", ["load", "literals", "check"])
def test_an_unknown_name_lists_the_known_ones(nets: Registry, ask: str) -> None:
    with pytest.raises(UnknownPlugin) as caught:
        getattr(nets, ask)("fines")
    assert str(caught.value) == "unknown net 'fines'. Did you mean fine? Known: fine, garbled, raises"


def test_names_are_no_paths(nets: Registry) -> None:
    for name in ("_private", "../nets/fine", "fine.py", ""):
        with pytest.raises(UnknownPlugin):
            nets.load(name)


def test_another_package_adds_a_plug_in(nets: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "acme_net.py").write_text(FINE)
    offer(monkeypatch, acme="acme_net")
    assert nets.names() == ["acme", "fine", "garbled", "raises"]
    assert nets.literals("acme")["VARIANTS"] == ("a", "b")
    assert "acme_net" not in sys.modules
    assert nets.load("acme").INPUT == (1, 64)


def test_a_plug_in_deep_in_a_package_lists_without_importing_the_package(
    nets: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "acme" / "inner"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").write_text("raise RuntimeError('imported!')")
    (package / "net.py").write_text(FINE)
    offer(monkeypatch, acme="acme.inner.net")
    assert nets.literals("acme")["SOURCE"] == "a paper, 2020"


def test_an_entry_point_to_nothing_lists_and_says_so(nets: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, ghost="no_such_package.net")
    assert "ghost" in nets.names()
    assert "no_such_package.net is not installed" in nets.literals("ghost")["__doc__"]
    assert nets.literals("fine")["INPUT"] == (1, 64)
    with pytest.raises(ModuleNotFoundError):
        nets.load("ghost")


def test_a_missing_folder_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"package datamodules\.nowhere is not installed"):
        Registry("datamodules.nowhere").names()
