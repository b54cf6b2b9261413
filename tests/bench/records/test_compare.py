import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from fake.records import record, write

from bench.cli.compare import format_comparison
from bench.records.compare import CompareError, command_for, compare, find_record
from bench.records.predictions import FILE, row_folder
from bench.records.repeatability import Spread
from bench.run.plan import Plan


def stored(runs, found, right, labels=None):
    """Store predictions of which those at ``right`` are right, and give the record their accuracy."""
    right = np.asarray(right, bool)
    labels = np.arange(len(right)) % 7 if labels is None else labels
    found["measurements"]["accuracy"]["value"] = float(right.mean())
    path = row_folder(runs, found) / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    top = np.where(right, labels, labels + 1)[:, None].astype(np.int32)
    np.savez_compressed(path, top=top, probability=np.ones(len(right), np.float32), labels=labels)
    return found


def answers(both, only_a, only_b, neither):
    """Two sets of answers with these counts."""
    a = [True] * both + [True] * only_a + [False] * only_b + [False] * neither
    b = [True] * both + [False] * only_a + [True] * only_b + [False] * neither
    return a, b


@pytest.fixture
def pair(tmp_path):
    a, b = answers(80, 2, 8, 10)
    return stored(tmp_path, record("a", ratio=1.0), a), stored(tmp_path, record("b", ratio=2.0), b)


def test_the_paired_counts_and_p_are_those_computed_by_hand(tmp_path, pair):
    found = compare(*pair, tmp_path)
    assert {k: found["paired"][k] for k in ("n", "both", "only_a", "only_b", "neither")} == {
        "n": 100, "both": 80, "only_a": 2, "only_b": 8, "neither": 10,
    }  # fmt: skip
    # Two-sided binomial test, 2 of 10: 2 * (1 + 10 + 45) / 1024.
    assert found["paired"]["p"] == pytest.approx(112 / 1024)
    assert found["accuracy"]["difference"] == pytest.approx(0.06)
    # Agresti and Min: (8.5 - 2.5) / 102 -+ 1.96 sqrt(11 - 36 / 102) / 102.
    half = 1.959964 * math.sqrt(11 - 36 / 102) / 102
    assert found["accuracy"]["ci_low"] == pytest.approx(6 / 102 - half, abs=1e-6)
    assert found["accuracy"]["ci_high"] == pytest.approx(6 / 102 + half, abs=1e-6)


def test_swapping_the_records_mirrors_the_comparison(tmp_path, pair):
    a, b = pair
    there, back = compare(a, b, tmp_path), compare(b, a, tmp_path)
    assert there["paired"]["p"] == back["paired"]["p"]
    assert there["accuracy"]["ci_low"] == pytest.approx(-back["accuracy"]["ci_high"])
    assert there["ratios"]["latency"]["ratio"] == pytest.approx(1 / back["ratios"]["latency"]["ratio"])
    assert there["ratios"]["latency"]["ci_low"] == pytest.approx(1 / back["ratios"]["latency"]["ci_high"])


def test_a_system_compared_with_itself_does_not_differ(tmp_path, pair):
    found = compare(pair[0], pair[0], tmp_path)
    assert found["paired"]["p"] == 1.0
    assert found["accuracy"]["ci_low"] < 0 < found["accuracy"]["ci_high"]
    assert {cost["ratio"] for cost in found["ratios"].values()} == {1.0}


def test_latency_intervals_combine_in_logarithms(tmp_path, pair):
    latency = compare(*pair, tmp_path)["ratios"]["latency"]
    assert latency["ratio"] == pytest.approx(2.0)
    # Both intervals reach from 0.98 to 1.02 times the ratio.
    distance = math.hypot(math.log(0.98), math.log(1.02))
    assert latency["ci_low"] == pytest.approx(2 * math.exp(-distance))
    assert latency["ci_high"] == pytest.approx(2 * math.exp(distance))


def test_the_spread_between_runs_widens_both_intervals(tmp_path, pair):
    name = pair[0]["machine"]["name"]
    latency = compare(*pair, tmp_path, {name: Spread(0.03, 0.5, 0.7)})["ratios"]["latency"]
    distance = math.hypot(math.log(0.98), math.log(1.02), 0.03, 0.03)
    assert latency["ci_high"] == pytest.approx(2 * math.exp(distance))


def test_latencies_of_two_machines_do_not_compare(tmp_path, pair):
    pair[1]["machine"] = {**pair[1]["machine"], "name": "there-8c"}
    found = compare(*pair, tmp_path)
    assert found["ratios"]["latency"]["ratio"] is None
    assert found["ratios"]["macs"]["ratio"] is not None
    assert "latency: timed on cpu-2c and on there-8c, whose ratios do not compare" in found["notes"]


def test_costs_are_ratios_of_b_to_a(tmp_path, pair):
    pair[1]["measurements"]["macs"]["value"] = 25_800_000
    assert compare(*pair, tmp_path)["ratios"]["macs"]["ratio"] == 0.5


def test_other_data_is_refused(tmp_path, pair):
    a, b = pair
    b["dataset"] = {**b["dataset"], "fingerprint": "sha256:other"}
    with pytest.raises(CompareError, match=r"same data.*sha256:other"):
        compare(a, b, tmp_path)


def test_comparisons_of_suite_performance_are_refused(tmp_path, pair):
    with pytest.raises(CompareError, match="loader: wanted the record of a recogniser"):
        compare(pair[0], record("loader", suite="performance", dataset=None), tmp_path)


