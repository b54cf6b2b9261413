"""A recogniser as an ONNX graph that takes characters of native size."""

import re
import warnings
from typing import Any

import onnx
import onnx.compose
import torch
from torch import Tensor, nn

from bench.deploy.onnx_resize import OPSET, resize_graph
from datamodules._errors import BenchError
from tasks.recogniser import Recogniser

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_MOST_WORDS = 300  # characters of an error's text


class ExportError(BenchError):
    """A network that cannot be made an ONNX graph; the text says what it or the exporter raised."""


class _Probabilities(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return torch.softmax(self.network(images), 1)


def onnx_model(recogniser: Recogniser, batch: bool = False) -> bytes:
    """The whole recogniser: pad to a square, resample, normalisation, network and softmax.

    Input ``image``, uint8 (h, w) of any size with paper 255, or (h, w, 3) where the network takes colour; output
    ``probabilities``, float32 (1, classes).

    Args:
        recogniser: in eval mode.
        batch: take n characters of one native size at once, (n, h, w) or (n, h, w, 3), and give (n, classes). Of a
            network that can only be traced for one character n stays 1; the graph's input says so.
    """
    return bytes(fitted(_network(recogniser, batch), recogniser, batch).SerializeToString())


def fitted(network: onnx.ModelProto, recogniser: Recogniser, batch: bool = False) -> onnx.ModelProto:
    """A graph that takes ``images`` behind the fitting of native-size characters; arguments as for ``onnx_model``."""
    fitting = resize_graph(recogniser.channels, recogniser.size, batch)
    if batch and batch_size(network) == 1:
        fitting.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    # The exporter chooses the names within the network; they must not meet those of the fitting.
    fitting = onnx.compose.add_prefix(fitting, "fit/", rename_inputs=False, rename_outputs=False)
    fitting.ir_version = network.ir_version
    whole: onnx.ModelProto = onnx.compose.merge_models(fitting, network, [("images", "images")])
    return whole


def onnx_resize(recogniser: Recogniser) -> bytes:
    """The part of ``onnx_model`` before the network: ``image`` -> ``images``, uint8 (1, C, S, S)."""
    return bytes(resize_graph(recogniser.channels, recogniser.size).SerializeToString())


def traced(
    network: nn.Module, examples: tuple[Any, ...], inputs: list[str], outputs: list[str], free: Any = None
) -> onnx.ModelProto:
    """A module in eval mode as an ONNX graph.

    Args:
        network: what is traced.
        examples: its inputs.
        inputs: their names in the graph.
        outputs: theirs.
        free: for each input its dimensions of any size; None for none.

    Raises:
        ExportError: the network cannot be expressed, or raises itself; says what it raised.
    """
    with warnings.catch_warnings():
        # The exporter warns of its own internals; what a network cannot express is an error, not a warning.
        warnings.simplefilter("ignore")
        try:
            program = torch.onnx.export(
                network, examples, dynamo=True, opset_version=OPSET, input_names=inputs, output_names=outputs,
                dynamic_shapes=free, verbose=False,
            )  # fmt: skip
        except torch.onnx.OnnxExporterError as error:  # its text is a page in colours; what it stems from is the news
            cause = error.__cause__ or error
            words = " ".join(_COLOURS.sub("", str(cause)).split())[:_MOST_WORDS]
            raise ExportError(f"{type(cause).__name__}: {words}") from error
    assert program is not None  # None is what the old exporter returns
    return program.model_proto


def _network(recogniser: Recogniser, batch: bool = False) -> onnx.ModelProto:
    """``images``, uint8 (n, C, S, S) -> ``probabilities``, float32 (n, classes); n is 1, or free where it can be."""
    if batch:
        free = _traced(recogniser, 2, {0: torch.export.Dim("n")})  # of one character a trace would be for one alone
        if batch_size(free) == 0:
            return free
    return _traced(recogniser, 1, None)


def batch_size(network: onnx.ModelProto) -> int:
    """The number of characters that a graph takes; 0 where it is free."""
    return int(network.graph.input[0].type.tensor_type.shape.dim[0].dim_value)


def _traced(recogniser: Recogniser, count: int, free: dict[int, torch.export.Dim] | None) -> onnx.ModelProto:
    example = torch.full((count, recogniser.channels, recogniser.size, recogniser.size), 255, dtype=torch.uint8)
    whole = _Probabilities(recogniser.network).eval()
    return traced(whole, (example,), ["images"], ["probabilities"], None if free is None else (free,))
