"""Exports a recogniser as ONNX, in fp32 or int8, as one graph or one per stage, for the runtimes that run graphs."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bench.deploy.cascade_session import Call, CascadeRecogniser
from bench.runtimes._base import Classifier, Loader, Subject
from datamodules._image import with_channels


def exported(
    subject: Subject,
    form: str,
    whole: Callable[[bytes, bytes, int], Classifier],
    open_call: Callable[[bytes], Call],
) -> Loader:
    """Export a subject. The ``int8`` form is calibrated on its characters and is the same file for all runtimes.

    ``whole`` makes a classifier from a graph, the graph of its resize, and the number of channels of its images;
    ``open_call`` opens a graph as a function, for networks with early exits.
    """
    # These load torch, which classifiers of exported graphs do not need.
    from bench.deploy.onnx_cascade import exported_stages
    from bench.deploy.onnx_model import onnx_model, onnx_resize

    recogniser = subject.load()
    resize, stages = onnx_resize(recogniser), exported_stages(recogniser)
    if stages:
        if form == "int8":
            from bench.deploy.int8 import quantised_stages

            stages = quantised_stages(stages, _characters(subject, recogniser.channels))
        return partial(CascadeRecogniser, stages, resize, recogniser.channels, open_call)
    model = onnx_model(recogniser)
    if form == "int8":
        from bench.deploy.int8 import quantised

        model = quantised(model, _characters(subject, recogniser.channels))
    return partial(whole, model, resize, recogniser.channels)


def _characters(subject: Subject, channels: int) -> Sequence[NDArray[np.uint8]]:
    characters = subject.characters
    return [with_channels(characters.image(index), channels) for index in range(len(characters))]
