"""Shared by the runtimes of exported graphs: exports a recogniser, plain or in int8, stage by stage for a cascade."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

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
    """Export a subject; ``int8`` is calibrated on its characters, and is one file for all runtimes.

    Args:
        subject: what is exported.
        form: empty, or ``int8``.
        whole: makes a classifier of a graph, that of its resize, and the channels of its images.
        open_call: a graph as a call, for networks with early exits.
    """
    # These load torch, which a classifier of an exported graph does without.
    from bench.deploy.onnx_cascade import exported_stages
    from bench.deploy.onnx_model import onnx_model, onnx_resize

    recogniser = subject.load()
    fitting, stages = onnx_resize(recogniser), exported_stages(recogniser)
    if stages:
        if form == "int8":
            from bench.deploy.int8 import quantised_stages

            stages = quantised_stages(stages, _characters(subject, recogniser.channels))
        return partial(CascadeRecogniser, stages, fitting, recogniser.channels, open_call)
    model = onnx_model(recogniser)
    if form == "int8":
        from bench.deploy.int8 import quantised

        model = quantised(model, _characters(subject, recogniser.channels))
    return partial(whole, model, fitting, recogniser.channels)


def _characters(subject: Subject, channels: int) -> Sequence[NDArray[np.uint8]]:
    images: list[Any] = [subject.characters.image(index) for index in range(len(subject.characters))]
    return [with_channels(image, channels) for image in images]
