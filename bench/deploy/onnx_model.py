"""Exports a recogniser as an ONNX graph that takes native-size characters."""

import re
import warnings
from typing import Any

import onnx
import onnx.compose
import torch
from torch import Tensor, nn

from bench.deploy.onnx_resize import OPSET, RESIZE, resize_graph
from datamodules._errors import BenchError
from tasks.recogniser import Recogniser

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_MOST_TEXT = 300  # characters of an error's text


class ExportError(BenchError):
    """A network cannot be exported as an ONNX graph; the text is the error of the network or the exporter."""


class _Probabilities(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return torch.softmax(self.network(images), 1)


def onnx_model(recogniser: Recogniser) -> bytes:
    """The whole recogniser as a graph: padding to a square, resampling, normalisation, network and softmax.

    Input ``image``, n characters of one native size: uint8 (n, h, w), any h and w, with paper 255, or (n, h, w, 3) for
    networks that take colour; output ``probabilities``, float32 (n, classes). If the network can only be traced for
    one character, n is 1, as the graph's input states. ``recogniser`` must be in eval mode.
    """
    return bytes(add_resize(_network(recogniser), recogniser).SerializeToString())


def add_resize(network: onnx.ModelProto, recogniser: Recogniser) -> onnx.ModelProto:
    """Put the resize of native-size characters before a graph of ``images``."""
    resize = resize_graph(recogniser.channels, recogniser.size)
    if batch_size(network) == 1:
        resize.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    # A prefix, because the exporter's names in the network might equal names in the resize.
    resize = onnx.compose.add_prefix(resize, RESIZE, rename_inputs=False, rename_outputs=False)
    resize.ir_version = network.ir_version
    whole: onnx.ModelProto = onnx.compose.merge_models(resize, network, [("images", "images")])
    return whole


def traced(
    network: nn.Module, examples: tuple[Any, ...], inputs: list[str], outputs: list[str], free: Any = None
) -> onnx.ModelProto:
    """Trace a module in eval mode as an ONNX graph with these names of inputs and outputs.

    ``examples`` has a tensor for each input, ``free`` the dynamic dimensions of each input; None for none.

    Raises:
        ExportError: the network cannot be expressed in ONNX, or raises an error; the message has its text.
    """
    with warnings.catch_warnings():
        # The exporter warns about its internals; a network that cannot be expressed is an error, not a warning.
        warnings.simplefilter("ignore")
        try:
            program = torch.onnx.export(
                network, examples, dynamo=True, opset_version=OPSET, input_names=inputs, output_names=outputs,
                dynamic_shapes=free, verbose=False,
            )  # fmt: skip
        except torch.onnx.OnnxExporterError as error:  # its text is a coloured page; the cause is what matters
            cause = error.__cause__ or error
            text = " ".join(_COLOURS.sub("", str(cause)).split())[:_MOST_TEXT]
            raise ExportError(f"{type(cause).__name__}: {text}") from error
    assert program is not None  # only the old exporter returns None
    return _without_traces(program.model_proto)


def batch_size(network: onnx.ModelProto) -> int:
    """The number of characters that a graph takes; 0 if it is dynamic."""
    return int(network.graph.input[0].type.tensor_type.shape.dim[0].dim_value)


def _without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """Remove the exporter's notes: source lines and paths of this machine, which would make equal networks differ."""
    for holder in (model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer):
        holder.doc_string = ""
        del holder.metadata_props[:]
    return model


def _network(recogniser: Recogniser) -> onnx.ModelProto:
    """``images``, uint8 (n, C, S, S) -> ``probabilities``, float32 (n, classes); n is dynamic if possible, or 1."""
    free = _traced(recogniser, 2, {0: torch.export.Dim("n")})  # a trace with one character would fix n at 1
    return free if batch_size(free) == 0 else _traced(recogniser, 1, None)


def _traced(recogniser: Recogniser, count: int, free: dict[int, torch.export.Dim] | None) -> onnx.ModelProto:
    example = torch.full((count, recogniser.channels, recogniser.size, recogniser.size), 255, dtype=torch.uint8)
    whole = _Probabilities(recogniser.network).eval()
    return traced(whole, (example,), ["images"], ["probabilities"], None if free is None else (free,))
