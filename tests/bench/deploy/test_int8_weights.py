"""Weights stored as int8: a quarter of the size, nearly the same answers, on every CPU."""

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import nn

from bench.deploy.int8_weights import quantised_weights, with_int8_weights
from bench.deploy.onnx_model import onnx_model
from bench.deploy.onnx_session import open_session
from bench.deploy.openvino_core import core
from tasks.normalised import Normalised
from tasks.recogniser import Recogniser

SIZE, CLASSES = 16, 300


@pytest.fixture(scope="module")
def model() -> bytes:
    torch.manual_seed(0)
    layers = (nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.AdaptiveAvgPool2d(2), nn.Flatten())
    network = nn.Sequential(*layers, nn.Linear(64, CLASSES))
    with torch.no_grad():
        network[-1].weight *= 20
    return onnx_model(Recogniser(Normalised(network), 1, SIZE))


@pytest.fixture(scope="module")
def w8(model: bytes) -> bytes:
    return with_int8_weights(model)


def images(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, 20, 18), dtype=np.uint8)


def test_each_channel_has_its_own_scale() -> None:
    integers, scales = quantised_weights(np.float32([[127, -63.5, 0.4], [0, 0, 0], [2.54, 0.02, -1.0]]), 0)
    assert integers.tolist() == [[127, -64, 0], [0, 0, 0], [127, 1, -50]]  # halves to even
    assert scales.ravel() == pytest.approx([1, 1, 0.02])
    assert quantised_weights(np.float32([[1, 0], [0, 2]]), 1)[1].tolist() == [
        [np.float32(1 / 127), np.float32(2 / 127)]
    ]


def test_large_weights_are_int8_and_small_ones_stay(model: bytes, w8: bytes) -> None:
    kinds = {tensor.name: tensor.data_type for tensor in onnx.load_from_string(w8).graph.initializer}
    sizes = [len(numpy_helper.to_array(t).ravel()) for t in onnx.load_from_string(w8).graph.initializer
             if t.data_type == onnx.TensorProto.INT8]  # fmt: skip
    assert sorted(sizes) == [16 * 16 * 9, 64 * CLASSES]  # not the first convolution of 144 weights
    assert onnx.TensorProto.FLOAT in kinds.values()
    assert len(w8) < 0.45 * len(model)


def test_the_answers_are_those_of_the_rounded_weights(model: bytes, w8: bytes) -> None:
    rounded = onnx.load_from_string(model)
    for tensor in rounded.graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if weights.ndim > 1 and weights.size > 1_024 and weights.dtype == np.float32:
            integers, scales = quantised_weights(weights, 0)
            tensor.CopyFrom(numpy_helper.from_array(integers * scales, tensor.name))
    seen = {"image": images(5)}
    found = open_session(w8).run(None, seen)[0]
    np.testing.assert_allclose(found, open_session(rounded.SerializeToString()).run(None, seen)[0], atol=1e-6)
    fp32 = open_session(model).run(None, seen)[0]
    assert (found.argmax(1) == fp32.argmax(1)).all()
    assert 0 < np.abs(found - fp32).max() < 0.05


def test_openvino_answers_alike(w8: bytes) -> None:
    seen = images(3)
    compiled = core().compile_model(core().read_model(w8), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    np.testing.assert_allclose(compiled([seen])[0], open_session(w8).run(None, {"image": seen})[0], atol=1e-4)


def test_the_same_graph_gives_the_same_bytes(model: bytes, w8: bytes) -> None:
    assert with_int8_weights(model) == w8
