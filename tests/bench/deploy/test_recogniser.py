"""Exported files as a function from Python: images of any size in, probabilities out, and no torch."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fake.exported import CHARACTERS, FORMS, SYSTEM, export_both, glyph, write_checkpoint
from numpy.typing import NDArray

from bench.deploy import load
from bench.deploy.load import ExportedRecogniser, Recogniser
from datamodules._image import fit_matrix, resample


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    export_both(write_checkpoint(folder / "weights.safetensors"), folder, folder)
    return folder


def squares(side: int) -> NDArray[np.uint8]:
    """Every glyph as large as fits on a blank square."""
    images = [glyph(character) for character in CHARACTERS]
    return np.stack([resample(image, fit_matrix(*image.shape, side), side) for image in images])


@pytest.mark.parametrize("file", FORMS.values())
def test_one_image_and_many_have_the_same_probabilities(
    exports: Path, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "_AT_ONCE", 2)  # so that the glyphs need three calls
    recogniser = Recogniser(exports / file)
    assert (recogniser.labels, recogniser.channels) == (CHARACTERS, 1)
    assert (recogniser.size, recogniser.about["system"]) == (64, SYSTEM)
    for side in (50, 130):
        images = squares(side)
        together = recogniser(images)
        assert (together.shape, together.dtype) == ((5, 5), np.float32)
        np.testing.assert_allclose(together.sum(1), 1, atol=1e-5)
        assert [CHARACTERS[best] for best in together.argmax(1)] == list(CHARACTERS)
        for image, row in zip(images, together, strict=True):
            one = recogniser(image)
            assert one.shape == (5,)
            np.testing.assert_allclose(one, row, atol=1e-5)
    assert recogniser(glyph("三", 77)).argmax() == CHARACTERS.index("三")  # not square
    assert recogniser(images[:0]).shape == (0, 5)
    np.testing.assert_array_equal(recogniser(images[:, ::-1]), recogniser(images[:, ::-1].copy()))


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((9, 9), np.float32), np.zeros(9, np.uint8), np.zeros((9, 9, 3), np.uint8),
        np.zeros((2, 9, 9, 3), np.uint8), np.zeros((2, 0, 9), np.uint8), [[0, 255]],
    ],
)  # fmt: skip
def test_other_arrays_are_refused(exports: Path, images: NDArray[np.uint8]) -> None:
    array = np.asarray(images)
    says = f"nearest_mean takes grey images, uint8 (h, w) or (n, h, w), got {array.dtype} {array.shape}"
    with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
        Recogniser(str(exports / FORMS["onnxruntime"]))(images)


@pytest.mark.parametrize("several", [False, True])
def test_colour_networks_take_rgb(monkeypatch: pytest.MonkeyPatch, several: bool) -> None:
    def classify(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert several or len(images) == 1
        return images.mean((1, 2), dtype=np.float32) / 255

    exported = ExportedRecogniser(classify, ("r", "g", "b"), 3, 32, several, "onnxruntime", {"system": "hues"})
    monkeypatch.setattr(load, "open_exported", lambda path, batch: exported)
    recogniser = Recogniser("x.onnx")
    image = np.full((4, 5, 3), (255, 51, 0), np.uint8)
    np.testing.assert_allclose(recogniser(image), [1, 0.2, 0], atol=1e-6)
    np.testing.assert_allclose(recogniser(np.stack([image, 255 - image])), [[1, 0.2, 0], [0, 0.8, 1]], atol=1e-6)
    for wrong in (image[..., 0], np.zeros((3, 4, 5), np.uint8)):
        with pytest.raises(ValueError, match=r"^hues takes RGB images, uint8 \(h, w, 3\) or \(n, h, w, 3\), got uint8"):
            recogniser(wrong)


def test_it_needs_no_torch(exports: Path) -> None:
    script = (
        "import sys, numpy; sys.modules['torch'] = sys.modules['onnx'] = None\n"
        "from bench.deploy.load import Recogniser\n"
        "print(Recogniser('exported.onnx')(numpy.full((90, 70), 255, numpy.uint8)).shape)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=exports, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout) == (0, "(5,)\n"), done.stderr
