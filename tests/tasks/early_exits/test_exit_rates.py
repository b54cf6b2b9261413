"""A policy that lets characters leave at given rates, whatever the network answers."""

import numpy as np
import pytest
import torch
from fake.tiny_cascade import HEADS, noise, sealed

from tasks.early_exits.cascade import EarlyExits, cascade_of, every_logits
from tasks.early_exits.exit_rates import policy_at_rates


@pytest.mark.parametrize(
    ("rates", "left"),
    [
        ({"one": 0.5, "two": 0.25}, [20, 10, 10]),
        ({"one": 0.0, "two": 0.75}, [0, 30, 10]),
        ({"one": 1.0}, [40, 0, 0]),
        ({"two": 1.0}, [0, 40, 0]),
        ({}, [0, 0, 40]),
    ],
)
@pytest.mark.parametrize("average", [False, True])
def test_as_many_leave_at_each_head_as_told(rates: dict[str, float], left: list[int], average: bool) -> None:
    network, images = sealed(seed=3), noise(40)
    with torch.inference_mode():
        logits = [one.numpy() for one in every_logits(network, images)]
        cascade_of(network).policy = policy_at_rates(logits, HEADS, rates, average)
        _, exits = EarlyExits(network)(images)
    assert np.bincount(exits, minlength=3).tolist() == left


def test_nearly_equal_answers_are_told_apart() -> None:
    """Random weights with thousands of classes answer alike; thresholds have six decimals only."""
    rng = np.random.default_rng(0)
    logits = [1e-3 * rng.normal(size=(64, 3755)) for _ in HEADS]
    policy = policy_at_rates(logits, HEADS, {"one": 0.5}, average=False)
    scaled = np.exp(logits[0] / policy.temperatures[0])
    assert np.sum((scaled / scaled.sum(1, keepdims=True)).max(1) >= round(policy.exits["one"], 6)) == 32
