"""The commands that make the chosen file."""

import hashlib
from pathlib import Path
from typing import Any

from fake.choices import BOARDS, HWDB, ORT, RUNS, Bench, answer, printed
from fake.records import in_runtime, record, write

from bench.records.deploy_commands import run_command


def commands(bench: Bench, flags: str = "") -> Any:
    return answer(bench, flags)["commands"]


def test_a_file_or_weights_on_this_machine_need_no_training(records: Bench) -> None:
    export = "bench export resnet:18 --runtime onnxruntime --out resnet--18.onnx"
    assert commands(records) == ["bench run --suite hccr --system resnet:18 --fresh", export]
    folder = RUNS / "hccr" / "synthetic_hwdb" / "quick" / "resnet--18-s0"
    checksum = hashlib.sha256(b"these").hexdigest()
    row = in_runtime(record("resnet:18", checkpoint_sha256=checksum), ORT, 2.0, 0.97, 44.8, file=checksum)
    write(BOARDS, row)
    for file in (folder / "weights.safetensors", folder / "exported" / ORT / "recogniser.onnx"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"those of another training")
        assert len(commands(records)) == 2
        file.write_bytes(b"these")
        assert commands(records) == [export]
        file.unlink()
    assert "not" not in printed(records).splitlines()[-1]


def test_commands_name_what_is_not_the_default(bench: Bench) -> None:
    command = "bench run --suite compression --data-root=hwdb100.zip --system a --unlabelled image_folder:kmnist"
    name, facts = "fire:gwap+c4-retrained-on-kmnist", {"suite": "compression", "dataset": HWDB, "scale": "smoke"}
    facts["checkpoint_sha256"] = hashlib.sha256(b"these").hexdigest()
    write(BOARDS, in_runtime(record(name, seed=2, command=command, **facts), "openvino-int8", 1.0, 0.9))
    flags = "--suite compression --dataset hwdb100 --scale smoke"
    slug = "fire--gwap__c4-retrained-on-kmnist"
    assert commands(bench, flags) == [
        "bench run --suite compression --dataset image_folder --data-root hwdb100.zip --scale smoke --out leaderboards "
        f"--system {name} --runtime openvino-int8 --unlabelled image_folder:kmnist --seed 2 --fresh",
        f"bench export {name} --runtime openvino-int8 --out {slug}-int8.zip {flags} --seed 2",
    ]
    folder = RUNS / "compression" / "hwdb100" / "smoke" / f"{slug}-s2"
    folder.mkdir(parents=True)
    (folder / "weights.packed").write_bytes(b"these")  # not weights.safetensors
    assert len(commands(bench, flags)) == 1


def test_weights_of_the_user_are_named_again(bench: Bench) -> None:
    write(BOARDS, in_runtime(record("resnet:18+given"), ORT, 1.0))
    assert commands(bench)[0] == "bench run --suite hccr --system resnet:18+given --weights DIR --fresh"


def test_what_changes_the_training_data_is_named_again(bench: Bench) -> None:
    data = {**record()["dataset"], "name": "hwdb100-10-per-class", "plugin": "image_folder", "synthetic": False}
    command = "bench run --data-root hwdb100.zip --per-class=10 --glyphs a --glyphs b --from w.safetensors --seed 3"
    write(BOARDS, in_runtime(record("quill+finetuned", command=command, dataset=data), ORT, 1.0))
    assert commands(bench, "--dataset hwdb100-10-per-class")[0] == (
        "bench run --suite hccr --dataset image_folder --data-root hwdb100.zip --glyphs a --glyphs b "
        "--from w.safetensors --per-class 10 --system quill+finetuned --fresh"
    )


def test_a_data_set_of_few_images_without_a_record_is_named_by_its_option() -> None:
    found = run_command("hccr", "hwdb100-10-per-class", "quick", Path("leaderboards"))
    assert found == "bench run --suite hccr --dataset image_folder --data-root hwdb100 --per-class 10"
    assert run_command("hccr", "synthetic_hwdb-5-per-class", "quick", Path("leaderboards")) == (
        "bench run --suite hccr --per-class 5"
    )
