"""The command line as a user meets it: exit codes, one JSON document, messages that list what there is."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake.image_folder import write_folder
from fake.plugins import NAMES, offer
from fake.records import record, write

from bench import runner
from bench.cli import _command, main
from bench.measurements import latency
from bench.plugins import SUITES
from bench.record import read_record
from bench.suite import Scale, Suite

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bench:
    """Run a command in an empty folder; gives its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(command: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main(command.split())
        except SystemExit as error:  # argparse
            code = int(error.code or 0)
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """``bench run`` on a tiny suite and data, with others' plug-ins installed and a stopwatch that is quick."""
    figures = ("accuracy", "macs", "params", "size_bytes", "latency")
    scale = Scale(("acme_tiny",), None, None, share=1 / 40, share_own=1 / 40, rounds=10)  # one epoch
    suites = {"tiny": Suite("Tiny", "image_folder", figures, {"quick": scale, "smoke": scale})}
    real = SUITES.load
    monkeypatch.setattr(
        SUITES, "load", lambda name: SimpleNamespace(SUITE=suites[name]) if name in suites else real(name)
    )
    offer(tmp_path / "acme", monkeypatch)
    write_folder(tmp_path / "strokes", train=390, test=10)
    shown = {
        "value": 1e6,
        "n": 10,
        "q25": 1e6,
        "q75": 1e6,
        "p90": 1e6,
        "ratio_to_reference": 2.0,
        "ratio_ci": [1.9, 2.1],
    }
    monkeypatch.setattr(latency, "time_apart", lambda *arguments: dict(shown))
    return "run --suite tiny --dataset image_folder --data-root strokes --out out --accelerator cpu"


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("run --suite hcr", "unknown suite 'hcr'. Did you mean hccr? Known: hccr"),
        ("run --suite hccr --dataset mnist", "'mnist'. Known: casia_hwdb"),
        ("run --suite hccr --system lenet6", "unknown system 'lenet6'. Did you mean lenet5? Known: alexnet"),
        ("run --suite hccr --system lenet5+heavy", "unknown recipe 'heavy'. Known: light, paper"),
        ("run --suite hccr --runtime tflite", "unknown runtime 'tflite'. Known: eager"),
        ("run --suite hccr --scale huge", "invalid choice: 'huge'"),
        ("profile lenet6", "unknown system 'lenet6'. Did you mean lenet5?"),
        ("profile lenet5 --runtime tflite", "unknown runtime 'tflite'. Known: eager"),
        ("compare lenet5 fire:gap --suite hcr", "unknown suite 'hcr'"),
        ("list models", "invalid choice: 'models'"),
        ("measure", "invalid choice: 'measure'"),
        ("", "the following arguments are required: VERB"),
    ],
)
def test_unknown_names_exit_2_and_list_the_known_ones(bench: Bench, command: str, says: str) -> None:
    code, out, err = bench(command)
    assert (code, out) == (2, "")
    assert says in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ("--seed 1 --seeds 2", "not allowed with argument"),
        ("--seed -1", "wanted a whole number from 0"),
        ("--seeds 0", "wanted a whole number above 0, got '0'"),
        ("--dry-run --fresh", "--dry-run and --fresh contradict each other"),
        ("--dry-run --wandb offline", "--dry-run and --wandb contradict each other"),
        ("--data-root x", "--data-root needs --dataset"),
        ("--dataset synthetic_hwdb --data-root x", "takes no --data-root"),
        ("--dataset image_folder", "--data-root: byte 0: wanted a folder or zip of images, got nothing"),
        ("--dataset image_folder --data-root nowhere", "nowhere: byte 0: wanted a folder or zip of images"),
    ],
)
def test_contradicting_flags_and_missing_data_are_refused(bench: Bench, tmp_path: Path, flags: str, says: str) -> None:
    code, out, err = bench(f"run --suite hccr --scale smoke {flags}")
    assert (code, out) == (2, "")
    assert says in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("flags", ["--dry-run", "--dataset synthetic_hwdb", "--seeds 2", "--wandb offline"])
