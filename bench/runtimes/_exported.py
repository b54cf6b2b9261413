"""What the runtimes of exported graphs share: a subject as graphs, plain or in int8, leg by leg where it has legs."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.deploy.cascade_session import Call, LegsRecogniser
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
    from bench.deploy.onnx_cascade import exported_legs
    from bench.deploy.onnx_model import onnx_fitting, onnx_model

    recogniser = subject.load()
    fitting, legs = onnx_fitting(recogniser), exported_legs(recogniser)
    if legs:
        if form == "int8":
            from bench.deploy.int8 import quantised_legs

            legs = quantised_legs(legs, _characters(subject, recogniser.channels))
        return partial(LegsRecogniser, legs, fitting, recogniser.channels, open_call)
    model = onnx_model(recogniser)
    if form == "int8":
        from bench.deploy.int8 import quantised

        model = quantised(model, _characters(subject, recogniser.channels))
    return partial(whole, model, fitting, recogniser.channels)


def _characters(subject: Subject, channels: int) -> Sequence[NDArray[np.uint8]]:
    images: list[Any] = [subject.characters.image(index) for index in range(len(subject.characters))]
    return [with_channels(image, channels) for image in images]
