from dataclasses import replace

import pytest
from fake.claims import claim

from bench.audit.auditor import Auditor, audit
from bench.audit.claims import ClaimError, load_claims


def verdict(*claims):
    """The verdict on the first of these claims, given the others."""
    return Auditor(claims).verdict(claims[0])


@pytest.mark.parametrize(
    ("check", "computed"),
    [
        # fire-hccr, Table 1, by hand: conv1 has 9 × 64 weights and 4 × 64 numbers of batch normalisation.
        ({"kind": "params", "convention": "keras", "layers": ["conv1"]}, 9 * 64 + 4 * 64),
        ({"kind": "params", "convention": "trainable", "layers": ["conv1"]}, 9 * 64 + 2 * 64),
        # fire2: squeeze 64 × 16, expand 16 × 64 and 9 × 16 × 64, on 32 × 32 maps.
        ({"kind": "macs", "layers": ["fire2"]}, (64 * 16 + 16 * 64 + 9 * 16 * 64) * 32 * 32),
        # Weighted pooling beyond plain averages: one weight per channel and position.
        ({"kind": "params", "less": "fire:gap"}, 512 * 8 * 8),
        ({"kind": "layers", "ops": ["convolution"]}, 1 + 3 * 8),
        ({"kind": "blocks", "type": "Fire"}, 8),
        ({"kind": "image"}, 64),
        ({"kind": "recipe", "field": "weight_decay"}, 1e-5),
        ({"kind": "setting", "ops": ["dropout"], "attribute": "p"}, 0.5),
        ({"kind": "dataset", "name": "casia_hwdb", "fact": "test"}, 223_991),
        ({"kind": "formula", "formula": "2 * a + c", "values": {"a": {"kind": "image"}, "c": 1}}, 129),
    ],
)
def test_kinds_compute_what_a_hand_does(check, computed):
    found = verdict(claim(num=1, system="fire:gwap", check={"classes": 10, **check}))
    assert found.computed == computed


def test_storage_is_bytes_of_all_numbers_in_either_unit():

    def stored(**check):
        return verdict(claim(num=1, system="lenet5", check={"kind": "storage", "classes": 10, **check})).computed

    params = verdict(claim(num=1, system="lenet5", check={"kind": "params", "classes": 10})).computed
    biases = verdict(claim(num=1, system="lenet5", check={"kind": "params", "convention": "biases", "classes": 10}))
    assert stored(unit="MB") == pytest.approx(params * 4 / 10**6)
    assert stored(unit="MiB") == pytest.approx(params * 4 / 2**20)
    packed = stored(unit="MB", bits={"convolution": 8, "linear": 8})
    assert packed == pytest.approx((params - biases.computed + 4 * biases.computed) / 10**6)


@pytest.mark.parametrize(
    ("check", "verdict_wanted"),
    [
        ({"kind": "layer", "name": "fire3", "output": [32, 32, 128]}, "exact"),
        ({"kind": "layer", "name": "fire3", "output": [32, 32, 256]}, "contradicted"),
        ({"kind": "layer", "name": "fire3", "parts": {"squeeze": {"kernel": 1, "filters": 16}}}, "exact"),
        ({"kind": "layer", "name": "fire3", "parts": {"squeeze": {"kernel": 3, "filters": 16}}}, "contradicted"),
        ({"kind": "step", "at": 1, "op": "convolution", "kernel": 3, "stride": 1, "input": [64, 64, 1]}, "exact"),
        ({"kind": "step", "at": 2, "op": "convolution"}, "contradicted"),  # it is the first pool
        ({"kind": "step", "at": 99, "op": "convolution"}, "contradicted"),
        ({"kind": "every", "ops": ["convolution"], "followed_by": ["batch_norm"]}, "exact"),
        ({"kind": "every", "ops": ["convolution"], "followed_by": ["dropout"]}, "contradicted"),
        ({"kind": "every", "types": ["Fire"], "formula": "macs * 8", "equals": "(M + 5 * N) * N * H * H"}, "exact"),
        ({"kind": "every", "types": ["Nothing"], "formula": "M", "equals": "M"}, "contradicted"),  # there is none
        ({"kind": "output", "shape": [10]}, "exact"),
        ({"kind": "recipe", "fields": {"optimizer": "sgd", "lr": 0.1}}, "exact"),
        ({"kind": "recipe", "fields": {"optimizer": "adam"}}, "contradicted"),
        ({"kind": "image", "channels": 3}, "contradicted"),
    ],
)
def test_shapes_and_settings_hold_or_are_contradicted(check, verdict_wanted):
    found = verdict(claim(system="fire:gwap", check={"classes": 10, **check}))
    assert found.verdict == verdict_wanted, found.why


def test_widths_of_a_table_follow_the_variant():
    check = {"kind": "step", "at": 2, "op": "depthwise", "filters": "32ad", "classes": 10}
    for variant in ("stride-d2-a1", "stride-d4-a0.25"):
        assert verdict(claim(system=f"hybrid_mobilenet:{variant}", check=check)).verdict == "exact"
    wrong = {**check, "filters": "64ad", "systems": ["hybrid_mobilenet:stride-d1-a1", "hybrid_mobilenet:mp3-d2-a1"]}
    found = verdict(claim(check=wrong))
    assert found.verdict == "contradicted"
    assert "printed 64" in found.why


