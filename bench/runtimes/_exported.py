"""Exports a recogniser as ONNX, in fp32 or int8, as one graph or one per stage, for the runtimes that run graphs."""

from collections.abc import Callable
from functools import partial

from bench.deploy.cascade_session import Call, CascadeRecogniser
from bench.runtimes._base import Classifier, Loader, Subject
from datamodules._image import with_channels


def exported(
    subject: Subject, form: str, whole: Callable[[bytes, bytes, int], Classifier], open_call: Callable[[bytes], Call]
) -> Loader:
    """Export a subject. The ``int8`` form is calibrated on its characters and is the same file for all runtimes.

    ``whole`` makes a classifier from a graph, the graph of its resize, and the number of channels of its images;
    ``open_call`` opens a graph as a function, for networks with early exits.
    """
    # These load torch, which classifiers of exported graphs do not need.
    from bench.deploy.int8 import quantised, quantised_stages
    from bench.deploy.onnx_cascade import exported_stages
    from bench.deploy.onnx_model import onnx_model, onnx_resize

    recogniser, characters = subject.load(), subject.characters
    resize, stages, channels = onnx_resize(recogniser), exported_stages(recogniser), recogniser.channels
    images = [with_channels(characters.image(index), channels) for index in range(len(characters))]
    if stages:
        stages = quantised_stages(stages, images) if form == "int8" else stages
        return partial(CascadeRecogniser, stages, resize, channels, open_call)
    model = onnx_model(recogniser)
    return partial(whole, quantised(model, images) if form == "int8" else model, resize, channels)
