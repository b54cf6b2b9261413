from pathlib import Path

import numpy as np
import pytest
from fake.rows import characters

from bench import runtimes
from bench.runtimes import Subject
from datamodules._plugins import Registry, UnknownPlugin
from tasks.architectures import ARCHITECTURES
from tasks.normalised import Normalised
from tasks.recogniser import Recogniser, save_weights


def test_eager_is_the_recogniser_itself(tmp_path: Path) -> None:
    lenet = ARCHITECTURES.load("lenet5")
    network = Normalised(lenet.build("", 10, *lenet.INPUT), lenet.LAYOUT)
    save_weights(network, tmp_path / "w.safetensors")
    found = runtimes.prepare("eager", Subject("lenet5", 10, tmp_path / "w.safetensors", characters(1)))()
    image = characters(1).image(0)
    np.testing.assert_array_equal(found(image), Recogniser(network, *lenet.INPUT)(image))


def test_forms_are_runtimes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes, "_FILES", Registry("fake.runtimes"))
    subject = Subject("a", 1, Path("w"), characters(1))
    assert runtimes.names() == ["echo", "echo-int8"]
    assert runtimes.prepare("echo", subject) == (subject, "")
    assert runtimes.prepare("echo-int8", subject) == (subject, "int8")


def test_unknown_runtime_lists_the_known() -> None:
    with pytest.raises(UnknownPlugin, match=r"unknown runtime 'eagre'. Known: .*eager"):
        runtimes.prepare("eagre", Subject("a", 1, Path("w"), characters(1)))
