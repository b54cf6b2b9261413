"""System names: one spelling, and what is near an unknown one."""

import pytest

from bench.plugins import UnknownPlugin, systems
from bench.record import file_name
from bench.system import System, parse_system


@pytest.mark.parametrize(
    ("name", "architecture", "recipe"),
    [
        ("lenet5", "lenet5", "light"),
        ("fire:gwap", "fire:gwap", "light"),
        ("fire:gwap+paper", "fire:gwap", "paper"),
        ("resnet:18+paper", "resnet:18", "paper"),
    ],
)
def test_names_read_and_spell_back(name: str, architecture: str, recipe: str) -> None:
    found = parse_system(name, "light")
    assert (found.architecture, found.recipe) == (architecture, recipe)
    assert found.name == name


def test_the_default_recipe_is_not_spelt() -> None:
    assert parse_system("fire:gwap+light", "light").name == "fire:gwap"
    assert parse_system("fire:gwap+light", "light") == parse_system("fire:gwap", "light")
    assert parse_system("fire:gwap", "paper").name == "fire:gwap"
    assert parse_system("fire:gwap+light", "paper").name == "fire:gwap+light"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("fire", "unknown system 'fire'. Did you mean fire:gap or fire:fc or fire:gwap? Known: "),
        ("fire:gwab", "Did you mean fire:gap or fire:fc or fire:gwap? Known: "),
        ("lenet", "unknown system 'lenet'. Did you mean lenet5? Known: "),
        ("lenet5:big", "unknown system 'lenet5:big'. Did you mean lenet5? Known: "),
        ("zzz", "unknown system 'zzz'. Known: alexnet, "),
        ("", "unknown system ''. Known: alexnet, "),
        ("fire:gwap+papper", "fire:gwap+papper: unknown recipe 'papper'. Known: light, paper"),
        ("fire:gwap+", "unknown recipe ''. Known: light, paper"),
        ("fire:gwap+light+paper", "wanted one recipe after '+', got 2"),
    ],
)
def test_unknown_names_list_what_there_is(name: str, says: str) -> None:
    with pytest.raises(UnknownPlugin) as caught:
        parse_system(name, "light")
    assert says in str(caught.value)


def test_every_variant_is_a_system_and_has_a_file_of_its_own() -> None:
    names = systems()
    assert {"lenet5", "fire:gap", "resnet:18", "resnet:50"} <= set(names)
    assert "fire" not in names
    assert all(parse_system(name, "light") == System(name, "light", "light") for name in names)
    files = {file_name(name, "cpu", "quick", 0) for name in names}
    assert len(files) == len(names)
    assert file_name("fire:gwap+paper", "amd-epyc-2c", "quick", 3) == "fire--gwap__paper@amd-epyc-2c-quick-s3.json"
