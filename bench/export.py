"""A recogniser's network as an ONNX graph."""

import warnings

import torch
from torch import Tensor, nn

from tasks.recogniser import Recogniser


class _Probabilities(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return torch.softmax(self.network(images), 1)


def onnx_model(recogniser: Recogniser) -> bytes:
    """The network with normalisation and softmax inside, batch 1.

    Input ``images``, uint8 (1, C, S, S) with paper 255; output ``probabilities``, float32 (1, classes).
    """
    example = torch.full((1, recogniser.channels, recogniser.size, recogniser.size), 255, dtype=torch.uint8)
    with warnings.catch_warnings():
        # The exporter warns of its own internals; what a network cannot express is an error, not a warning.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            _Probabilities(recogniser.network).eval(),
            (example,),
            dynamo=True,
            input_names=["images"],
            output_names=["probabilities"],
            verbose=False,
        )
    assert program is not None  # None is what the old exporter returns
    return bytes(program.model_proto.SerializeToString())
