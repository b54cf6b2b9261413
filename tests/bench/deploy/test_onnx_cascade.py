"""A cascade as one graph: every runtime leaves where eager leaves, and answers as it does."""

from itertools import product

import numpy as np
import onnx
import pytest
import torch
from fake import tiny_cascade
from fake.tiny_cascade import HEADS, noise, sealed
from onnxruntime import InferenceSession

from bench.deploy.onnx_cascade import onnx_cascade, stage_graphs
from bench.deploy.openvino_core import core
from bench.runtimes._base import Subject, file_name, open_prepared, prepare
from datamodules._characters import Characters
from tasks.architectures import ARCHITECTURES
from tasks.early_exits.cascade import EarlyExits, cascade_of
from tasks.early_exits.policy import ExitPolicy
from tasks.normalised import Normalised
from tasks.recogniser import Recogniser, save_weights


def recogniser(exits, average):
    network = sealed()
    cascade_of(network).policy = ExitPolicy(dict.fromkeys(exits, 0.7), average, (1.5, 0.8, 1.0))
    return Recogniser(network, 1, 16)


def joined(made):
    return onnx_cascade(made, stage_graphs(made))


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino", "onnxruntime-int8"])
@pytest.mark.parametrize(("exits", "average"), [((), True), (("one",), True), (("two",), False), (HEADS[:2], True)])
def test_a_runtime_leaves_and_answers_as_eager_does(runtime, exits, average, tmp_path, monkeypatch):
    made = recogniser(exits, average)
    images = noise(24)[:, 0].numpy()
    monkeypatch.setattr(ARCHITECTURES, "load", lambda name: tiny_cascade)
    save_weights(made.network, tmp_path / "w.safetensors")
    subject = Subject(
        "tiny_cascade", 5, tmp_path / "w.safetensors", Characters.pack(images, [0] * 24), labels=tuple("abcde")
    )
    path = tmp_path / file_name(runtime)
    prepare(runtime, subject, path)
    classifier = open_prepared(runtime, path)()
    assert classifier.data_dependent_cost is bool(exits)
    first = classifier(images[0])
    kept = first.copy()
    found = np.stack([classifier(image) for image in images])
    assert found.dtype == np.float32
    wanted = np.stack([made(image) for image in images])
    if runtime.endswith("int8"):  # who is near the threshold may leave elsewhere
        assert np.mean(np.abs(found - wanted).max(1) < 0.05) > 0.8
    else:
        np.testing.assert_allclose(found, wanted, atol=1e-4)
    np.testing.assert_array_equal(first, kept)
    shown = classifier.preprocess(images[0])
    np.testing.assert_array_equal(shown, made.preprocess(images[0]).numpy())


@pytest.mark.parametrize(("exits", "average"), list(product([(), ("one",), HEADS[:2]], (False, True))))
def test_graphs_hold_the_heads_that_are_asked_alone(exits, average):
    made = recogniser(exits, average)
    graphs = [onnx.load_from_string(graph) for graph in stage_graphs(made)]
    for graph in graphs:
        onnx.checker.check_model(graph, full_check=True)
    classifiers = sum(node.op_type == "Gemm" for graph in graphs for node in graph.graph.node)
    assert classifiers == len(cascade_of(made.network).policy.asked(HEADS))
    convolutions = sum(node.op_type == "Conv" for graph in graphs for node in graph.graph.node)
    assert convolutions == 3  # no stage is in two graphs
    assert [value.name for value in graphs[-1].graph.output] == ["probabilities"]


def test_a_network_with_one_head_has_no_stages():
    plain = Recogniser(Normalised(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(256, 5))), 1, 16)
    with pytest.raises(TypeError, match="wanted a Normalised network with early exits"):
        stage_graphs(plain)


def open_onnxruntime(model):
    session = InferenceSession(model, providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {"image": images})[0]


def open_openvino(model):
    request = core().compile_model(core().read_model(model), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda images: request.create_infer_request().infer([images])[0]


@pytest.mark.parametrize(("exits", "average"), [((), True), (("two",), False), (HEADS[:2], True)])
def test_one_graph_answers_batches_as_eager_does(exits, average):
    made = recogniser(exits, average)
    images = noise(24)
    with torch.inference_mode():
        wanted, left = EarlyExits(made.network)(images)
    assert len(set(left.tolist())) == len(exits) + 1
    model = joined(made)
    for call in (open_onnxruntime(model), open_openvino(model)):
        for count in (24, 1, 5):
            np.testing.assert_allclose(call(images[:count, 0].numpy()), wanted[:count], atol=1e-4)
        alone = np.concatenate([call(image.numpy()) for image in images])
        np.testing.assert_allclose(alone, wanted, atol=1e-4)


def branches(graph):
    """The graphs of who stays."""
    inner = [one for node in graph.node if node.op_type == "If" for one in node.attribute]
    return [one.g for one in inner if one.name == "else_branch"]


def test_one_graph_computes_later_legs_only_for_those_who_stay():
    made = recogniser(HEADS[:2], False)
    images = noise(24)
    with torch.inference_mode():
        _, left = EarlyExits(made.network)(images)
    model = onnx.load_from_string(joined(made))
    (after_one,) = branches(model.graph)
    (after_two,) = branches(after_one)
    for branch in (after_one, after_two):  # what a branch computes begins with the maps of those who stay
        made_here = {output for node in branch.node for output in node.output} | {w.name for w in branch.initializer}
        from_outside = [n.op_type for n in branch.node if any(i and i not in made_here for i in n.input)]
        assert set(from_outside) <= {"Reshape", "Gather", "Transpose", "ScatterND"}
    for weights in after_two.initializer:  # whoever reaches the last head has no number for an answer
        values = onnx.numpy_helper.to_array(weights)
        if values.dtype == np.float32 and values.ndim:
            weights.CopyFrom(onnx.numpy_helper.from_array(np.full_like(values, np.nan), weights.name))
    call = open_onnxruntime(model.SerializeToString())
    answers = call(images[:, 0].numpy())
    assert np.isnan(answers).all(axis=1).tolist() == (left == 2).tolist()
