"""A cascade as ONNX: a graph for each stage, or one of all whose later stages run only for who has not left."""

from collections.abc import Callable, Sequence

import numpy as np
import onnx
import onnx.compose
import torch
from onnx import GraphProto, ModelProto, NodeProto, TensorProto
from onnx.helper import make_graph, make_node, make_tensor_value_info
from torch import Tensor, nn

from bench.deploy.cascade_session import ExportedStage
from bench.deploy.onnx_model import batch_size, fitted, traced
from tasks.early_exits.cascade import ExitStage, cascade_of, exit_stages
from tasks.recogniser import Recogniser


def exported_stages(recogniser: Recogniser) -> tuple[ExportedStage, ...]:
    """The stages of a recogniser with early exits, by its policy; empty for one without.

    Raises:
        ExportError: the network cannot be expressed.
    """
    if cascade_of(recogniser.network) is None:
        return ()
    passed = exit_stages(recogniser.network)
    graphs = _traced(recogniser, passed, 1)
    graphs[0] = fitted(graphs[0], recogniser)
    return tuple(
        ExportedStage(graph.SerializeToString(), stage.threshold, stage.takes_before)
        for graph, stage in zip(graphs, passed, strict=True)
    )


def onnx_cascade(recogniser: Recogniser) -> bytes:
    """A recogniser with early exits as one graph; takes and gives what ``onnx_model`` does with ``batch``.

    Each character leaves where the policy lets it. What follows an exit is the branch of an ``If``, entered where
    somebody stays and computed for those who stay alone.

    Args:
        recogniser: in eval mode; its policy is taken as it is now.

    Raises:
        TypeError: a network without early exits.
        ExportError: the network cannot be expressed.
    """
    passed = exit_stages(recogniser.network)
    graphs = _traced(recogniser, passed, 2)
    if any(batch_size(graph) for graph in graphs):
        graphs = _traced(recogniser, passed, 1)
    named = [
        onnx.compose.add_prefix(graph, f"{stage.name}/", rename_inputs=number > 0)
        for number, (graph, stage) in enumerate(zip(graphs, passed, strict=True))
    ]
    whole = named[0]
    whole.graph.node.extend(_after(named, passed, 0))
    del whole.graph.output[:]
    whole.graph.output.append(_answer("probabilities", "n", "classes"))
    return bytes(fitted(whole, recogniser, batch=True).SerializeToString())


def _after(graphs: Sequence[ModelProto], passed: Sequence[ExitStage], number: int) -> list[NodeProto]:
    """What makes the answer ``probabilities`` of what a stage gave, and of the stages after it where somebody stays."""
    stage = passed[number]
    answer = "probabilities" if number == 0 else f"{stage.name}/answer"
    given = f"{stage.name}/probabilities"
    if stage.threshold is None:
        return [make_node("Identity", [given], [answer])]
    name = f"{stage.name}/exit/{{}}".format
    then = make_graph([make_node("Identity", [given], [name("left")])], name("leaves"), [], [_answer(name("left"))])
    return [
        _constant(name("threshold"), np.float32(stage.threshold)),
        _constant(name("classes"), np.array([1])),
        _constant(name("none"), np.array(0)),
        make_node("ReduceMax", [given, name("classes")], [name("top")], keepdims=0),
        make_node("Less", [name("top"), name("threshold")], [name("unsure")]),
        make_node("NonZero", [name("unsure")], [name("places")]),
        make_node("Size", [name("places")], [name("count")]),
        make_node("Equal", [name("count"), name("none")], [name("all_leave")]),
        make_node(
            "If", [name("all_leave")], [answer], then_branch=then, else_branch=_branch(graphs, passed, number, name)
        ),
    ]


def _branch(
    graphs: Sequence[ModelProto], passed: Sequence[ExitStage], number: int, name: Callable[[str], str]
) -> GraphProto:
    """The stages after an exit, for those who stay: their answers take the places of those that the exit gave."""
    stage, following = passed[number], passed[number + 1]
    graph = graphs[number + 1].graph
    rows = name("rows")
    nodes = [
        _constant(name("flat"), np.array([-1])),
        make_node("Reshape", [name("places"), name("flat")], [rows]),
        *(
            make_node("Gather", [f"{stage.name}/{output}", rows], [one.name], axis=0)
            for output, one in zip(("maps", "probabilities"), graph.input, strict=False)
        ),
        *graph.node,
        *_after(graphs, passed, number + 1),
        make_node("Transpose", [name("places")], [name("indices")], perm=[1, 0]),
        make_node(
            "ScatterND",
            [f"{stage.name}/probabilities", name("indices"), f"{following.name}/answer"],
            [name("joined")],
        ),
    ]
    return make_graph(nodes, name("stays"), [], [_answer(name("joined"))], initializer=graph.initializer)


def _constant(name: str, value: np.generic | np.ndarray) -> NodeProto:
    return make_node("Constant", [], [name], value=onnx.numpy_helper.from_array(np.asarray(value)))


def _answer(name: str, *sides: str) -> onnx.ValueInfoProto:
    """Probabilities; sides within branches have no names, since fewer are there than outside."""
    return make_tensor_value_info(name, TensorProto.FLOAT, sides or [None, None])


def _traced(recogniser: Recogniser, passed: Sequence[ExitStage], count: int) -> list[ModelProto]:
    """The stages as graphs, of one character, or of any number where ``count`` is more.

    Inputs are ``images``, or ``before_maps`` and, where the stage takes it, ``before``; outputs ``maps``, but for the
    last, and ``probabilities``.
    """
    maps = torch.full((count, recogniser.channels, recogniser.size, recogniser.size), 255, dtype=torch.uint8)
    before = torch.empty(0)
    graphs: list[ModelProto] = []
    for stage in passed:
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
    """A stage that gives its probabilities alone: no runtime need keep maps for nobody."""

    def __init__(self, stage: ExitStage) -> None:
        super().__init__()
        self.stage = stage

    def forward(self, maps: Tensor, before: Tensor | None = None) -> Tensor:
        return self.stage(maps, before)[1]  # type: ignore[no-any-return]
