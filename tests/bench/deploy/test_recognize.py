"""What recognisers of colour photographs take: everything but a blank image."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bench.deploy.load import ExportedRecogniser
from bench.deploy.recognize import recognize_batches, recognize_each


def constant(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.tile(np.array([0.25, 0.75], np.float32), (len(images), 1))


COLOUR = ExportedRecogniser(constant, ("cat", "dog"), 3, 32, True, "onnxruntime", {})


@pytest.mark.parametrize("batch", [False, True])
def test_colour_networks_refuse_only_blank_images(tmp_path: Path, batch: bool) -> None:
    noise = np.random.default_rng(0)
    stripes = np.tile(np.repeat(np.array([[0, 0, 255], [0, 255, 0]], np.uint8), 4, 0), (40, 10, 1))
    images = {
        "white.png": np.full((40, 40), 255, np.uint8),
        "one colour.png": np.full((40, 40, 3), (20, 90, 200), np.uint8),
        "one colour.jpg": (np.full((40, 40, 3), (20, 90, 200)) + noise.integers(-2, 3, (40, 40, 3))).astype(np.uint8),
        "page.png": stripes,  # many parts, as no character has; of photographs nothing is asked
        "grey.png": noise.integers(0, 255, (40, 40), np.uint8),
    }
    for name, image in images.items():
        cv2.imwrite(str(tmp_path / name), image)
    files = [tmp_path / name for name in images]
    found = recognize_batches(COLOUR, files, 1, 2) if batch else recognize_each(COLOUR, files, 1)
    answers = list(found)
    for answer in answers[:3]:
        assert answer.error.startswith(f"{answer.image}: byte 0: wanted a picture of something, got a blank image")
    assert [answer.top for answer in answers[3:]] == [(("dog", 0.75),)] * 2
