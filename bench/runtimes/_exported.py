"""What the runtimes of exported graphs share: the graph of a subject, plain or in int8."""

from typing import NamedTuple

from bench.runtimes import Subject
from datamodules._image import with_channels


class Exported(NamedTuple):
    """A recogniser as graphs.

    Attributes:
        model: the whole of it, ONNX.
        fitting: its resize alone, ONNX.
        channels: of its images.
    """

    model: bytes
    fitting: bytes
    channels: int


def exported(subject: Subject, form: str) -> Exported:
    """Export a subject; ``int8`` is calibrated on its characters, and is one file for all runtimes."""
    # These load torch, which a classifier of an exported graph does without.
    from bench.export import onnx_fitting, onnx_model
    from tasks.recogniser import load_recogniser

    recogniser = load_recogniser(subject.architecture, subject.classes, subject.weights)
    model = onnx_model(recogniser)
    if form == "int8":
        from bench.quantising import quantised

        characters = [subject.characters.image(index) for index in range(len(subject.characters))]
        model = quantised(model, [with_channels(image, recogniser.channels) for image in characters])
    return Exported(model, onnx_fitting(recogniser), recogniser.channels)