def test_comparisons_refuse_what_they_cannot_use(bench: Bench, flags: str) -> None:
    code, out, err = bench(f"run --suite performance {flags}")
    assert (code, out) == (2, "")
    assert "compares programs" in err


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("profile lenet5 --checkpoint nowhere.safetensors", "--checkpoint: "),
        ("data synthesize --classes 4000 --writers 1 --out x", "--classes: wanted 1 to 3755 classes, got 4000"),
        ("render", "leaderboards: no folder results/ with records in it; run: bench run --suite hccr"),
        ("compare a.json b.json", "a.json: not a readable record"),
        ("compare lenet5 fire:gap", "make it: bench run --suite hccr --system lenet5"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(bench: Bench, command: str, says: str) -> None:
    code, out, err = bench(command)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert says in err


@pytest.mark.parametrize(
    "what", ["architectures", "systems", "datasets", "suites", "measurements", "runtimes", "claims"]
)
def test_lists_are_one_json_document_of_named_objects(bench: Bench, what: str) -> None:
    code, out, err = bench(f"list {what} --json")
    assert (code, err) == (0, "")
    names = [entry["name"] for entry in json.loads(out)]
    assert len(names) == len(set(names)) > 0
    code, text, _ = bench(f"list {what}")
    assert [line.split()[0] for line in text.splitlines()] == names


def test_others_plug_ins_are_listed_even_where_they_are_broken(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(tmp_path / "acme", monkeypatch)
    listed = {entry["name"]: entry["about"] for entry in json.loads(bench("list systems --json")[1])}
    assert set(NAMES) <= set(listed)
    assert listed["acme_tiny"] == "nowhere"
    assert "SyntaxError" in listed["acme_garbled"]


@pytest.mark.parametrize("what", ["--help", "list systems", "list runtimes", "list claims", "list datasets"])
def test_listing_imports_nothing_heavy(what: str) -> None:
    script = (
        "import sys; from bench.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'pytorch_lightning', 'albumentations', 'cv2', 'wandb', 'onnxruntime'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script, *what.split()], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = [sys.executable, "-m", "bench.cli", "list", "claims", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()  # as head does; the list is longer than a pipe holds
    assert process.stderr.read() == b""
    assert process.wait(100) == 0
    process.stderr.close()


def test_a_run_makes_records_boards_and_one_document(bench: Bench, own: str, tmp_path: Path) -> None:
    code, out, err = bench(f"{own} --system acme_chatty --system lenet5 --json")
    document = json.loads(out)  # though the network prints
    assert code == 0
    assert [made["system"] for made in document["records"]] == ["acme_chatty", "lenet5"]
    assert {made["status"] for made in document["records"]} == {"whole"}
    assert "a network prints" in err
    stored = sorted((tmp_path / "out" / "results" / "tiny" / "strokes").glob("*.json"))
    assert [read_record(path) for path in stored] == document["records"]
    assert all(Path(board).read_text(encoding="utf-8") for board in document["boards"])
    assert document["boards"]
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert bench(f"{own} --system acme_chatty --system lenet5")[0] == 0
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == before
    assert bench("render --check --out out")[0] == 0


def test_a_failed_row_exits_1_and_the_others_are_there(bench: Bench, own: str) -> None:
    code, out, err = bench(f"{own} --system acme_build --system acme_tiny --json")
    first, second = json.loads(out)["records"]
    assert (code, first["status"], second["status"]) == (1, "failed", "whole")
    assert "acme_build failed: ArithmeticError: no such layer" in err


def test_a_failed_measurement_exits_1(bench: Bench, own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any) -> Any:
        raise ArithmeticError("no clock")

    monkeypatch.setattr(latency, "time_apart", broken)
    code, out, err = bench(f"{own} --json")
    (made,) = json.loads(out)["records"]
    assert (code, made["status"]) == (1, "partial")
    assert "acme_tiny, latency: ArithmeticError: no clock" in err


def test_damage_among_the_results_exits_1(bench: Bench, own: str, tmp_path: Path) -> None:
    write(tmp_path / "out", record("lenet5"))
    (damaged,) = (tmp_path / "out" / "results").rglob("*.json")
    damaged.write_text("{")
    code, _, err = bench(own)
    assert code == 1
    assert damaged.name in err
    assert damaged.read_text() == "{"


def test_an_interrupt_exits_130_with_boards_of_what_is_finished(
    bench: Bench, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = runner.train

    def train(architecture: str, *rest: Any) -> Any:
        if architecture == "lenet5":
            raise KeyboardInterrupt
        return real(architecture, *rest)

    monkeypatch.setattr(runner, "train", train)
    code, out, err = bench(f"{own} --system acme_tiny --system lenet5 --json")
    assert (code, out) == (130, "")
    assert "finished rows are kept, and the same command continues" in err
    assert len(list((tmp_path / "out" / "results").rglob("*.json"))) == 1
    assert list((tmp_path / "out").glob("*.md"))


def test_a_dry_run_runs_nothing(bench: Bench, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "train", lambda *arguments: pytest.fail("trained"))
    before = sorted(tmp_path.rglob("*"))
    code, out, _ = bench(f"{own} --system acme_tiny --system lenet5 --seeds 2 --dry-run --json")
    document = json.loads(out)
    assert code == 0
    assert [(row["system"], row["seed"]) for row in document["rows"]] == [
        ("acme_tiny", 0), ("acme_tiny", 1), ("lenet5", 0), ("lenet5", 1),
    ]  # fmt: skip
    assert document["rows"][0]["macs"] == 25 * 36 * 8 + 288 * 2
    assert document["seconds"] == pytest.approx(sum(row["seconds"] for row in document["rows"]))
    assert sorted(path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts) == before


def test_a_dry_run_tells_which_rows_would_fail(bench: Bench, own: str) -> None:
    code, out, _ = bench(f"{own} --system acme_build --system lenet5 --dry-run")
    assert code == 1
    assert "acme_build" in out
    assert "fails: ArithmeticError: no such layer" in out
    assert "lenet5" in out


def test_an_eager_runtime_is_timed_once(bench: Bench, own: str) -> None:
    (made,) = json.loads(bench(f"{own} --runtime eager --json")[1])["records"]
    assert [name for name in made["measurements"] if name.startswith("latency")] == ["latency"]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["run", "--data-root", "/home/me/hwdb.zip"], "bench run --data-root hwdb.zip"),
        (["run", "--data-root=/home/me/hwdb.zip"], "bench run --data-root=hwdb.zip"),
        (["run", "--out", "../results/"], "bench run --out results"),
        (["run", "--data-root", "~/my data"], "bench run --data-root 'my data'"),
        (["run", "--system", "fire:gwap+paper"], "bench run --system fire:gwap+paper"),
    ],
)
def test_commands_in_records_hold_base_names(words: list[str], wanted: str) -> None:
    assert _command(words) == wanted


def test_records_state_the_command(bench: Bench, own: str, tmp_path: Path) -> None:
    command = own.replace("--data-root strokes", f"--data-root {tmp_path}/strokes")
    (made,) = json.loads(bench(f"{command} --json")[1])["records"]
    assert made["command"] == f"bench {own} --json"
    assert str(tmp_path) not in json.dumps(made)


def test_doctor_says_what_there_is(bench: Bench) -> None:
    code, out, _ = bench("doctor --json")
    checks = json.loads(out)
    assert code == int(not all(check["ok"] or check["optional"] for check in checks))
    assert {"python", "torch", "torch with torchvision", "cache folder"} <= {check["name"] for check in checks}
    code, text, _ = bench("doctor")
    assert len(text.splitlines()) == len(checks)


def test_synthesize_writes_gnt_files_and_a_sheet(bench: Bench, tmp_path: Path) -> None:
    code, out, _ = bench("data synthesize --classes 3 --writers 2 --out drawn --json")
    document = json.loads(out)
    assert code == 0
    assert (document["records"], document["classes"], document["writers"], document["synthetic"]) == (6, 3, 2, True)
    assert len(list((tmp_path / "drawn").glob("*.gnt"))) == 2
    assert (tmp_path / "drawn" / "contact-sheet.png").stat().st_size > 0


def test_profile_is_one_record_with_random_weights(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "time_apart", lambda *arguments: {"value": 1e6, "n": 10})
    code, out, _ = bench("profile lenet5 --classes 10 --json")
    made = json.loads(out)
    assert (code, made["weights"], made["dataset"], made["classes"]) == (0, "random", None, 10)
    assert made["measurements"]["params"]["value"] == 61_706  # LeCun et al., 1998, with customary simplifications
    assert made["measurements"]["latency"]["value"] == 1e6
