from pathlib import Path

import pytest

from bench.audit.claims import ClaimError, load_claims, load_contradictions, read_claims, read_contradictions
from bench.plugins import systems

WHOLE = """\
suite: hccr
claims:
- {id: a/one, name: One, system: null, dataset: d, metric: accuracy, unit: '%', printed: about 97, num: 97}
- {id: a/two, name: One, system: lenet5, dataset: d, metric: memory_mb, unit: MB, printed: '> 100', num: null}
"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_claim_keeps_what_is_printed_beside_its_number(tmp_path):
    one, two = read_claims([written(tmp_path, "paper.yaml", WHOLE)])
    assert (one.id, one.paper, one.suite, one.system, one.printed, one.num) == (
        "a/one", "paper", "hccr", None, "about 97", 97,
    )  # fmt: skip
    assert (two.system, two.printed, two.num) == ("lenet5", "> 100", None)


def test_a_claim_without_a_number_needs_no_unit(tmp_path):
    two = read_claims([written(tmp_path, "paper.yaml", WHOLE.replace("unit: MB, ", ""))])[1]
    assert (two.num, two.unit) == (None, "")


def test_an_id_in_two_files_is_refused_with_file_and_id(tmp_path):
    files = [written(tmp_path, name, WHOLE) for name in ("first.yaml", "second.yaml")]
    with pytest.raises(ClaimError, match=r"second\.yaml: claim a/one: duplicate id"):
        read_claims(files)


@pytest.mark.parametrize(
    "gone", ["unit: '%', ", "metric: accuracy, ", "printed: about 97, ", "num: 97", "system: null, "]
)
def test_a_claim_that_lacks_something_is_refused_with_file_and_id(tmp_path, gone):
    path = written(tmp_path, "paper.yaml", WHOLE.replace(gone, "", 1))
    with pytest.raises(ClaimError, match=r"paper\.yaml: claim a/one: lacks " + gone.split(":")[0]):
        read_claims([path])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("claims: [", "not readable as YAML"),
        ("- 1", "got list"),
        ("suite: hccr", "wanted the keys suite and claims"),
        (WHOLE.replace("system: lenet5", "sytem: lenet5, system: lenet5"), "a/two: unknown keys sytem"),
        (WHOLE.replace("num: 97", "num: '97'"), "a/one: wanted a number"),
        (WHOLE.replace("lenet5", "lenet6"), "a/two: unknown system 'lenet6'"),
        (WHOLE.replace("num: 97", "num: 97, kind: rumour"), "a/one: unknown kind 'rumour'"),
        (WHOLE.replace("num: 97", "num: 97, check: params"), "a/one: wanted a mapping for check"),
        ("suite: hccr\nclaims: [3]", "wanted a mapping for each claim"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path, text, message):
    with pytest.raises(ClaimError, match=message):
        read_claims([written(tmp_path, "paper.yaml", text)])


NOTED = """\
contradictions:
- {id: a/contradiction/01, where: Table 1, statement: 97 and 98, claims: [a/one, a/two], why: rounded}
"""


def test_a_noted_contradiction_names_claims_of_its_file(tmp_path):
    plain = written(tmp_path, "plain.yaml", WHOLE.replace("a/", "b/"))
    (one,) = read_contradictions([plain, written(tmp_path, "paper.yaml", WHOLE + NOTED)])
    assert (one.id, one.claims, one.why, one.check) == ("a/contradiction/01", ("a/one", "a/two"), "rounded", {})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("a/two]", "a/three]", r"a/contradiction/01: wanted ids of claims .*'a/three'"),
        ("[a/one, a/two]", "[]", r"a/contradiction/01: wanted ids of claims"),
        ("where: Table 1, ", "", r"a/contradiction/01: missing or unknown keys where"),
        ("why: rounded", "reason: rounded", r"missing or unknown keys reason"),
        ("- {id", "- 3\n- {id", r"wanted a mapping for each contradiction, got 3"),
    ],
)
def test_a_noted_contradiction_of_another_form_is_refused(tmp_path, old, new, message):
    with pytest.raises(ClaimError, match=r"paper\.yaml: .*" + message):
        read_contradictions([written(tmp_path, "paper.yaml", WHOLE + NOTED.replace(old, new))])


def test_a_contradiction_noted_twice_is_refused(tmp_path):
    twice = WHOLE + NOTED + NOTED.partition("\n")[2]
    with pytest.raises(ClaimError, match=r"paper\.yaml: contradiction a/contradiction/01: duplicate id"):
        read_contradictions([written(tmp_path, "paper.yaml", twice)])


def test_shipped_contradictions_are_those_of_the_five_papers():
    found = load_contradictions()
    assert len(found) == 63
    assert {one.id.split("/")[0] for one in found} == {claim.paper for claim in load_claims()} - {"public-results"}


def test_shipped_claims_print_what_the_papers_say():
    claims = {claim.id: claim for claim in load_claims()}
    cascade = claims["fire-hccr/table5/fire-cascaded-quant/accuracy"]
    assert (cascade.printed, cascade.num, cascade.unit) == ("97.11%", 97.11, "%")
    assert claims["shui-ocr/table2/alexnet/params"].num == 61_000_000
    assert claims["hybrid-mobilenet/table6/cifar10/d2-a0.25/mult_adds"].num == 9_500_000
    assert claims["public-results/melnyk-net/memory_mb"].num == 24.9
    assert {claim.paper for claim in claims.values()} == {
        "fire-hccr", "hybrid-mobilenet", "mobilenet-hccr", "public-results", "quant-retrain", "shui-ocr",
    }  # fmt: skip


def test_every_shipped_claim_says_what_answers_it_by_systems_that_exist():
    known = set(systems())
    for claim in load_claims():
        assert claim.check.get("kind"), claim.id
        assert {name.partition("+")[0] for name in _systems_in(claim.check)} <= known, claim.id


def _systems_in(check):
    """Every system that a check names, at any depth."""
    for key, value in check.items():
        if key in ("system", "less", "higher", "lower"):
            yield value
        elif key == "systems":
            yield from value
        elif isinstance(value, dict):
            yield from _systems_in(value)
