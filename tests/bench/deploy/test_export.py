"""What an exported file with early exits says of itself and answers."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from fake import tiny_cascade
from fake.records import record, write

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
        "export fire_cascade --checkpoint w.safetensors --labels five.txt --records boards --format onnx --out x.onnx"
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
