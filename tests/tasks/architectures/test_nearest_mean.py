"""Nearest class mean: the formula, the fit in any batches, and what it refuses."""

import pytest
import torch

from tasks.architectures.nearest_mean import NearestMean, build


def test_nearest_mean_gives_the_logits_of_the_formula():
    network = NearestMean(2, 2)
    network.update(torch.tensor([[[[0.0, 0.0]]], [[[0.0, 1.0]]]]), torch.tensor([0, 0]))
    network.update(torch.tensor([[[[1.0, 1.0]]]]), torch.tensor([1]))
    network.finish()
    # means (0, 0.5) and (1, 1): 2 m.x - |m|^2 at x = (1, 0)
    assert network(torch.tensor([[[[1.0, 0.0]]]])).tolist() == [[-0.25, 0.0]]


def test_nearest_mean_picks_the_nearest_mean_whatever_the_batches():
    torch.manual_seed(0)
    images, labels = torch.rand(60, 1, 5, 5), torch.arange(60) % 4
    one, many = build("", 4, 1, 5), build("", 4, 1, 5)
    one.update(images, labels)
    for start in range(0, 60, 7):
        many.update(images[start : start + 7], labels[start : start + 7])
    one.finish()
    many.finish()
    means = torch.stack([images[labels == label].mean(0).flatten() for label in range(4)])
    nearest = torch.cdist(images.flatten(1), means).argmin(1)
    assert torch.equal(one(images).argmax(1), nearest)
    torch.testing.assert_close(one(images), many(images))


def test_nearest_mean_forgets_an_earlier_fit():
    network = NearestMean(1, 1)
    for value in (5.0, 1.0):
        network.update(torch.full((1, 1, 1, 1), value), torch.tensor([0]))
        network.finish()
    assert network(torch.ones(1, 1, 1, 1)).item() == 1.0  # 2 x 1 x 1 - 1


def test_nearest_mean_refuses_what_it_cannot_fit():
    network = NearestMean(3, 1)
    with pytest.raises(ValueError, match="got none; call update"):
        network.finish()
    network.update(torch.ones(2, 1, 1, 1), torch.tensor([0, 2]))
    with pytest.raises(ValueError, match=r"none of classes \[1\]"):
        network.finish()
