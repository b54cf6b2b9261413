"""Every runtime gives eager's probabilities."""

import numpy as np
import pytest
import torch

from bench.runtimes import Subject, names, prepare
from datamodules._characters import Characters
from datamodules._plugins import UnknownPlugin
from tasks.architectures import ARCHITECTURES
from tasks.normalised import Normalised
from tasks.recogniser import save_weights

ARCHITECTURE = "mobilenet_v1"


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    torch.manual_seed(0)
    module = ARCHITECTURES.load(ARCHITECTURE)
    weights = tmp_path_factory.mktemp("weights") / "weights.safetensors"
    save_weights(Normalised(module.build("", 7, *module.INPUT), module.LAYOUT), weights)
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (40 + i, 90 - i), dtype=np.uint8) for i in range(4)]
    return Subject(ARCHITECTURE, 7, weights, Characters.pack(images, [0, 1, 2, 3]))


@pytest.mark.parametrize("runtime", names())
def test_agrees_with_eager(runtime: str, subject: Subject) -> None:
    eager, other = prepare("eager", subject)(), prepare(runtime, subject)()
    for index in range(4):
        image = subject.characters.image(index)
        found = other(image)
        assert found.dtype == np.float32
        assert found.sum() == pytest.approx(1, abs=1e-4)
        np.testing.assert_allclose(found, eager(image), atol=1e-4)


def test_answers_are_not_overwritten_by_the_next(subject: Subject) -> None:
    for runtime in names():
        classifier = prepare(runtime, subject)()
        first = classifier(subject.characters.image(0))
        kept = first.copy()
        classifier(subject.characters.image(1))
        np.testing.assert_array_equal(first, kept)


def test_an_unknown_runtime_lists_the_known_ones(subject: Subject) -> None:
    with pytest.raises(UnknownPlugin, match="onnxruntime"):
        prepare("tflite", subject)
