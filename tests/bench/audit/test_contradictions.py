import pytest
from fake.claims import claim

from bench.audit.auditor import audit
from bench.audit.claims import ClaimError, Contradiction, load_claims, load_contradictions
from bench.audit.contradictions import FOUND, NONE, settle
from bench.boards.audit_page import audit_parts, settled_counted

PARAMS = {"kind": "params", "layers": ["conv1"], "classes": 10}  # 704 of them
CLAIMS = [
    claim("p/right", printed="704", num=704, system="fire:gwap", where="Table 1", check=PARAMS),
    claim("p/wrong", printed="7", num=7, system="fire:gwap", where="2", check=PARAMS),
]
NOTED = [
    Contradiction("p/contradiction/01", "2", "seven, and more", ("p/right", "p/wrong")),
    Contradiction("p/contradiction/02", "3", "a word", ("p/right",), "a wrong word, not another figure"),
    Contradiction("p/contradiction/03", "4", "two units", ("p/right",), check={
        "kind": "formula", "formula": "a - 7", "above": 700, "values": {"a": "p/right"}}),
]  # fmt: skip


def test_verdicts_settle_what_was_noted():
    first, second, third = settle(NOTED, audit(CLAIMS))
    assert (first.outcome, second.outcome, third.outcome) == (FOUND, NONE, FOUND)
    assert first.why == "704 trainable parameters of conv1"
    assert second.why == "a wrong word, not another figure"
    assert third.why == "a - 7 = 697, where a = 704 (p/right)"
    assert first.as_dict() == {
        "id": "p/contradiction/01", "statement": "seven, and more", "outcome": "found", "why": first.why,
        "claims": {"p/right": "exact", "p/wrong": "contradicted"},
    }  # fmt: skip


def test_another_figure_settles_it_otherwise():
    mended = [CLAIMS[0], claim("p/wrong", printed="704", num=704, system="fire:gwap", check=PARAMS)]
    assert [one.outcome for one in settle(NOTED, audit(mended))] == [NONE, NONE, FOUND]


def test_a_check_of_its_own_that_cannot_be_understood_is_refused_with_its_id():
    odd = Contradiction("p/contradiction/09", "2", "odd", ("p/right",), check={"kind": "guess"})
    with pytest.raises(ClaimError, match=r"p\.yaml: claim p/contradiction/09: check"):
        settle([odd], audit(CLAIMS))


def test_the_page_has_each_with_its_outcome_and_its_claims():
    verdicts = audit(CLAIMS)
    page = "\n".join(audit_parts(verdicts, settle(NOTED, verdicts)))
    assert page.index("## Contradictions, largest") < page.index("## Contradictions that readers noted")
    assert "3 noted contradictions: 2 found, 1 no contradiction." in page
    (first,) = [line for line in page.splitlines() if line.startswith("| p | 2 | seven, and more |")]
    assert "**found**" in first
    assert "(#claim-p-wrong)" in first
    assert "(#claim-p-right)" not in first  # it speaks against nothing
    assert "| no contradiction | a wrong word, not another figure. See" in page


@pytest.mark.slow
def test_every_shipped_contradiction_is_found_or_says_why_it_is_none():
    settled = settle(load_contradictions(), audit(load_claims()))
    assert settled_counted(settled).startswith("63 noted contradictions")
    assert [one.noted.id for one in settled if one.outcome == NONE and not one.noted.why] == []
    found = {one.noted.id for one in settled if one.outcome == FOUND}
    for name in ("shui-ocr/contradiction/02", "fire-hccr/contradiction/07", "fire-hccr/contradiction/14",
                 "hybrid-mobilenet/contradiction/04", "mobilenet-hccr/contradiction/01",
                 "quant-retrain/contradiction/04"):  # fmt: skip
        assert name in found
