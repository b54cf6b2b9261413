"""Agreement: runs a runtime on validation characters and compares its answers with eager's."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch

from bench.plugins import INT8, W8
from bench.runtimes._base import Loader
from datamodules._characters import Characters

LEAST = 0.999  # top-1 agreement with trained weights
LEAST_INT8 = 0.98  # of runtimes that round weights, or weights and activations, to eight bits
# Two classes tie when eager's probabilities of them differ by no more than this: one grey level of the resize decides
# between them. A network trained for a few epochs only gave 5 of 270 characters another class because of such ties.
TIE = 0.01


def agree(prepare: Callable[[], Loader], prepare_eager: Callable[[], Loader], characters: Characters) -> dict[str, Any]:
    """Compare a runtime's probabilities with eager's, character by character, with one thread.

    Returns: ``agreement``, the share of characters with the same most probable class; ``ties``, how many of the
        remaining ones are a tie between both classes; ``largest_difference`` of any probability; ``compared``, the
        number of characters.

    Raises:
        ValueError: the runtime returns NaN or infinity.
    """
    _use_one_thread()
    runtime, eager = prepare()(), prepare_eager()()
    same, ties, largest = 0, 0, 0.0
    for index in range(len(characters)):
        image = characters.image(index)
        found, wanted = runtime(image), eager(image)
        if not np.isfinite(found).all():
            raise ValueError(f"wanted probabilities of validation character {index}, got NaN or infinity")
        answer, eager_answer = found.argmax(), wanted.argmax()
        same += int(answer == eager_answer)
        ties += int(answer != eager_answer and wanted[eager_answer] - wanted[answer] <= TIE)
        largest = max(largest, float(np.abs(found - wanted).max()))
    count = len(characters)
    return {"agreement": same / count, "ties": ties, "largest_difference": largest, "compared": count}


def answers(prepare: Callable[[], Loader], characters: Characters) -> dict[str, Any]:
    """A runtime's most probable class of each character, ``top``, with one thread."""
    _use_one_thread()
    runtime = prepare()()
    return {"top": [int(runtime(characters.image(index)).argmax()) for index in range(len(characters))]}


def disagreement(compared: dict[str, Any], runtime: str) -> str | None:
    """An error text if too few answers agree or tie, by what ``agree`` returned; None if all is well or it is empty.

    Fewer than a thousand characters cannot show 99.9 %, so one of them may differ.
    """
    if not compared:
        return None
    is_int8 = runtime.endswith((INT8, W8))  # its threshold leaves room for ties
    least = LEAST_INT8 if is_int8 else LEAST
    differing = round((1 - compared["agreement"]) * compared["compared"])
    differing -= 0 if is_int8 else compared.get("ties", 0)
    if differing <= max(1, (1 - least) * compared["compared"]):
        return None
    return (
        f"{runtime} gives another class than eager for {differing} of {compared['compared']} validation characters; "
        f"wanted agreement of {least:.1%} or more"
    )


def _use_one_thread() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
