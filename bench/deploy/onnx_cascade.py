"""Exports a cascade to ONNX: a single graph that runs later stages for remaining characters only."""

from collections.abc import Callable, Sequence

import numpy as np
import onnx
import onnx.compose
import torch
from onnx import GraphProto, ModelProto, NodeProto, TensorProto
from onnx.helper import make_graph, make_node, make_tensor_value_info
from torch import Tensor, nn

from bench.deploy.onnx_model import add_resize, batch_size, traced
from tasks.early_exits.cascade import ExitStage, exit_stages
from tasks.recogniser import Recogniser


def stage_graphs(recogniser: Recogniser) -> list[bytes]:
    """A graph for each exit stage of a recogniser with early exits, in eval mode, by its policy.

    The first takes ``image`` as ``onnx_model`` does; later ones ``before_maps``, the ``maps`` of the stage before, and,
    if they average, ``before``, its probabilities. The outputs are ``maps``, except for the last stage, and
    ``probabilities``.

    Raises:
        TypeError: a network without early exits.
        ExportError: the network cannot be expressed in ONNX.
    """
    stages = exit_stages(recogniser.network)
    graphs = _traced(recogniser, stages, 2)
    if any(batch_size(graph) for graph in graphs):
        graphs = _traced(recogniser, stages, 1)
    graphs[0] = add_resize(graphs[0], recogniser)
    return [bytes(graph.SerializeToString()) for graph in graphs]


def onnx_cascade(recogniser: Recogniser, graphs: Sequence[bytes]) -> bytes:
    """Join the stages of ``stage_graphs`` to one graph with the input and output of ``onnx_model``.

    Each character leaves at the exit that the policy chooses. The stages after an exit are a branch of an ``If``, which
    runs if any character remains, and computes the remaining characters only.
    """
    stages = exit_stages(recogniser.network)
    named = [
        onnx.compose.add_prefix(onnx.load_from_string(graph), f"{stage.name}/", rename_inputs=number > 0)
        for number, (graph, stage) in enumerate(zip(graphs, stages, strict=True))
    ]
    whole = named[0]
    whole.graph.node.extend(_after(named, stages, 0))
    del whole.graph.output[:]
    whole.graph.output.append(_answer("probabilities", "n", "classes"))
    return bytes(whole.SerializeToString())


def _after(graphs: Sequence[ModelProto], stages: Sequence[ExitStage], number: int) -> list[NodeProto]:
    """Nodes that compute the answer of a stage from its outputs, and from the later stages for remaining characters."""
    stage = stages[number]
    answer = "probabilities" if number == 0 else f"{stage.name}/answer"
    probabilities = f"{stage.name}/probabilities"
    if stage.threshold is None:
        return [make_node("Identity", [probabilities], [answer])]
    name = f"{stage.name}/exit/{{}}".format
    leave = make_node("Identity", [probabilities], [name("left")])
    then = make_graph([leave], name("leaves"), [], [_answer(name("left"))])
    other = _branch(graphs, stages, number, name)
    return [
        _constant(name("threshold"), np.float32(stage.threshold)),
        _constant(name("classes"), np.array([1])),
        _constant(name("none"), np.array(0)),
        make_node("ReduceMax", [probabilities, name("classes")], [name("top")], keepdims=0),
        make_node("Less", [name("top"), name("threshold")], [name("unsure")]),
        make_node("NonZero", [name("unsure")], [name("places")]),
        make_node("Size", [name("places")], [name("count")]),
        make_node("Equal", [name("count"), name("none")], [name("all_leave")]),
        make_node("If", [name("all_leave")], [answer], then_branch=then, else_branch=other),
    ]


def _branch(
    graphs: Sequence[ModelProto], stages: Sequence[ExitStage], number: int, name: Callable[[str], str]
) -> GraphProto:
    """The stages after an exit, for remaining characters; their answers replace those of the exit."""
    stage, following = stages[number], stages[number + 1]
    graph = graphs[number + 1].graph
    rows, answer = name("rows"), f"{following.name}/answer"
    nodes = [
        _constant(name("flat"), np.array([-1])),
        make_node("Reshape", [name("places"), name("flat")], [rows]),
        *(
            make_node("Gather", [f"{stage.name}/{output}", rows], [one.name], axis=0)
            for output, one in zip(("maps", "probabilities"), graph.input, strict=False)
        ),
        *graph.node,
        *_after(graphs, stages, number + 1),
        make_node("Transpose", [name("places")], [name("indices")], perm=[1, 0]),
        make_node("ScatterND", [f"{stage.name}/probabilities", name("indices"), answer], [name("joined")]),
    ]
    return make_graph(nodes, name("stays"), [], [_answer(name("joined"))], initializer=graph.initializer)


def _constant(name: str, value: np.generic | np.ndarray) -> NodeProto:
    return make_node("Constant", [], [name], value=onnx.numpy_helper.from_array(np.asarray(value)))


def _answer(name: str, *sides: str) -> onnx.ValueInfoProto:
    """Probabilities; dimensions in branches have no names, because a branch has fewer rows than the graph."""
    return make_tensor_value_info(name, TensorProto.FLOAT, sides or [None, None])


def _traced(recogniser: Recogniser, stages: Sequence[ExitStage], count: int) -> list[ModelProto]:
    """The stages as graphs, for one character, or for any number of them if ``count`` is larger than 1.

    Inputs are ``images``, or ``before_maps`` and, if the stage takes it, ``before``; outputs are ``maps``, except for
    the last stage, and ``probabilities``.
    """
    maps = torch.full((count, recogniser.channels, recogniser.size, recogniser.size), 255, dtype=torch.uint8)
    before = torch.empty(0)
    graphs: list[ModelProto] = []
    for stage in stages:
        last = stage.threshold is None
        examples = (maps, before) if stage.takes_before else (maps,)
        inputs = ["before_maps", "before"][: len(examples)] if graphs else ["images"]
        outputs = ["probabilities"] if last else ["maps", "probabilities"]
        free = None if count == 1 else tuple({0: torch.export.Dim("n")} for _ in examples)
        with torch.inference_mode():
            graphs.append(traced(_Last(stage).eval() if last else stage.eval(), examples, inputs, outputs, free))
            maps, before = stage(*examples)
    return graphs


class _Last(nn.Module):
    """A stage that returns only its probabilities, so that runtimes need not keep its maps."""

    def __init__(self, stage: ExitStage) -> None:
        super().__init__()
        self.stage = stage

    def forward(self, maps: Tensor, before: Tensor | None = None) -> Tensor:
        return self.stage(maps, before)[1]  # type: ignore[no-any-return]
