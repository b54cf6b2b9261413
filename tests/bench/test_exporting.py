"""What an exported file says of itself where it holds less than the system."""

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

from tasks.recogniser import save_weights

Bench = Callable[[str], tuple[int, str, str]]


def test_a_cascade_goes_home_as_its_final_head_and_says_so(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.recogniser.ARCHITECTURES.load", lambda name: tiny_cascade)
    network = tiny_cascade.sealed(classes=5)
    save_weights(network, tmp_path / "w.safetensors")
    checksum = hashlib.sha256((tmp_path / "w.safetensors").read_bytes()).hexdigest()
    found = record("fire_cascade", 0.95, checkpoint_sha256=checksum)
    found["measurements"]["exit_accuracy"] = {"version": "1", "unit": "ratio", "value": 0.94}
    write(tmp_path / "boards", found)
    Path("five.txt").write_text("\n".join("abcde"))
    code, out, err = bench(
        "export fire_cascade --checkpoint w.safetensors --labels five.txt --records boards --format onnx --out x.onnx"
    )
    assert (code, err) == (
        0, "bench: x.onnx answers by the head last alone, without early exits: one and two are left out\n"
    )  # fmt: skip
    assert "94.00 % right on its test part" in out
    session = onnxruntime.InferenceSession("x.onnx")
    said = json.loads(session.get_modelmeta().custom_metadata_map["provenance"])
    assert said["head"] == {"exported": "last", "left_out": ["one", "two"]}
    assert said["record"]["accuracy"]["value"] == 0.94
    image = tiny_cascade.noise(1)
    (answer,) = session.run(None, {"image": image[0].numpy()})
    with torch.no_grad():
        np.testing.assert_allclose(answer[0], torch.softmax(network(image), 1)[0], atol=1e-4)
