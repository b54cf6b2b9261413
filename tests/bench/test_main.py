"""The command line as a user meets it: wrong use, lists, and verbs that train nothing."""

import errno
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake.plugins import NAMES, offer

from bench.__main__ import command_line
from bench.audit.claims import ClaimError
from bench.cli.doctor import EnvironmentUnfitError
from bench.measurements import latency, machine_limit, process_bytes
from bench.records.compare import CompareError
from bench.records.record import Measurement, RecordError
from bench.run.profile import random_row
from datamodules._errors import UsageError

Bench = Callable[[str], tuple[int, str, str]]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("run --suite hcr", "unknown suite 'hcr'. Did you mean hccr? Known: cifar"),
        ("run --suite hccr --dataset mnist", "'mnist'. Known: casia_hwdb"),
        ("run --suite hccr --system lenet6", "unknown system 'lenet6'. Did you mean lenet5? Known: alexnet"),
        ("run --suite hccr --system lenet5+heavy", "unknown recipe or storage 'heavy'. Known recipes: light, paper"),
        ("run --suite hccr --runtime tflite", "unknown runtime 'tflite'. Known: compile, eager"),
        ("run --suite hccr --scale huge", "invalid choice: 'huge'"),
        ("profile lenet6", "unknown system 'lenet6'. Did you mean lenet5?"),
        ("profile lenet5 --runtime tflite", "unknown runtime 'tflite'. Known: compile, eager"),
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


@pytest.mark.parametrize(
    "flags",
    [
        "--dry-run", "--dataset synthetic_hwdb", "--seeds 2", "--seeds 1", "--seed 0", "--seed 3", "--wandb offline",
        "--accelerator gpu", "--accelerator cpu", "--runtime eager", "--data-root x",
        "--unlabelled synthetic_hwdb",
    ],
)  # fmt: skip
def test_comparisons_refuse_what_they_cannot_use(bench: Bench, flags: str) -> None:
    code, out, err = bench(f"run --suite performance {flags}")
    assert (code, out) == (2, "")
    assert err == f"bench: suite performance compares programs; it takes no {flags.split()[0]}\n"


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("profile lenet5 --checkpoint nowhere.safetensors", "--checkpoint nowhere.safetensors: no such file; pass the"),
        ("recognize nowhere.onnx x.png", "nowhere.onnx: No such file or directory; check the name"),
        ("data synthesize --classes 4000 --writers 1 --out x", "--classes: wanted 1 to 3755 classes, got 4000"),
        ("render", "leaderboards: no folder results/ with records in it; run: bench run --suite hccr"),
        ("compare a.json b.json", "a.json: not a readable record"),
        (
            "compare lenet5 fire:gap",
            "make it: bench run --suite hccr --dataset synthetic_hwdb --scale quick --system lenet5 --seed 0",
        ),
    ],
)
def test_what_is_not_there_is_said_in_one_line(bench: Bench, command: str, says: str) -> None:
    code, out, err = bench(command)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert says in err


