"""The resize inside exported graphs, against the one geometric routine."""

import cv2
import numpy as np
import onnx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.deploy.onnx_resize import resize_graph
from bench.deploy.onnx_session import open_session
from bench.deploy.openvino_core import core
from datamodules._image import PAPER, fit_matrix, resample

LARGEST = 2  # grey levels; OpenCV rounds between its two passes, or works in fixed point
MEAN = 0.05  # grey levels, over many sizes; enlarged tiny images alone have more, as many of their values end in .5
SIDES = st.one_of(st.integers(1, 300), st.integers(1, 4))


def wanted(image: np.ndarray, size: int) -> np.ndarray:
    square = resample(image, fit_matrix(*image.shape[:2], size), size)
    return square[None] if square.ndim == 2 else square.transpose(2, 0, 1)


def noise(height: int, width: int, channels: int, seed: int) -> np.ndarray:
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def compiled(graph: bytes):
    return (
        core()
        .compile_model(core().read_model(graph), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        .create_infer_request()
    )


@pytest.fixture(scope="module")
def fitted():
    """A function that runs the graph in a runtime; graphs are opened once."""
    opened = {}

    def run(runtime: str, image: np.ndarray, size: int) -> np.ndarray:
        channels = 1 if image.ndim == 2 else 3
        key = runtime, channels, size
        if key not in opened:
            model = resize_graph(channels, size).SerializeToString()
            opened[key] = open_session(model) if runtime == "onnxruntime" else compiled(model)
        if runtime == "onnxruntime":
            return opened[key].run(None, {"image": image[None]})[0]
        return opened[key].infer([image[None]])[0].copy()

    return run


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
@settings(max_examples=150, deadline=None)
@given(SIDES, SIDES, st.sampled_from([32, 52, 64, 96]), st.sampled_from([1, 3]), st.integers(0, 99))
@example(1, 300, 64, 1, 0)  # rounded up to one pixel
@example(300, 1, 64, 3, 0)
@example(1, 1, 96, 1, 0)
@example(64, 64, 64, 1, 0)
@example(5, 128, 64, 1, 0)  # 2.5 pixels: halves round to even
@example(7, 128, 64, 3, 0)
@example(300, 299, 32, 1, 0)
def test_any_size_comes_out_as_from_resample(
    fitted, runtime: str, height: int, width: int, size: int, channels: int, seed: int
) -> None:
    image = noise(height, width, channels, seed)
    found = fitted(runtime, image, size)
    assert found.shape == (1, channels, size, size)
    assert found.dtype == np.uint8
    assert np.abs(found[0].astype(int) - wanted(image, size)).max() <= LARGEST


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_characters_of_usual_size_hardly_differ_at_all(fitted, runtime: str) -> None:
    images = [noise(35 + 2 * n, 95 - n, 1, n) for n in range(40)]
    means = [np.abs(fitted(runtime, image, 64)[0].astype(int) - wanted(image, 64)).mean() for image in images]
    assert np.mean(means) <= MEAN


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_the_filter_is_anti_aliased(fitted, runtime: str) -> None:
    image = np.full((64, 64), PAPER, np.uint8)
    image[:, ::8] = 0  # thin strokes that a sample at every eighth centre misses
    assert (np.abs(fitted(runtime, image, 8)[0].astype(int) - round(255 * 7 / 8)) <= 1).all()


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("shape", [(300, 7), (3, 9), (64, 64)])
def test_paper_stays_paper(fitted, runtime: str, shape: tuple[int, int]) -> None:
    assert (fitted(runtime, np.full(shape, PAPER, np.uint8), 64) == PAPER).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_the_graph_is_valid_and_says_what_it_takes(channels: int) -> None:
    graph = resize_graph(channels, 52)
    onnx.checker.check_model(graph, full_check=True)
    dims = [dim.dim_param or dim.dim_value for dim in graph.graph.input[0].type.tensor_type.shape.dim]
    assert dims == (["n", "h", "w"] if channels == 1 else ["n", "h", "w", 3])


@pytest.mark.slow
def test_every_size_up_to_300(fitted) -> None:
    cv2.setNumThreads(1)
    means = []
    for height in range(1, 301):
        for width in range(1 + height % 7, 301, 7):  # every height with every residue of widths
            image = noise(height, width, 1, height * 301 + width)
            difference = np.abs(fitted("onnxruntime", image, 64)[0].astype(int) - wanted(image, 64))
            assert difference.max() <= LARGEST, (height, width)
            means.append(difference.mean())
    assert len(means) > 12_000
    print(f"mean difference {np.mean(means):.4f}, largest mean {np.max(means):.4f}")
    assert np.mean(means) <= MEAN


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(20, 20), (61, 44), (7, 90)])
def test_several_at_once_are_what_each_is_alone(channels: int, height: int, width: int) -> None:
    size = 20
    shape = (4, height, width) if channels == 1 else (4, height, width, channels)
    images = np.random.default_rng(height).integers(0, 256, shape, dtype=np.uint8)
    session = open_session(resize_graph(channels, size).SerializeToString())
    (found,) = session.run(None, {"image": images})
    assert (found == np.concatenate([session.run(None, {"image": image[None]})[0] for image in images])).all()
    if (height, width) == (size, size):  # what is fitted already passes as it is
        assert (found == (images[:, None] if channels == 1 else images.transpose(0, 3, 1, 2))).all()
