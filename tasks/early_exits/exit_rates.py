"""Sets an exit policy by the share of characters that shall leave at each head, whatever the heads answer."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.early_exits.policy import ExitPolicy


def policy_at_rates(
    logits: Sequence[NDArray[np.floating]], heads: Sequence[str], rates: Mapping[str, float], average: bool
) -> ExitPolicy:
    """A policy by which these characters leave at these rates, so that a network with random weights can be timed.

    Args:
        logits: of each head, (n, classes) each.
        heads: names of the heads in order, the final one last.
        rates: share of the characters that leaves at each early head with an exit, of all n.
        average: whether the last head is averaged with the one before; see ``ExitPolicy``.
    """
    exits, temperatures = {}, []
    remaining = np.ones(len(logits[0]), bool)
    for name, answers in zip(heads, logits, strict=True):
        two = np.sort(answers, axis=1)[:, -2:]
        # By the median distance of the best two classes; otherwise the confidences of random weights hardly differ.
        temperatures.append(float(np.clip(np.median(two[:, 1] - two[:, 0]), 1e-6, 1e6)))
        if name not in rates:
            continue
        scaled = (answers - two[:, 1:]) / temperatures[-1]
        confidence = np.where(remaining, 1 / np.exp(scaled).sum(1), -1.0)
        leaving = min(round(rates[name] * len(answers)), int(remaining.sum()))
        order = np.argsort(-confidence, kind="stable")
        if leaving < remaining.sum():  # between the last that leaves and the first that stays
            after = confidence[order[leaving]]
            exits[name] = float((confidence[order[leaving - 1]] + after) / 2) if leaving else 1.0
        else:
            exits[name] = 1e-6
        remaining[order[:leaving]] = False
    return ExitPolicy(exits, average, tuple(temperatures))
