"""Every runtime gives eager's probabilities, and forms are runtimes too."""

from pathlib import Path

import numpy as np
import pytest
import torch
from fake.rows import characters

from bench import runtimes
from bench.runtimes import Subject, names, prepare
from datamodules._characters import Characters
from datamodules._plugins import Registry, UnknownPlugin
from tasks.architectures import ARCHITECTURES
from tasks.normalised import Normalised
from tasks.recogniser import Recogniser, save_weights

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


def test_eager_is_the_recogniser_itself(tmp_path: Path) -> None:
    lenet = ARCHITECTURES.load("lenet5")
    network = Normalised(lenet.build("", 10, *lenet.INPUT), lenet.LAYOUT)
    save_weights(network, tmp_path / "w.safetensors")
    found = prepare("eager", Subject("lenet5", 10, tmp_path / "w.safetensors", characters(1)))()
    image = characters(1).image(0)
    np.testing.assert_array_equal(found(image), Recogniser(network, *lenet.INPUT)(image))


def test_forms_are_runtimes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes, "RUNTIMES", Registry("fake.runtimes"))
    subject = Subject("a", 1, Path("w"), characters(1))
    assert names() == ["echo", "echo-int8"]
    assert prepare("echo", subject) == (subject, "")
    assert prepare("echo-int8", subject) == (subject, "int8")


def test_an_unknown_runtime_lists_the_known_ones(subject: Subject) -> None:
    with pytest.raises(UnknownPlugin, match=r"unknown runtime 'tflite'. Known: .*onnxruntime"):
        prepare("tflite", subject)
