"""``bench recognize`` without a file: the recogniser of this package, and how sure it is."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from fake.exported import SYSTEM, glyph, write_checkpoint
from fake.records import record, write

from bench.cli._recognizer_text import sureness
from bench.deploy.boxed import BOXED
from bench.deploy.load import Recogniser
from datamodules.readers.gb2312 import LEVEL1

Bench = Callable[[str], tuple[int, str, str]]


@pytest.fixture
def box(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Puts a recogniser of five characters into the box that is sure from a probability on."""
    write_checkpoint(tmp_path / "w.safetensors")
    checksum = hashlib.sha256((tmp_path / "w.safetensors").read_bytes()).hexdigest()
    monkeypatch.setattr("bench.deploy.boxed.BOXED", tmp_path / "box.onnx")
    cv2.imwrite("x.png", glyph("小"))

    def put(threshold: float) -> None:
        found = record(SYSTEM, 0.95, checkpoint_sha256=checksum)
        found["measurements"]["unknown_accepted"] = {
            "version": "1", "unit": "ratio", "value": 0.125, "threshold": threshold, "coverage": 0.875, "curve": [],
        }  # fmt: skip
        write(tmp_path / "boards", found)
        export = f"export {SYSTEM} --checkpoint w.safetensors --records boards --runtime onnxruntime --out box.onnx"
        assert bench(export)[0] == 0

    return put


def test_without_a_file_the_recogniser_of_the_package_answers(bench: Bench, box: Callable[[float], None]) -> None:
    box(0.5)
    code, out, err = bench("recognize x.png --top 1")
    assert (code, err) == (0, "")
    assert "box.onnx knows 5 classes" in out
    assert out.splitlines()[-1].startswith("x.png: 小")
    assert out.splitlines()[-1].endswith(" %")
    assert bench("recognize box.onnx x.png --top 1")[1].splitlines()[-1] == out.splitlines()[-1]  # the same, named
    assert json.loads(bench("recognize x.png --json")[1])["sure_from"] == 0.5


def test_an_answer_below_the_threshold_is_unsure(bench: Bench, box: Callable[[float], None]) -> None:
    box(1.5)  # more than any probability
    code, out, err = bench("recognize x.png --top 1")
    assert (code, err) == (0, "")
    answer, meaning = out.splitlines()[-2:]
    assert answer.startswith("x.png: 小")
    assert answer.endswith(" (unsure)")
    assert meaning == (
        "unsure: below 150.0 %; in its test 87.5 % of the characters that it knows reach that, and 12.5 % of those "
        "that it does not know"
    )


def test_a_package_without_its_recogniser_says_so(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.deploy.boxed.BOXED", tmp_path / "none.onnx")
    cv2.imwrite("x.png", glyph("小"))
    code, _, err = bench("recognize x.png")
    assert code == 2
    assert "none.onnx: byte 0: wanted the recogniser of this package, got nothing there. Install the package" in err


def test_a_file_without_images_is_told(bench: Bench) -> None:
    code, _, err = bench("recognize hanzi.onnx")
    assert (code, "hanzi.onnx: wanted an image (.png, .jpg" in err) == (2, True)


@pytest.mark.skipif(not BOXED.is_file(), reason="this checkout has no recogniser in the box")
def test_the_recogniser_in_the_box_reads_all_level_1_characters() -> None:
    recognise = Recogniser(BOXED)
    assert list(recognise.labels) == list(LEVEL1)
    assert BOXED.stat().st_size <= 1_000_000
    record = json.loads((BOXED.parent / "record.json").read_text(encoding="utf-8"))
    figure = record["measurements"][f"size_bytes@{recognise.about['runtime']}"]
    assert figure["file_sha256"] == hashlib.sha256(BOXED.read_bytes()).hexdigest()  # the file that was measured
    assert sureness(recognise.about)["threshold"] == record["measurements"]["unknown_accepted"]["threshold"]
    some = LEVEL1[::40]
    answers = [recognise.labels[recognise(glyph(character, 64)).argmax()] for character in some]
    assert sum(a == b for a, b in zip(answers, some, strict=True)) > 0.8 * len(some)  # printed; by chance 0.0003
