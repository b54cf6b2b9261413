import json
import re

import pytest
from fake.claims import claim
from fake.records import record, write

from bench import __main__ as cli
from bench.audit.auditor import audit
from bench.boards.audit_page import audit_parts, counted
from bench.boards.render import check_boards, write_boards
from bench.records.load import read_stored
from bench.records.protocols import Protocol

DATA = {"kind": "data", "why": "files"}
PARAMS = {"kind": "params", "layers": ["conv1"], "classes": 10}
CLAIMS = [
    claim("p/near", printed="700", num=700, system="fire:gwap", check=PARAMS),
    claim("p/far", printed="7", num=7, system="fire:gwap", check=PARAMS),
    claim("p/farther", printed="7 K", num=7_000_000, system="fire:gwap", check=PARAMS),
    claim("p/accuracy", printed="97", num=97, metric="accuracy", system="fire:gwap", check=DATA),
    claim("p/better", kind="comparative", check={
        "kind": "data", "why": "x", "order": {"higher": "fire:gwap", "lower": "lenet5", "of": "accuracy"}}),
]  # fmt: skip
PROTOCOLS = {"accuracy": Protocol("1", "Share that is right.")}


def test_contradictions_come_first_and_largest_first():
    page = "\n".join(audit_parts(audit(CLAIMS)))
    found = re.findall(r"^- \[.*?\]\(#(claim-[\w-]+)\)", page, re.MULTILINE)
    assert found == ["claim-p-farther", "claim-p-far"]
    assert page.index("## Contradictions") < page.index("## p\n")
    assert "| p | 0 | 1 | 2 | 2 | 0 | 5 |" in page
    for name in ("near", "far", "farther", "accuracy", "better"):
        assert page.count(f'<a id="claim-p-{name}"></a>') == 1


def test_the_last_line_counts_them():
    assert counted(audit(CLAIMS)).startswith("5 claims: 0 exact, 1 approximate, 2 contradicted, 2 needs data")


@pytest.mark.parametrize(
    ("higher", "lower", "outcome"), [(0.95, 0.9, "held"), (0.9, 0.95, "did not hold"), (0.9, 0.905, "undecided")]
)
def test_records_speak_beside_the_verdict(tmp_path, higher, lower, outcome):
    write(tmp_path, record("fire:gwap", higher), record("lenet5", lower))
    found = {f.claim.id: f for f in audit(CLAIMS, read_stored(tmp_path)[0], PROTOCOLS)}
    (measured,) = found["p/accuracy"].measured
    assert found["p/accuracy"].verdict == "needs data"
    assert (measured["dataset"], measured["value"]) == ("synthetic_hwdb", pytest.approx(100 * higher))
    assert (measured["low"], measured["high"]) == (pytest.approx(100 * higher - 1), pytest.approx(100 * higher + 1))
    (order,) = found["p/better"].measured
    assert order["outcome"] == outcome
    assert not found["p/near"].measured


def test_the_page_is_rendered_with_the_boards_and_checked(tmp_path):
    folder = tmp_path / "leaderboards"
    write(folder, record("fire:gwap", 0.9))
    assert folder / "audit.md" in write_boards(folder, claims=CLAIMS).written
    assert not write_boards(folder, claims=CLAIMS).written  # the same records and claims, the same bytes
    (folder / "audit.md").write_text("other")
    assert check_boards(folder, claims=CLAIMS) == ["audit.md: differs from its records; run bench render"]


def test_the_verb_prints_one_document(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("bench.audit.claims.load_claims", lambda: CLAIMS)
    assert cli.main(["audit", "--json", "--out", str(tmp_path)]) == 0
    claims = json.loads(capsys.readouterr().out)["claims"]
    assert [one["id"] for one in claims] == [one.id for one in CLAIMS]
    assert set(claims[0]) == {"id", "verdict", "printed", "computed", "why", "measured"}
    assert cli.main(["audit", "--out", str(tmp_path)]) == 0
    assert "p/far: printed 7; 704 trainable parameters of conv1" in capsys.readouterr().out
