"""Every runtime gives eager's probabilities, and forms are runtimes too."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from fake.rows import characters

from bench import plugins
from bench.deploy.load import MissingRuntimeError
from bench.runtimes import _base
from bench.runtimes._base import Loader, Subject, file_name, make_loader, open_prepared, prepare
from datamodules._characters import Characters
from datamodules._plugins import Registry, UnknownPlugin
from tasks.architectures import ARCHITECTURES
from tasks.normalised import Normalised
from tasks.recogniser import Recogniser, save_weights

ARCHITECTURE = "lenet5"
# Compiling takes from ten seconds to minutes, by the load of the machine.
RUNTIMES = [pytest.param(name, marks=pytest.mark.slow) if name == "compile" else name for name in plugins.runtimes()]


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    torch.manual_seed(0)
    module = ARCHITECTURES.load(ARCHITECTURE)
    weights = tmp_path_factory.mktemp("weights") / "weights.safetensors"
    save_weights(Normalised(module.build("", 7, *module.INPUT), module.LAYOUT), weights)
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (40 + i, 90 - i), dtype=np.uint8) for i in range(4)]
    return Subject(ARCHITECTURE, 7, weights, Characters.pack(images, [0, 1, 2, 3]), labels=tuple("abcdefg"))


def loader(runtime: str, subject: Subject, folder: Path) -> Loader:
    path = folder / file_name(runtime)
    prepare(runtime, subject, path)
    return open_prepared(runtime, path)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_agrees_with_eager(runtime: str, subject: Subject, tmp_path: Path) -> None:
    eager, other = loader("eager", subject, tmp_path)(), loader(runtime, subject, tmp_path)()
    for index in range(4):
        image = subject.characters.image(index)
        found = other(image)
        assert found.dtype == np.float32
        assert found.sum() == pytest.approx(1, abs=1e-4)
        np.testing.assert_allclose(found, eager(image), atol=5e-3 if runtime.endswith("int8") else 1e-4)
        kept = found.copy()
        other(subject.characters.image((index + 1) % 4))
        np.testing.assert_array_equal(found, kept)  # the next answer does not overwrite it


def test_graphs_do_not_depend_on_the_layout_of_the_weights(tmp_path: Path) -> None:
    module = ARCHITECTURES.load("squeezenet")
    assert module.LAYOUT == "channels_last"
    torch.manual_seed(0)
    network = module.build("", 7, *module.INPUT)
    save_weights(Normalised(network, module.LAYOUT), tmp_path / "weights.safetensors")
    subject = Subject("squeezenet", 7, tmp_path / "weights.safetensors", characters(1))
    exported = onnx.load_from_string(plugins.RUNTIMES.load("onnxruntime").export(subject, ""))
    # In channels_last the pooled maps keep their strides by a Gather, which OpenVINO misreads in int8.
    assert "Gather" not in {node.op_type for node in exported.graph.node}


@pytest.mark.parametrize("architecture", ["mobilenet_v2", "fire_cascade"])
def test_each_eager_recogniser_has_weights_of_its_own_in_its_layout(architecture: str, tmp_path: Path) -> None:
    module = ARCHITECTURES.load(architecture)
    save_weights(Normalised(module.build("", 7, *module.INPUT), module.LAYOUT), tmp_path / "weights.safetensors")
    load = loader("eager", Subject(architecture, 7, tmp_path / "weights.safetensors", characters(1)), tmp_path)
    first, second = load(), load()
    image = characters(1).image(0)
    np.testing.assert_array_equal(first(image), second(image))
    pairs = list(zip(first.network.parameters(), second.network.parameters(), strict=True))
    assert all(a.data_ptr() != b.data_ptr() and a.stride() == b.stride() for a, b in pairs)
    with torch.no_grad():
        for a, _ in pairs:
            if a.shape == (7,):  # of a last layer
                a.add_(torch.arange(7.0))
    assert not np.array_equal(first(image), second(image))  # a call uses its own weights


def test_what_a_runtime_made_works_in_another_process_without_torch(subject: Subject, tmp_path: Path) -> None:
    prepare("onnxruntime-int8", subject, tmp_path / "recogniser.onnx")
    np.save(tmp_path / "image.npy", subject.characters.image(2))
    script = (
        "import sys, pathlib, numpy as np; from bench.runtimes._base import open_prepared\n"
        "classifier = open_prepared('onnxruntime-int8', pathlib.Path(sys.argv[1]))()\n"
        "assert 'torch' not in sys.modules\n"
        "print(classifier(np.load(sys.argv[2])).argmax())"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "recogniser.onnx"), str(tmp_path / "image.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert int(done.stdout) == loader("eager", subject, tmp_path)()(subject.characters.image(2)).argmax()


def test_a_machine_without_compiler_is_told_what_to_install(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(RuntimeError, match="no no-such-compiler: install it, or set CXX"):
        prepare("compile", subject, Path("loader.pickle"))


@pytest.mark.parametrize(("runtime", "wanted"), [
    ("openvino-int8", r"openvino is not installed: pip install 'hccr-bench\[openvino\]'"),
    ("onnxruntime", "onnxruntime is not installed: pip install onnxruntime"),
])  # fmt: skip
def test_a_missing_runtime_is_told(
    subject: Subject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, runtime: str, wanted: str
) -> None:
    monkeypatch.setitem(sys.modules, runtime.partition("-")[0], None)
    with pytest.raises((ModuleNotFoundError, MissingRuntimeError), match=wanted):
        loader(runtime, subject, tmp_path)()


def test_eager_is_the_recogniser_itself(tmp_path: Path) -> None:
    lenet = ARCHITECTURES.load("lenet5")
    network = Normalised(lenet.build("", 10, *lenet.INPUT), lenet.LAYOUT)
    save_weights(network, tmp_path / "w.safetensors")
    found = loader("eager", Subject("lenet5", 10, tmp_path / "w.safetensors", characters(1)), tmp_path)()
    image = characters(1).image(0)
    np.testing.assert_array_equal(found(image), Recogniser(network, *lenet.INPUT)(image))


def test_forms_are_runtimes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (plugins, _base):
        monkeypatch.setattr(module, "RUNTIMES", Registry("fake.runtimes"))
    subject = Subject("a", 1, Path("w"), characters(1))
    assert plugins.runtimes() == ["echo", "echo-int8"]
    assert make_loader("echo", subject) == (subject, "")
    assert make_loader("echo-int8", subject) == (subject, "int8")


def test_an_unknown_runtime_lists_the_known_ones(subject: Subject) -> None:
    with pytest.raises(UnknownPlugin, match=r"unknown runtime 'tflite'. Known: .*onnxruntime"):
        file_name("tflite")
