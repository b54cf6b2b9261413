"""From what was asked to rows: names are checked and scales cut before anything is trained."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake.image_folder import write_folder

from bench.plugins import ARCHITECTURES, SUITES, UnknownPlugin
from bench.run.plan import Plan, Request, make_plan
from bench.suites._base import Scale, Suite
from datamodules._errors import DataError, UsageError
from tasks.recipes import recipe_for

LONG = ("dropout", "flip_left_right", "flip_up_down", "gamma", "label_smoothing", "lr", "momentum", "rotate", "shear")


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Plan a suite of two scales on tiny data."""
    scales = {
        "smoke": Scale(("lenet5", "fire:gap"), 4, (2, 1), share=0.05, share_own=0.025, rounds=10),
        "quick": Scale(("lenet5", "fire:gap"), 5, (3, 1), share=0.25, share_own=0.5, rounds=60),
        "paper": Scale(("lenet5", "fire:gap"), 6, (3, 2), share=1, share_own=1, rounds=60, recipe="paper"),
    }
    suite = Suite("Tiny", "synthetic_hwdb", ("accuracy", "latency"), scales)
    monkeypatch.setattr(SUITES, "load", lambda name: SimpleNamespace(SUITE=suite))
    folder = write_folder(tmp_path / "own", train=24)

    def plan(own: bool = False, **changes: Any) -> Plan:
        data = {"dataset": "image_folder", "data_root": folder} if own else {}
        return make_plan(Request("tiny", out=tmp_path / "out", runs=tmp_path / "runs", **{**data, **changes}))

    return plan


def test_default_rows_are_those_of_the_scale(ask: Any) -> None:
    plan = ask()
    assert [(system.name, seed) for system, seed in plan.rows] == [("lenet5", 0), ("fire:gap", 0)]
    assert plan.datamodule.info.classes == 5
    assert plan.datamodule.info.sizes["train"] == 3 * 5


def test_seeds_are_rows_of_their_own(ask: Any) -> None:
    plan = ask(scale="smoke", systems=("lenet5",), seeds=(0, 1, 2))
    assert [(system.name, seed) for system, seed in plan.rows] == [
        ("lenet5", 0),
        ("lenet5", 1),
        ("lenet5", 2),
    ]
    folders = {plan.folder(system, seed) for system, seed in plan.rows}
    assert len(folders) == 3


def test_one_system_under_two_spellings_is_one_row(ask: Any) -> None:
    names = [system.name for system in ask(systems=("fire:gap", "fire:gap+light", "fire:gap+paper")).systems]
    assert names == ["fire:gap", "fire:gap+paper"]


def test_scale_paper_takes_the_papers_recipes_under_their_names(ask: Any) -> None:
    assert [system.name for system in ask(scale="paper").systems] == ["lenet5+paper", "fire:gap+paper"]
    assert [system.recipe for system in ask(scale="paper").systems] == ["paper", "paper"]


@pytest.mark.parametrize(
    ("scale", "embedded", "own"), [("smoke", 0.05, 0.025), ("quick", 0.25, 0.5), ("paper", 1.0, 1.0)]
)
def test_a_scale_cuts_epochs_and_nothing_else(ask: Any, scale: str, embedded: float, own: float) -> None:
    for plan, share in ((ask(scale=scale), embedded), (ask(own=True, scale=scale), own)):
        system = plan.systems[0]
        whole = recipe_for(system.recipe, ARCHITECTURES.load("lenet5").RECIPE)
        assert plan.recipe(system) == replace(whole, epochs=max(1, round(whole.epochs * share)))


def test_rows_are_deployed_where_the_scale_does_anyway_and_where_it_is_asked(
    ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = ("accuracy", "latency", "process_bytes")
    smoke = Scale(("lenet5",), 4, (2, 1), share=0.05, share_own=0.025, rounds=10, without=("process_bytes",))
    suite = Suite("Tiny", "synthetic_hwdb", figures, {"smoke": smoke, "quick": replace(smoke, without=())})
    suite = replace(suite, scales={**suite.scales, "paper": replace(smoke, without=(), runtimes=("onnxruntime",))})
    monkeypatch.setattr(SUITES, "load", lambda name: SimpleNamespace(SUITE=suite))
    plan = ask(scale="paper", runtimes=("openvino", "onnxruntime"))
    assert plan.runtimes == ("onnxruntime", "openvino")
    first, all_three = plan.systems[0], ("accuracy", "latency", "process_bytes")
    assert plan.deployed(first) == tuple((runtime, name) for runtime in plan.runtimes for name in all_three)
    plan = ask(scale="smoke", runtimes=("openvino",))
    assert plan.deployed(plan.systems[0]) == (("openvino", "accuracy"), ("openvino", "latency"))
    assert plan.measurements(plan.systems[0]) == ("accuracy", "latency")
    assert ask(scale="quick").deployed(plan.systems[0]) == ()


def test_data_that_the_user_brings_is_never_cut_in_size(ask: Any) -> None:
    assert ask(own=True, scale="smoke").datamodule.info.sizes == {"train": 32, "val": 16, "test": 6}


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"dataset": "mnist"}, UnknownPlugin, "unknown .*'mnist'.*Known: .*casia_hwdb.*synthetic_hwdb"),
        ({"systems": ("lenet6",)}, UnknownPlugin, r"'lenet6'\. Did you mean lenet5\? Known: "),
        (
            {"systems": ("lenet5+heavy",)},
            UnknownPlugin,
            "unknown recipe or storage 'heavy'. Known recipes: light, paper",
        ),
        ({"runtimes": ("tflite",)}, UnknownPlugin, "unknown runtime 'tflite'. Known: compile, eager"),
        ({"runtimes": ("eager-int8",)}, UnknownPlugin, "unknown runtime 'eager-int8'"),
        (
            {"systems": ("lenet5~" + "~".join(f"{name}=0.123456789" for name in LONG),)},
            UsageError,
            "wanted a file name of at most 220 bytes for its record, got 2",
        ),
        ({"scale": "huge"}, UsageError, "unknown scale 'huge'; known: smoke, quick, paper"),
        ({"data_root": Path("x.zip")}, UsageError, "synthetic_hwdb is embedded and takes no --data-root"),
        ({"dataset": "image_folder"}, DataError, "--data-root"),
        (
            {"dataset": "image_folder", "data_root": Path("nowhere")},
            DataError,
            "nowhere: byte 0: .* nothing there",
        ),
    ],
)
def test_wrong_use_is_refused_before_anything_is_trained(
    ask: Any, tmp_path: Path, changes: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        ask(**changes)
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "out").exists()


def test_data_too_small_to_time_with_are_refused_before_anything_is_trained(ask: Any, tmp_path: Path) -> None:
    small = write_folder(tmp_path / "small", train=22)
    says = "small: byte 0: wanted at least 16 validation characters.* got 14, cut from 44 training.* at least 48"
    with pytest.raises(DataError, match=says):
        ask(dataset="image_folder", data_root=small)
    assert not (tmp_path / "runs").exists()