def test_printed_cells_leave_no_room_but_their_rounding():
    parts = [claim("p/a", printed="45", num=45), claim("p/b", printed="2.0", num=2.0)]
    check = {"kind": "formula", "formula": "a * b", "values": {"a": "p/a", "b": "p/b"}}
    assert verdict(claim("p/c", printed="90", num=90, check=check), *parts).verdict == "exact"
    assert verdict(claim("p/c", printed="92", num=92, check=check), *parts).verdict == "approximate"  # 46 × 2
    assert verdict(claim("p/c", printed="97", num=97, check=check), *parts).verdict == "contradicted"  # 8 % off


def test_what_is_missing_is_said():
    assert verdict(claim(check={"kind": "data", "why": "files"})).verdict == "needs data"
    assert verdict(claim(check={"kind": "none", "why": "hardware"})).why == "hardware"
    assert verdict(claim()).verdict == "not checkable"
    absent = verdict(claim(num=1, check={"kind": "params", "system": "no_such_net"}))
    assert absent.verdict == "not checkable"
    assert absent.why == "Not checkable yet: no architecture no_such_net is installed"


@pytest.mark.parametrize(
    "check",
    [
        {"kind": "guess"},
        {"kind": "params"},
        {"kind": "formula", "formula": "__import__('os')", "values": {}},
        {"kind": "formula", "formula": "a", "values": {"a": "p/unknown"}},
        {"kind": "recipe", "field": "luck", "system": "lenet5"},
    ],
)
def test_a_check_that_cannot_be_understood_is_refused_with_file_and_id(check):
    with pytest.raises(ClaimError, match=r"p\.yaml: claim p/one: check"):
        verdict(claim("p/one", num=1, check=check))


def test_a_broken_network_changes_the_verdicts(monkeypatch):
    from tasks.architectures import fire

    shipped = [c for c in load_claims() if c.id.startswith("fire-hccr/table1/fire3")]
    assert {found.verdict for found in audit(shipped)} == {"exact"}
    monkeypatch.setattr(fire, "_FIRES", {**fire._FIRES, "fire3": 192})
    assert [(f.claim.id.split("/")[-1], f.verdict) for f in audit(shipped)] == [
        ("shape", "contradicted"), ("params", "contradicted"), ("ops", "contradicted"),
    ]  # fmt: skip


def test_shipped_figures_of_the_fire_network_and_the_shui_network():
    claims = [c for c in load_claims() if c.paper in ("fire-hccr", "shui-ocr")]
    found = {f.claim.id: f for f in audit(claims)}
    cells = [f for name, f in found.items() if name.startswith("fire-hccr/table1/") and "shape" not in name]
    assert len(cells) == 18
    costs = [found[f"fire-hccr/table4/{exit_}/flops"] for exit_ in ("mid-a", "mid-b", "final")]
    sizes = [found[f"fire-hccr/table5/{system}/memory"] for system in ("fire-final", "fire-cascaded")]
    assert {f.verdict for f in [*cells, *costs, *sizes]} == {"exact"}
    shui = found["shui-ocr/table2/shui-cnn/params"]
    assert (shui.verdict, shui.computed) == ("contradicted", 2_290_896)
    assert "536,448 parameters without classifier" in shui.why
    assert found["fire-hccr/table2/hccr-fc/extra-params"].verdict == "contradicted"


@pytest.mark.slow
def test_every_shipped_claim_is_answered():
    claims = load_claims()
    found = audit(claims)
    assert [f.claim.id for f in found] == [c.id for c in claims]
    assert sum(f.verdict == "not checkable" for f in found) <= 100
    cells = [f for f in found if f.claim.id.startswith("hybrid-mobilenet/table") and f.claim.id.endswith("/params")]
    assert (len(cells), {f.verdict for f in cells}) == (42, {"exact"})
    described = [f for f in found if f.claim.kind in ("architecture", "protocol")]
    assert len(described) == 244
    assert sum(f.verdict in ("exact", "approximate", "contradicted") for f in described) >= 200


def test_a_printed_cell_that_changes_changes_the_verdicts_that_rest_on_it():
    claims = {c.id: c for c in load_claims()}
    times = [claims[f"fire-hccr/{name}"] for name in ("table4/cascaded/latency", "text/mid-a-exit-rate",
             "table4/mid-a/latency", "table4/final/latency")]  # fmt: skip
    assert verdict(*times).verdict == "contradicted"
    times[1] = replace(times[1], printed="about 82", num=82)
    assert verdict(*times).verdict == "exact"  # 0.82 × 6.44 + 0.18 × 9.21 = 6.9386, cut off

    costs = [claims[f"hybrid-mobilenet/{table}/cifar10/d2-a1/mult_adds"] for table in ("table5", "table4")]
    assert verdict(*costs).verdict == "contradicted"  # 22.96 + 0.66 is not 23.18
    costs[1] = replace(costs[1], printed="22.51", num=22_510_000)
    assert verdict(*costs).verdict == "approximate"  # only the built network is 1.9 % above it
