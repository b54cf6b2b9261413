"""The file that was measured is the file that is exported; and what a file with early exits says of itself."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import pytest
import torch
from fake import tiny_cascade
from fake.house import House
from fake.records import record, write

from bench.__main__ import main
from bench.plugins import SUITES, exportable_runtimes, exported_name
from bench.records.choosing.choose import Limits, choose_from
from bench.records.choosing.selection import Request
from bench.records.deploy_commands import export_command
from bench.records.predictions import EXPORTED, row_folder
from bench.run.export import RowName, Sources, export_system
from datamodules._errors import UsageError
from tasks.early_exits.cascade import EarlyExits, cascade_of
from tasks.early_exits.policy import ExitPolicy
from tasks.recogniser import save_weights

Bench = Callable[[str], tuple[int, str, str]]


def test_a_cascade_is_exported_with_its_exits_and_says_so(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.building.ARCHITECTURES.load", lambda name: tiny_cascade)
    network = tiny_cascade.sealed(classes=5)
    cascade_of(network).policy = ExitPolicy({"one": 0.7}, average=True)
    save_weights(network, tmp_path / "w.safetensors")
    checksum = hashlib.sha256((tmp_path / "w.safetensors").read_bytes()).hexdigest()
    found = record("fire_cascade", 0.95, checkpoint_sha256=checksum)
    found["measurements"]["exit_accuracy"] = {"version": "1", "unit": "ratio", "value": 0.94}
    write(tmp_path / "boards", found)
    Path("five.txt").write_text("\n".join("abcde"))
    code, out, err = bench(
        "export fire_cascade --checkpoint w.safetensors --labels five.txt --records boards --runtime onnxruntime "
        "--out x.onnx"
    )
    assert (code, err) == (0, "")
    assert "accuracy 95.00 % on its test part" in out
    session = onnxruntime.InferenceSession("x.onnx")
    said = json.loads(session.get_modelmeta().custom_metadata_map["provenance"])
    assert said["exits"] == {"exits": {"one": 0.7}, "average": True, "temperatures": [1.0, 1.0, 1.0]}
    assert said["record"]["accuracy"]["value"] == 0.95
    images = tiny_cascade.noise(24)
    (answers,) = session.run(None, {"image": images[:, 0].numpy()})
    with torch.no_grad():
        wanted, left = EarlyExits(network)(images)
    assert {0, 2} == set(left.tolist())
    np.testing.assert_allclose(answers, wanted, atol=1e-4)


RUNTIMES = exportable_runtimes()


def exported(house: House, system: str, runtime: str, **sources: Any) -> tuple[str, bool]:
    """SHA-256 of an exported file, and whether it is said to be the measured one."""
    out = house.place / "again"
    given = Sources(row=RowName("tiny", "strokes"), leaderboards=house.place / "out", runs=house.place / "runs")
    measured, error = export_system(system, runtime, out, replace(given, **sources))
    assert error == ""
    return hashlib.sha256(out.read_bytes()).hexdigest(), measured


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_measured_file_is_exported_byte_for_byte(house: House, runtime: str) -> None:
    plain, packed = house.run("acme_tiny", "acme_tiny+u8-4", runtimes=(runtime,))
    for found in (plain, packed):
        folder = row_folder(house.place / "runs", found)
        figures = [one for name, one in found["measurements"].items() if name.endswith(f"@{runtime}")]
        (checksum,) = {one["file_sha256"] for one in figures if "error" not in one}
        size = found["measurements"][f"size_bytes@{runtime}"]["value"]
        file = folder / EXPORTED / runtime / exported_name(runtime)
        assert (len(file.read_bytes()), hashlib.sha256(file.read_bytes()).hexdigest()) == (size, checksum)
        assert exported(house, found["system"], runtime) == (checksum, True)
        if found is plain:  # packed weights hold no class names
            file.unlink()  # made again from the weights, it has the same bytes
            assert exported(house, found["system"], runtime) == (checksum, True)
            checkpoint = folder / "weights.safetensors"
            assert exported(house, found["system"], runtime, checkpoint=checkpoint) == (checksum, True)


def test_another_run_keeps_files_that_are_still_measured(house: House) -> None:
    (first,) = house.run("acme_tiny", runtimes=("onnxruntime",))
    (second,) = house.run("acme_tiny", runtimes=("onnxruntime", "openvino"))
    name = "latency@onnxruntime"
    assert second["measurements"][name] == first["measurements"][name]
    assert exported(house, "acme_tiny", "onnxruntime")[1]
    assert exported(house, "acme_tiny", "openvino")[1]


def test_figures_of_another_file_are_measured_again(house: House) -> None:
    (first,) = house.run("acme_tiny", runtimes=("onnxruntime",))
    path = house.paths()[0]
    record = json.loads(path.read_text())
    del record["measurements"]["size_bytes@onnxruntime"]
    for figure in record["measurements"].values():
        if "file_sha256" in figure:
            figure["file_sha256"] = "0" * 64
    path.write_text(json.dumps(record))
    (second,) = house.run("acme_tiny", runtimes=("onnxruntime",))
    checksums = {one["file_sha256"] for one in second["measurements"].values() if "file_sha256" in one}
    assert checksums == {first["measurements"]["size_bytes@onnxruntime"]["file_sha256"]}


def test_a_file_that_answered_otherwise_than_eager_is_not_to_be_deployed(house: House) -> None:
    house.run("acme_tiny", runtimes=("onnxruntime",))
    (path,) = house.paths()
    record = json.loads(path.read_text())
    record["measurements"]["latency@onnxruntime"].update(value=None, error="gives another class than eager")
    path.write_text(json.dumps(record))
    sources = Sources(row=RowName("tiny", "strokes"), leaderboards=house.place / "out", runs=house.place / "runs")
    found = export_system("acme_tiny", "onnxruntime", house.place / "x.onnx", sources)
    assert found == (True, "gives another class than eager")


def test_what_is_missing_is_told(house: House) -> None:
    with pytest.raises(
        UsageError, match=r"no record of it in .*; name its folder by --records, or make it: bench run --suite tiny"
    ):
        exported(house, "lenet5", "onnxruntime")
    (record,) = house.run("acme_tiny")
    with pytest.raises(UsageError, match="eager: is not shipped as a file; wanted one of onnxruntime, "):
        exported(house, "acme_tiny", "eager")
    with pytest.raises(UsageError, match=r"int8 needs characters to calibrate on.*use --calibration DIR"):
        exported(house, "acme_tiny", "onnxruntime-int8")
    images = house.strokes / "train" / "bar"
    assert exported(house, "acme_tiny", "onnxruntime-int8", calibration=images)[1] is False
    shutil.rmtree(row_folder(house.place / "runs", record))
    with pytest.raises(UsageError, match=r"the weights of its record .* are not on this machine; train it here"):
        exported(house, "acme_tiny", "onnxruntime")


def test_every_candidate_of_choose_is_made_by_its_command_and_recognises(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    records = house.run("acme_tiny", runtimes=RUNTIMES)
    (path,) = house.paths()
    for name, figure in records[0]["measurements"].items():
        if name.startswith("latency"):  # the house's clock does not state it
            figure["reference_ns"] = 1e6
    path.write_text(json.dumps(records[0]))
    monkeypatch.setattr(SUITES, "check", lambda *names: None)
    monkeypatch.chdir(house.place)
    image = np.pad(house.data.test.image(0), 24, constant_values=255)
    cv2.imwrite("image.png", image)
    choice = choose_from(Request("tiny", "strokes", leaderboards=Path("out"), runs=Path("runs")), Limits())
    assert {one["runtime"] for one in choice["table"]} == set(RUNTIMES)
    assert choice["commands"] == [export_command(records[0], choice["chosen"]["runtime"], Path("out"))]
    for one in choice["table"]:
        words = export_command(records[0], one["runtime"], Path("out")).split()
        assert main([*words[1:], "--json"]) == 0
        made = json.loads(capsys.readouterr().out)
        assert (made["sha256"], made["measured"]) == (one["file_sha256"], True)
        assert main(["recognize", made["file"], "image.png", "--json"]) == 0
        (answer,) = json.loads(capsys.readouterr().out)["images"]
        assert answer["top"][0]["label"] in house.data.labels
