"""System names: one spelling, and what is near an unknown one."""

import pytest

from bench.plugins import UnknownPlugin, systems
from bench.records.record import file_name
from bench.system import System, parse_system, with_parents
from datamodules._errors import UsageError
from tasks.compression.storage import parse_storage


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


def test_a_storage_follows_the_recipe_and_names_a_parent() -> None:
    found = parse_system("fire:gwap+paper+u8-4", "light")
    assert (found.recipe, found.storage, found.name) == ("paper", parse_storage("u8-4"), "fire:gwap+paper+u8-4")
    assert found.parent == parse_system("fire:gwap+paper", "light")
    assert parse_system("fire:gwap+light+c32", "light").name == "fire:gwap+c32"
    assert parse_system("fire:gwap", "light").parent is None
    assert file_name("fire:gwap+c32", "cpu", "quick", 0) == "fire--gwap__c32@cpu-quick-s0.json"


@pytest.mark.parametrize(
    ("name", "spelt", "recipe", "parent"),
    [
        ("fire:gwap~rotate=0.0~lr=1e-3", "fire:gwap~lr=0.001~rotate=0", "light~lr=0.001~rotate=0", None),
        ("fire:gwap+light~lr=.1", "fire:gwap~lr=0.1", "light~lr=0.1", None),
        ("fire:gwap+paper~stretch=0.5:2.5+c32", "fire:gwap+paper~stretch=0.5:2.5+c32", "paper~stretch=0.5:2.5",
         "fire:gwap+paper~stretch=0.5:2.5"),
        ("fire_cascade~threshold=0.5~rotate=3", "fire_cascade~rotate=3~threshold=0.5", "light~rotate=3~threshold=0.5",
         "fire:gwap~rotate=3"),
    ],
)  # fmt: skip
def test_settings_of_a_recipe_are_varied_by_name(name: str, spelt: str, recipe: str, parent: str | None) -> None:
    found = parse_system(name, "light")
    assert (found.name, found.recipe, found.parent and found.parent.name) == (spelt, recipe, parent)
    assert parse_system(spelt, "light") == found


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("lenet5~nesterov=1", "lenet5~nesterov=1: unknown setting 'nesterov'; known: average, batch"),
        ("lenet5~rotate=1+paper", "wanted settings after the recipe: lenet5+paper~rotate=1"),
        ("lenet5~", "wanted SETTING=VALUE after ~, got ''"),
        ("fire_cascade+joint~weights=1:2", "setting weights: wanted a number for each of 3 heads, got 2"),
        ("nearest_mean~optimizer=adam", "the value none belongs to architectures that are fitted in one pass"),
        ("lenet5~threshold=0.5", "setting threshold is one of early exits, which this recipe does not train"),
        ("torchvision:vgg16+given~lr=1", "+given is not trained, so its settings cannot be varied"),
    ],
)
def test_settings_that_a_recipe_does_not_have_are_refused(name: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_system(name, "light")
    assert says in str(caught.value)


def test_parents_come_before_what_is_made_of_them() -> None:
    asked = [parse_system(name, "light") for name in ("fire:gwap+c32", "lenet5", "fire:gwap", "fire:gwap+u8-4")]
    names = [system.name for system in with_parents(asked)]
    assert names == ["fire:gwap", "fire:gwap+c32", "lenet5", "fire:gwap+u8-4"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("fire", "unknown system 'fire'. Did you mean fire:gap or fire:fc or fire:gwap? Known: "),
        ("fire:gwab", "Did you mean fire:gap or fire:fc or fire:gwap? Known: "),
        ("lenet", "unknown system 'lenet'. Did you mean lenet5? Known: "),
        ("lenet5:big", "unknown system 'lenet5:big'. Did you mean lenet5? Known: "),
        ("zzz", "unknown system 'zzz'. Known: alexnet, "),
        ("", "unknown system ''. Known: alexnet, "),
        ("fire:gwap+papper", "unknown recipe or storage 'papper'. Known recipes: light, paper, paper-noresize, "),
        ("fire:gwap+u9-4", "fire:gwap+u9-4: unknown recipe or storage 'u9-4'. Known recipes: "),
        ("fire:gwap+c33", "storages: cK[-kmeans][-bias1][-folded][-of-LAYER-LAYER…] (K centroids a layer: 1, 2, 4"),
        ("fire:gwap+", "unknown recipe or storage ''. Known recipes: light, paper"),
        ("fire:gwap+light+paper", "fire:gwap+light+paper: wanted one recipe at most, then one storage at most"),
        ("fire:gwap+c32+u8-4", "wanted one recipe at most, then one storage at most"),
        ("fire:gwap+c32+paper", "wanted one recipe at most, then one storage at most"),
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
