"""Settings varied by name: read, spelt in one way, and applied."""

import math
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.recipe import Augmentation, Heads, Recipe
from tasks.recipe_settings import (
    SettingError,
    join_settings,
    known_settings,
    split_settings,
    with_settings,
    without_heads,
)
from tasks.recipes import LIGHT, recipe_for

HEADS = {"light": {"heads": {"training": "separate"}}}


def test_settings_change_what_they_name_alone() -> None:
    found = recipe_for("light~lr=0.01~optimizer=sgd~rotate=0~stretch=0.5:2.5~batch=16~dropout=none", {})
    changed = {"lr": 0.01, "optimizer": "sgd", "batch": 16, "name": found.name}
    augmentation = {**asdict(LIGHT.augmentation), "rotate": 0.0, "stretch": (0.5, 2.5)}
    assert asdict(found) == {**asdict(LIGHT), **changed, "augmentation": augmentation}
    assert isinstance(found.batch, int)


def test_settings_of_early_exits_need_some() -> None:
    heads = recipe_for("light~threshold=0.5~calibrated=false~weights=1:0.5", HEADS).heads
    assert heads == Heads("separate", threshold=0.5, calibrated=False, weights=(1.0, 0.5))
    assert recipe_for("light~threshold=none", HEADS).heads == Heads("separate")
    with pytest.raises(SettingError, match="setting threshold is one of early exits"):
        recipe_for("light~threshold=0.5", {})
    assert without_heads("light~rotate=3~threshold=0.5") == "light~rotate=3"


def test_settings_of_heads_are_checked_together() -> None:
    paper = {"paper": {"heads": {"training": "separate", "threshold": 0.98}}}
    heads = recipe_for("paper~budget=0.5~threshold=none", paper).heads
    assert heads == Heads("separate", budget=0.5)
    with pytest.raises(SettingError, match="got both"):
        recipe_for("paper~budget=0.5", paper)


def test_zero_has_one_name_and_whole_numbers_no_exponent() -> None:
    assert join_settings("light", {"rotate": "-0", "batch": "65536"}) == "light~batch=65536~rotate=0"


def test_an_architectures_own_settings_come_first() -> None:
    own = {"paper": {"lr": 0.5, "augmentation": {"rotate": 3.0}}}
    found = recipe_for("paper~shear=2", own)
    assert (found.lr, found.augmentation) == (0.5, Augmentation(rotate=3.0, shear=2.0))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("light~lr", "wanted SETTING=VALUE after ~, got 'lr'"),
        ("light~", "wanted SETTING=VALUE after ~, got ''"),
        ("light~lr=", "wanted SETTING=VALUE after ~, got 'lr='"),
        ("light~lr=1~lr=2", "setting lr is repeated"),
        ("light~rate=1", "unknown setting 'rate'; known: average, batch, budget"),
        ("light~name=x", "unknown setting 'name'"),
        ("light~lr=-1", "setting lr: wanted a number from 1e-09 to 10, got '-1'"),
        ("light~lr=nan", "setting lr: wanted a number from"),
        ("light~lr=fast", "setting lr: wanted a number, got 'fast'"),
        ("light~batch=0", "setting batch: wanted a whole number from 1 to 65536, got '0'"),
        ("light~label_smoothing=2", "setting label_smoothing: wanted a number from 0 to 0.99, got '2'"),
        ("light~zoom=0:1", "setting zoom: wanted a number from 0.05 to 20, got '0'"),
        ("light~stretch=2:1", "setting stretch: wanted the least and the greatest value joined by a colon"),
        ("light~optimizer=none", "the value none belongs to architectures that are fitted in one pass"),
        ("light~batch=1.5", "setting batch: wanted a whole number, got '1.5'"),
        ("light~optimizer=lion", "setting optimizer: wanted one of sgd, adam, adamw, none, got 'lion'"),
        ("light~stretch=1", "wanted the least and the greatest value joined by a colon, such as 0.5:2.5, got '1'"),
    ],
)
def test_wrong_settings_are_told(name: str, says: str) -> None:
    with pytest.raises(SettingError) as caught:
        recipe_for(name, {})
    assert says in str(caught.value)


@given(st.floats(0, 180, allow_subnormal=False), st.sampled_from(["{}", "{:.3e}", "{:.9f}"]))
def test_equal_values_have_one_name(value: float, form: str) -> None:
    text = form.format(value)
    name = join_settings("light", {"rotate": text, "batch": "08"})
    assert name == join_settings(*split_settings(name))
    assert name.startswith("light~batch=8~rotate=")
    found = with_settings(LIGHT, split_settings(name)[1]).augmentation.rotate
    assert math.isclose(found, float(text), rel_tol=1e-11, abs_tol=1e-300)


def test_every_setting_has_a_type_that_can_be_written() -> None:
    heads = Recipe("x", "sgd", 0.1, "constant", 8, 1.0, heads=Heads("separate"))
    said = {**asdict(heads), **asdict(heads.augmentation), **asdict(heads.heads or Heads("joint"))}
    for name in known_settings():
        value = said[name]
        text = ":".join(map(str, value)) if isinstance(value, tuple) else str(value).lower()
        if text:
            with_settings(heads, {name: text})