def test_missing_predictions_say_how_to_make_them(tmp_path, pair):
    c = record("resnet:18", ratio=3.0, seed=4, command="bench run --suite hccr --data-root hwdb")
    found = compare(pair[0], c, tmp_path)
    assert found["paired"] is None
    assert found["ratios"]["latency"]["ratio"] == pytest.approx(3.0)
    (note,) = found["notes"]
    assert note.endswith(
        "make them with: bench run --suite hccr --dataset synthetic_hwdb --data-root DIR --scale quick "
        "--system resnet:18 --seed 4 --fresh"
    )
    assert str(tmp_path) not in note


def test_predictions_of_another_run_are_refused(tmp_path, pair):
    pair[1]["measurements"]["accuracy"]["value"] = 0.5
    with pytest.raises(CompareError, match=r"accuracy 0\.880000, but the record says 0\.5: not its own"):
        compare(*pair, tmp_path)


def test_predictions_on_other_images_are_refused(tmp_path, pair):
    other = stored(tmp_path, record("c"), answers(80, 2, 8, 10)[1], labels=np.arange(100) % 5)
    with pytest.raises(CompareError, match="not of the same images"):
        compare(pair[0], other, tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"nothing"])
def test_unreadable_predictions_are_refused(tmp_path, pair, content):
    (row_folder(tmp_path, pair[1]) / FILE).write_bytes(content)
    with pytest.raises(CompareError, match="not readable as predictions"):
        compare(*pair, tmp_path)


def test_what_cannot_be_divided_is_noted(tmp_path, pair):
    a, b = pair
    a["measurements"]["macs"]["value"] = None
    b["measurements"]["params"]["version"] = "2"
    found = compare(a, b, tmp_path)
    assert found["ratios"]["macs"]["ratio"] is None
    assert found["ratios"]["params"]["ratio"] is None
    assert "macs: a has no value above zero" in found["notes"]
    assert any(note.startswith("params: measured by different protocol versions") for note in found["notes"])


def test_the_result_is_json_and_its_text_states_the_figures(tmp_path, pair):
    found = compare(*pair, tmp_path)
    assert json.loads(json.dumps(found)) == found
    text = format_comparison(found)
    assert "on synthetic_hwdb (synthetic data)" in text
    assert "accuracy: A 82.00 %, B 88.00 %, B - A = 6.00 points" in text
    assert "McNemar's exact test: p = 0.11, no significant difference (only A correct 2, only B correct 8 of" in text
    assert "latency: B / A = 2.00 [1.9" in text
    assert "note:" not in text


def test_predictions_lie_where_runs_write_them(tmp_path):
    found = record("fire:gwap+paper", seed=3)
    plan = SimpleNamespace(
        request=SimpleNamespace(runs=tmp_path, suite=found["suite"], scale=found["scale"]),
        datamodule=SimpleNamespace(info=SimpleNamespace(name=found["dataset"]["name"])),
    )
    written = Plan.folder(plan, SimpleNamespace(name="fire:gwap+paper"), 3)
    assert row_folder(tmp_path, found) == written


def on(machine, **changes):
    return record("fire:gap", machine={**record()["machine"], "name": machine}, **changes)


def found(folder, **changes):
    wanted = {**on("here-2c"), "dataset": {"name": "synthetic_hwdb"}}
    return find_record(folder / "results", {**wanted, **changes})


def test_another_machines_record_serves_where_it_is_the_only_one(tmp_path):
    write(tmp_path, on("there-8c"), on("there-8c", seed=1), on("there-8c", scale="paper"))
    assert found(tmp_path)["machine"]["name"] == "there-8c"
    write(tmp_path, on("here-2c"))
    assert found(tmp_path)["machine"]["name"] == "here-2c"


def test_records_of_several_other_machines_are_listed(tmp_path):
    write(tmp_path, on("there-8c"), on("elsewhere-4c"))
    with pytest.raises(CompareError, match=r"elsewhere-4c-quick-s0\.json; .*there-8c-quick-s0\.json: name the file"):
        found(tmp_path)


def test_advice_names_the_plug_in_and_not_the_folder_of_the_users_data(tmp_path):
    data = {**record()["dataset"], "name": "hwdb100", "plugin": "image_folder"}
    write(tmp_path, record("lenet5", dataset=data))
    advice = "bench run --suite hccr --dataset image_folder --data-root DIR --scale quick --system fire:gap --seed 0"
    assert command_for(record("fire:gap", dataset=data)) == advice
    with pytest.raises(CompareError, match=f"there are: lenet5@cpu-2c-quick-s0.json; make it: {advice}$"):
        found(tmp_path, dataset={"name": "hwdb100"})


def test_advice_names_what_changes_the_training_data():
    data = {**record()["dataset"], "name": "synthetic_hands", "synthetic": True}
    made = record(
        "quill+finetuned", dataset=data, command="bench run --glyphs fonts --from w.safetensors --per-class 5"
    )
    assert command_for(made) == (
        "bench run --suite hccr --dataset synthetic_hands --glyphs fonts --from w.safetensors --per-class 5 "
        "--scale quick --system quill+finetuned --seed 0"
    )


@pytest.mark.parametrize(
    ("images", "flag"),
    [
        ("", ""),
        ("-on-kanji", " --unlabelled image_folder:DIR"),
        ("-on-cifar10", " --unlabelled cifar10:DIR"),
        ("-on-synthetic-hwdb", " --unlabelled synthetic_hwdb"),
    ],
)
def test_advice_names_the_images_that_a_row_learns_from(images, flag):
    system = f"fire:gap+c4-retrained{images}"
    made = record(system)
    made["dataset"]["name"] = "shui"
    advice = f"bench run --suite hccr --dataset shui{flag} --scale quick --system {system} --seed 0"
    assert command_for(made) == advice
