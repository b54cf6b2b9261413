"""Int8 graphs: one file for all runtimes, with the resize left alone."""

import numpy as np
import onnx
import pytest
import torch
from fake.tiny_cascade import HEADS, sealed
from fake.tiny_cascade import noise as shown
from torch import nn

from bench.deploy.int8 import CALIBRATED_ON, quantised, quantised_stages
from bench.deploy.onnx_cascade import onnx_cascade, stage_graphs
from bench.deploy.onnx_model import onnx_model
from bench.deploy.onnx_session import open_session
from bench.deploy.openvino_core import core
from tasks.early_exits.cascade import cascade_of
from tasks.early_exits.policy import ExitPolicy
from tasks.normalised import Normalised
from tasks.recogniser import Recogniser

SIZE, CLASSES = 16, 5


def noise(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (12 + i % 9, 20), dtype=np.uint8) for i in range(count)]


@pytest.fixture(scope="module")
def model() -> bytes:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(8 * 7 * 7, CLASSES),
    )  # fmt: skip
    network[1].running_mean.fill_(0.3)
    with torch.no_grad():
        network[-1].weight *= 20  # probabilities far apart, so that a wrong one would be seen
    return onnx_model(Recogniser(Normalised(network), 1, SIZE))


@pytest.fixture(scope="module")
def int8(model: bytes) -> bytes:
    return quantised(model, noise(20)).model


def test_layers_compute_in_int8_and_the_resize_does_not(int8: bytes) -> None:
    graph = onnx.load_from_string(int8).graph
    made_by = {output: node for node in graph.node for output in node.output}
    for node in graph.node:
        if node.op_type in ("Conv", "Gemm", "MatMul"):
            inputs = {made_by[name].op_type for name in node.input[:2] if name in made_by}
            resize = any(name.startswith("fit/") for name in node.input)
            assert ("DequantizeLinear" in inputs) is not resize
    weights = [
        np.asarray(onnx.numpy_helper.to_array(t)) for t in graph.initializer if t.data_type == onnx.TensorProto.INT8
    ]
    assert {array.size for array in weights} >= {8 * 9, 8 * 7 * 7 * CLASSES}
    # Products with unsigned activations in pairs, 2 · 255 · 64, fit into 16 bits.
    assert max(np.abs(array.astype(int)).max() for array in weights) == 64
    assert "BatchNormalization" not in {node.op_type for node in graph.node}  # folded before


def test_both_runtimes_answer_nearly_as_fp32_does(model: bytes, int8: bytes) -> None:
    wanted, found = open_session(model), open_session(int8)
    request = core().compile_model(core().read_model(int8), "CPU").create_infer_request()
    spread = []
    for image in noise(30):
        (probabilities,) = wanted.run(None, {"image": image[None]})
        spread.append(probabilities)
        np.testing.assert_allclose(found.run(None, {"image": image[None]})[0], probabilities, atol=0.1)
        np.testing.assert_allclose(request.infer([image[None]])[0], probabilities, atol=0.1)
    assert np.ptp(spread, axis=0).max() > 0.3  # they do differ between characters


def test_weights_have_a_scale_for_each_channel(int8: bytes) -> None:
    scales = {t.name: t.dims for t in onnx.load_from_string(int8).graph.initializer if t.name.endswith("weight_scale")}
    assert sorted(list(dims) for dims in scales.values()) == [[CLASSES], [8]]


def test_the_same_characters_give_the_same_file(model: bytes, int8: bytes) -> None:
    assert quantised(model, noise(20)).model == int8


def test_others_are_left_out_evenly(model: bytes) -> None:
    many = noise(2 * CALIBRATED_ON - 1)  # every second one is taken
    blank = np.full((12, 12), 255, np.uint8)
    assert quantised(model, many) == quantised(model, [c for m in many[::2] for c in (m, blank)][:-1])


def uneven(scale: float) -> bytes:
    """Two convolutions; a map between them is ``scale`` times as large as those that carry the answer."""
    torch.manual_seed(0)
    first, second = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3)
    with torch.no_grad():
        first.weight[0] = scale * first.weight[0].abs()
        second.weight[:, 0] = 0.0
    network = nn.Sequential(
        first, nn.ReLU(), second, nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 3)
    )
    with torch.no_grad():
        network[-1].weight *= 20
    return onnx_model(Recogniser(Normalised(network), 1, SIZE))


def in_fp32(model: bytes) -> int:
    """How many convolutions of the network take what no DequantizeLinear made."""
    graph = onnx.load_from_string(model).graph
    made_by = {output: node.op_type for node in graph.node for output in node.output}
    taken = [{made_by.get(name) for name in node.input[:2]} for node in graph.node if node.op_type == "Conv"]
    return sum("DequantizeLinear" not in inputs for inputs in taken)


def test_first_convolutions_stay_in_fp32_where_int8_changes_the_answers() -> None:
    even, odd = uneven(1.0), uneven(500.0)
    assert in_fp32(quantised(even, noise(20)).model) == in_fp32(even) - 2
    made, kept = quantised(odd, noise(20))
    assert kept == 2
    assert in_fp32(quantised(even, noise(20), 1).model) == in_fp32(even) - 1  # as told
    assert in_fp32(made) == in_fp32(odd)  # both: the maps between them do not fit into eight bits
    wanted, found = open_session(odd), open_session(made)
    for image in noise(30):
        (probabilities,) = wanted.run(None, {"image": image[None]})
        np.testing.assert_allclose(found.run(None, {"image": image[None]})[0], probabilities, atol=0.02)


def test_no_characters_are_refused(model: bytes) -> None:
    with pytest.raises(ValueError, match="wanted characters to calibrate int8 on, got none"):
        quantised(model, [])


def test_legs_are_calibrated_on_what_the_legs_before_leave() -> None:
    network = sealed()
    cascade_of(network).policy = ExitPolicy(dict.fromkeys(HEADS[:2], 1.0), True)  # everyone stays to the end
    made = Recogniser(network, 1, 16)
    images = list(shown(24)[:, 0].numpy())
    stages = quantised_stages(stage_graphs(made), images)
    assert all(b"QuantizeLinear" in stage.model for stage in stages)
    graph = onnx_cascade(made, [stage.model for stage in stages])
    request = core().compile_model(core().read_model(graph), "CPU").create_infer_request()
    for image in images:
        for found in (open_session(graph).run(None, {"image": image[None]})[0], request.infer([image[None]])[0]):
            np.testing.assert_allclose(found[0], made(image), atol=0.05)


def test_legs_need_characters_too() -> None:
    with pytest.raises(ValueError, match="wanted characters to calibrate int8 on, got none"):
        quantised_stages([], [])
