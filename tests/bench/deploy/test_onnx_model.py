"""The exported graph: one file from the native-size character to probabilities."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from bench.deploy.exported_file import onnx_file, openvino_file
from bench.deploy.load import FORMAT
from bench.deploy.onnx_model import onnx_model
from bench.deploy.onnx_resize import resize_graph
from bench.deploy.onnx_session import open_session
from bench.deploy.openvino_core import core
from bench.plugins import RUNTIMES
from tasks.normalised import Normalised
from tasks.recogniser import Recogniser

SIZE, CLASSES = 16, 5


def recogniser(channels: int) -> Recogniser:
    torch.manual_seed(channels)
    network = nn.Sequential(nn.Conv2d(channels, 4, 3), nn.Flatten(), nn.Linear(4 * 14 * 14, CLASSES))
    return Recogniser(Normalised(network), channels, SIZE)


@pytest.fixture(scope="module", params=[1, 3])
def exported(request: pytest.FixtureRequest) -> tuple[Recogniser, onnx.ModelProto]:
    made = recogniser(request.param)
    return made, onnx.load_from_string(onnx_model(made))


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, dtype=np.uint8)


def test_it_takes_any_size_and_gives_probabilities(exported: tuple[Recogniser, onnx.ModelProto]) -> None:
    made, model = exported
    onnx.checker.check_model(model, full_check=True)
    assert [value.name for value in model.graph.input] == ["image"]
    assert [value.name for value in model.graph.output] == ["probabilities"]
    dims = [dim.dim_param or dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    assert dims == (["n", "h", "w"] if made.channels == 1 else ["n", "h", "w", 3])


def test_the_file_alone_answers_as_eager_does(exported: tuple[Recogniser, onnx.ModelProto]) -> None:
    made, model = exported
    session = open_session(model.SerializeToString())
    for height, width in [(16, 16), (3, 40), (90, 71), (1, 1), (200, 8)]:
        image = noise(height, width) if made.channels == 1 else noise(height, width, 3)
        (found,) = session.run(None, {"image": image[None]})
        assert found.shape == (1, CLASSES)
        np.testing.assert_allclose(found[0], made(image), atol=5e-3)  # a grey level more or less here and there


@pytest.mark.parametrize("channels", [1, 3])
def test_a_batch_answers_as_each_alone(channels: int) -> None:
    made = recogniser(channels)
    images = noise(3, 30, 21) if channels == 1 else noise(3, 30, 21, 3)
    (found,) = open_session(onnx_model(made)).run(None, {"image": images})
    np.testing.assert_allclose(found, [made(image) for image in images], atol=5e-3)


class ForOneAlone(nn.Module):
    """Cannot be traced for a free number of images."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.stack([image.flatten()[:CLASSES].float() for image in images.unbind()])


def test_a_network_that_takes_no_batches_says_so() -> None:
    model = onnx.load_from_string(onnx_model(Recogniser(ForOneAlone(), 1, SIZE)))
    dims = [dim.dim_param or dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    assert dims == [1, "h", "w"]
    (found,) = open_session(model.SerializeToString()).run(None, {"image": noise(1, 30, 21)})
    assert found.shape == (1, CLASSES)


def test_the_graph_tells_nothing_of_the_machine(exported: tuple[Recogniser, onnx.ModelProto]) -> None:
    made, model = exported
    assert b".py" not in model.SerializeToString()
    assert onnx_model(made) == model.SerializeToString()


@pytest.mark.parametrize(("runtime", "channels"), [("onnxruntime", 3), ("openvino", 1)])
def test_runtimes_take_grey_and_colour_as_the_recogniser_does(runtime: str, channels: int, tmp_path: Path) -> None:
    made, path = recogniser(channels), tmp_path / "file"
    about = {
        "format": FORMAT, "system": "x", "dataset": "", "synthetic": "null", "labels": '["a", "b", "c", "d", "e"]',
        "channels": str(channels), "size": str(SIZE), "provenance": '{"record": null}',
    }  # fmt: skip
    path.write_bytes((onnx_file if runtime == "onnxruntime" else openvino_file)(onnx_model(made), about))
    other = RUNTIMES.load(runtime).load(path)
    for image in (noise(30, 21), noise(30, 21, 3)):
        np.testing.assert_allclose(other(image), made(image), atol=5e-3)
        difference = other.preprocess(image).astype(int) - made.preprocess(image).numpy()
        assert np.abs(difference).max() <= 2


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGCHLD")
def test_signals_still_arrive_after_openvino_recognisers_have_gone() -> None:
    graph = resize_graph(1, SIZE).SerializeToString()  # a small stand-in; the signal stack does not care
    first, second = (core().compile_model(core().read_model(graph), "CPU") for _ in range(2))
    del first
    del second
    arrived = []
    before = signal.signal(signal.SIGCHLD, lambda *_: arrived.append(True))
    try:
        subprocess.run([sys.executable, "-c", ""], check=True)
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert arrived