def test_a_folder_that_cannot_be_made_is_said_in_one_line(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    code, out, err = bench("data synthesize --classes 2 --writers 1 --out taken/drawn")
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert "taken" in err
    assert "Not a directory; fix this and run the command again" in err


@pytest.mark.parametrize(
    ("command", "where", "kept"),
    [
        ("run --suite hccr --scale smoke --json", "bench.run.plan.make_plan", "; finished rows are kept"),
        ("data synthesize --classes 2 --writers 1 --out drawn --json",
         "datamodules.synthetic.handwriting.write_synthetic_writer", ""),
    ],
)  # fmt: skip
def test_a_full_disk_is_said_in_one_line(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, command: str, where: str, kept: str
) -> None:
    def full(*arguments: object, **named: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "out/results/x.json")

    monkeypatch.setattr(where, full)
    code, out, err = bench(command)
    assert (code, out) == (2, "")
    message = f"bench: out/results/x.json: No space left on device; fix this and run the command again{kept}"
    assert err.splitlines() == [message]


@pytest.mark.parametrize("error", [ClaimError, CompareError, EnvironmentUnfitError, RecordError, UsageError])
def test_what_the_user_can_mend_is_said_without_a_traceback(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    class Special(error):  # type: ignore[misc, valid-type]
        """Some other module's, more special."""

    def checks() -> None:
        raise Special("mend this")

    monkeypatch.setattr("bench.cli.doctor.checks", checks)
    assert bench("doctor") == (2, "", "bench: mend this\n")


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


def test_datasets_are_listed_with_their_licences(bench: Bench) -> None:
    lines = {line.split()[0]: line for line in bench("list datasets")[1].splitlines()}
    assert "licence: academic research only" in lines["casia_hwdb"]
    assert "licence: drawn by this suite from the font WenQuanYi Micro Hei" in lines["synthetic_hwdb"]
    assert "licence: not stated" in lines["image_folder"]


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
        "import sys; from bench.__main__ import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'pytorch_lightning', 'albumentations', 'cv2', 'wandb', 'onnxruntime'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script, *what.split()], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = [sys.executable, "-m", "bench", "list", "claims", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()  # as head does; the list is longer than a pipe holds
    assert process.stderr.read() == b""
    assert process.wait(100) == 0
    process.stderr.close()


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["run", "--data-root", "/home/me/hwdb.zip"], "bench run --data-root hwdb.zip"),
        (["run", "--data-root=/home/me/hwdb.zip"], "bench run --data-root=hwdb.zip"),
        (["run", "--out", "../results/"], "bench run --out results"),
        (["run", "--data-root", "~/my data"], "bench run --data-root 'my data'"),
        (["run", "--unlabelled", "image_folder:/home/me/kanji"], "bench run --unlabelled image_folder:kanji"),
        (["run", "--system", "fire:gwap+paper"], "bench run --system fire:gwap+paper"),
    ],
)
def test_commands_in_records_hold_base_names(words: list[str], wanted: str) -> None:
    assert command_line(words) == wanted


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


def quick_measurements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "time_apart", lambda *arguments, **named: {"value": 1e6, "n": 10})
    monkeypatch.setattr(process_bytes, "measure_in", lambda deployment: Measurement(1e8))
    rates = {"fp32_macs_per_s": 1e11, "int8_macs_per_s": 4e11, "bytes_per_s": [[2**20, 1e10]]}
    monkeypatch.setattr(machine_limit, "peaks", lambda: rates)


def test_profile_is_one_record_with_random_weights(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    quick_measurements(monkeypatch)
    code, out, _ = bench("profile lenet5 --classes 10 --json")
    made = json.loads(out)
    assert (code, made["weights"], made["dataset"], made["classes"]) == (0, "random", None, 10)
    assert made["measurements"]["params"]["value"] == 61_706  # LeCun et al., 1998, with customary simplifications
    assert made["measurements"]["latency"]["value"] == 1e6
    assert made["measurements"]["latency"]["characters"] == 256
    assert made["inputs"].pop("fingerprint").startswith("sha256:")
    assert made["inputs"] == {"dataset": "synthetic_hwdb", "synthetic": True, "classes": 64, "val": 256}


def test_a_long_profile_takes_three_processes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    quick_measurements(monkeypatch)
    asked: list[int] = []

    def timed(*arguments: Any, launches: int, **named: Any) -> dict[str, float]:
        asked.append(launches)
        return {"value": 1e6}

    monkeypatch.setattr(latency, "time_apart", timed)
    for flag in ("", " --long"):
        assert bench(f"profile lenet5 --classes 10 --json{flag}")[0] == 0
    assert asked == [1, 3]


def test_profile_says_which_weights_it_timed(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick_measurements(monkeypatch)
    random_row("lenet5", 10, tmp_path / "trained.safetensors")
    made = json.loads(bench("profile lenet5 --classes 10 --checkpoint trained.safetensors --json")[1])
    assert made["weights"] == "trained"
    assert made["checkpoint_sha256"] == hashlib.sha256((tmp_path / "trained.safetensors").read_bytes()).hexdigest()
