"""The exit policy that a recipe asks for, found on the answers of a trained cascade."""

from dataclasses import replace

import pytest
import torch
from fake import tiny_cascade
from torch import nn

from tasks.early_exits.cascade import cascade_of
from tasks.early_exits.policy import Costs, expected_cost, follow, path_costs
from tasks.early_exits.training import TEMPERATURES, find_policy, fit_temperatures, head_answers, multiply_adds
from tasks.recipe import Heads


def batches(network: nn.Module, count: int = 40) -> list[dict[str, torch.Tensor]]:
    images = tiny_cascade.noise(count)
    labels = torch.randint(0, 5, (count,), generator=torch.Generator().manual_seed(1))
    return [{"images": images[i : i + 16], "labels": labels[i : i + 16]} for i in range(0, count, 16)]


def test_temperatures_make_the_labels_likeliest() -> None:
    network = tiny_cascade.sealed()
    cascade = cascade_of(network)
    cascade.policy = replace(cascade.policy, temperatures=(1.0, 1.0, 1.0))
    found = fit_temperatures(network, batches(network))
    images, labels = (torch.cat([batch[name] for batch in batches(network)]) for name in ("images", "labels"))
    with torch.no_grad():
        logits = cascade.logits(network.normalise(images), cascade.heads)
    for one, temperature in zip(logits, found, strict=True):
        losses = {t: float(nn.functional.cross_entropy(one / t, labels)) for t in TEMPERATURES}
        assert losses[temperature] == pytest.approx(min(losses.values()), abs=1e-5)
    assert max(found) > 1  # it guesses, and is too sure of it


def test_a_fixed_threshold_is_the_papers_policy() -> None:
    network = tiny_cascade.sealed()
    fixed = Heads("separate", threshold=0.9, average=True, calibrated=False)
    policy = find_policy(network.train(), batches(network), fixed, tiny_cascade.INPUT)
    assert (policy.exits, policy.average) == ({"one": 0.9}, True)
    assert policy.temperatures == (1.0, 1.0, 1.0)
    assert cascade_of(network).policy == policy
    assert network.training
    assert network.network.classifiers.training


def test_a_budget_is_a_share_of_the_final_heads_multiply_adds() -> None:
    network = tiny_cascade.sealed()
    costs = multiply_adds(cascade_of(network), *tiny_cascade.INPUT)
    # 8x8, 4x4 and 2x2 maps of 3x3 windows; classifiers take 2x2 maps.
    assert costs == Costs((64 * 9 * 4, 16 * 9 * 4 * 6, 4 * 9 * 6 * 8), (16 * 5, 24 * 5, 32 * 5))
    frugal = Heads("separate", budget=0.9, calibrated=False)
    policy = find_policy(network, batches(network), frugal, tiny_cascade.INPUT)
    answers, _ = head_answers(network, batches(network))
    _, left = follow(policy, tiny_cascade.HEADS, answers)
    assert policy.exits
    assert expected_cost(left, path_costs(policy, tiny_cascade.HEADS, costs)) <= 0.9 * (sum(costs.stages) + 160)
    with pytest.raises(ValueError, match=r"wanted an exit policy that costs at most .*, the cheapest costs"):
        find_policy(network, batches(network), Heads("separate", budget=0.01), tiny_cascade.INPUT)
