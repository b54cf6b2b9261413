"""What a runtime answers, and whether it answers as eager does."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.runtimes._base import Loader
from datamodules._characters import Characters

LEAST = 0.999  # top-1 agreement with trained weights
LEAST_INT8 = 0.98  # of runtimes that round weights and activations to eight bits
# Two classes that eager gives probabilities no further apart than this tie: a grey level of the resize decides between
# them. A network that had trained for a few epochs only answered 5 of 270 characters otherwise, by such ties.
TIE = 0.01


def agree(prepare: Callable[[], Loader], prepare_eager: Callable[[], Loader], characters: Characters) -> dict[str, Any]:
    """Compare a runtime's probabilities with eager's, character by character, with one thread.

    Returns: ``agreement``, the share of characters with the same most probable class; ``ties``, for how many of the
        others both classes tie; ``largest_difference`` of any probability; ``compared``, how many characters.

    Raises:
        ValueError: the runtime gives values that are no numbers.
    """
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    runtime, eager = prepare()(), prepare_eager()()
    same, ties, largest = 0, 0, 0.0
    for index in range(len(characters)):
        image = characters.image(index)
        found, wanted = runtime(image), eager(image)
        if not np.isfinite(found).all():
            raise ValueError(f"wanted probabilities of validation character {index}, got values that are no numbers")
        answer, right = found.argmax(), wanted.argmax()
        same += int(answer == right)
        ties += int(answer != right and wanted[right] - wanted[answer] <= TIE)
        largest = max(largest, float(np.abs(found - wanted).max()))
    count = len(characters)
    return {"agreement": same / count, "ties": ties, "largest_difference": largest, "compared": count}


def answers(prepare: Callable[[], Loader], characters: Characters) -> dict[str, Any]:
    """A runtime's most probable class of each character, ``top``, with one thread."""
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    runtime = prepare()()
    return {"top": [int(runtime(characters.image(index)).argmax()) for index in range(len(characters))]}


def disagreement(compared: dict[str, Any], runtime: str) -> str | None:
    """What is wrong with what ``agree`` returned; None where enough answers agree or tie, or nothing was compared.

    Fewer than a thousand characters cannot show 99.9 %; of them one may differ.
    """
    if not compared:
        return None
    rounded = runtime.endswith("-int8")  # its share leaves room for ties
    least = LEAST_INT8 if rounded else LEAST
    differing = round((1 - compared["agreement"]) * compared["compared"])
    differing -= 0 if rounded else compared.get("ties", 0)
    if differing <= max(1, (1 - least) * compared["compared"]):
        return None
    return (
        f"{runtime} answers otherwise than eager for {differing} of {compared['compared']} validation characters; "
        f"wanted agreement of {least:.1%} or more"
    )
