"""Direction features and quadratic discriminants: the formulas, the fit in any batches, and what it refuses."""

import math

import numpy as np
import pytest
import torch

from bench.measurements._mac_counter import count
from tasks.architectures._quadratic import QuadraticDiscriminant
from tasks.architectures.dlqdf import BlurredPlaces, Dlqdf, build, fisher


def gaussians(each, classes=3, dimensions=4, seed=0):
    rng = np.random.default_rng(seed)
    spread = rng.normal(size=(classes, dimensions, dimensions)) / 2
    means = rng.normal(size=(classes, dimensions)) * 2
    labels = np.arange(each * classes) % classes
    values = means[labels] + np.einsum("nij,nj->ni", spread[labels], rng.normal(size=(len(labels), dimensions)))
    return torch.from_numpy(values).float(), torch.from_numpy(labels)


def strokes(each, classes=6, size=64, seed=0):
    """Bars whose angle is the class, a little turned and shifted."""
    rng = np.random.default_rng(seed)
    labels = np.arange(each * classes) % classes
    y, x = np.mgrid[:size, :size] / size - 0.5
    angle = (labels + rng.normal(0, 0.1, len(labels))) * math.pi / classes
    shift = rng.normal(0, 0.05, len(labels))
    across = x * np.sin(angle)[:, None, None] - y * np.cos(angle)[:, None, None] - shift[:, None, None]
    ink = np.clip(3 - np.abs(across) * size / 2, 0, 1)
    return torch.from_numpy(ink[:, None]).float(), torch.from_numpy(labels)


def fitted(variant, images, labels, step=50):
    network = build(variant, int(labels.max()) + 1, 1, 64)
    for start in range(0, len(images), step):
        network.update(images[start : start + step], labels[start : start + step])
    network.finish()
    return network


def test_size_and_work_are_those_of_the_table():
    with torch.device("meta"):
        network = build("dlqdf", 3755, 1, 64).eval()
    # Means, axes, variances; coarse means with their squares; projection with its offset.
    params = 3755 * (160 + 50 * 160 + 50 + 1) + 161 * 3755 + 160 * 513
    assert sum(parameter.numel() for parameter in network.parameters()) == params
    assert params * 4 / 2**20 == pytest.approx(120.0, rel=0.0025)  # fire-hccr, Table 5
    counted = count(network, torch.empty(1, 1, 64, 64, device="meta"))
    sobel, blur = 2 * 9 * 64 * 64, 8 * 20 * 20 * 64
    assert counted.macs == sobel + blur + 512 * 160 + 160 * 3755 + 200 * (50 * 160 + 50 + 160)
    assert not counted.incomplete


def test_a_quadratic_discriminant_is_the_gaussian_likelihood():
    """With all axes but one, the rest is that one: the exact density, by numpy."""
    values, labels = gaussians(400)
    machine = QuadraticDiscriminant(3, 4, 3)
    machine.fit(values, labels)
    found = machine(values[:20], torch.arange(3).expand(20, -1))
    for label in range(3):
        own = values[labels == label].double().numpy()
        prior = np.eye(4) * (prior_characters := 240)
        covariance = (np.cov(own.T, bias=True) * len(own) + prior) / (len(own) + prior_characters)
        apart = values[:20].double().numpy() - own.mean(0)
        wanted = -0.5 * ((apart @ np.linalg.inv(covariance) * apart).sum(1) + np.linalg.slogdet(covariance)[1])
        assert found[:, label].numpy() == pytest.approx(wanted, abs=1e-3)


def test_few_axes_share_one_variance_for_the_rest():
    machine = QuadraticDiscriminant(1, 3, 1)
    values = torch.tensor([[3.0, 0, 0], [-3, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 2], [0, 0, -2]])
    machine.fit(values, torch.zeros(6, dtype=torch.int64))
    variances = [(18 + 240) / 246, (2 + 240) / 246, (8 + 240) / 246]
    assert machine.means[0].tolist() == [0.0, 0.0, 0.0]
    assert machine.axes[0, 0].abs().tolist() == pytest.approx([1, 0, 0], abs=1e-6)
    assert machine.log_variances.exp().item() == pytest.approx(variances[0])
    assert machine.log_rest.exp().item() == pytest.approx((variances[1] + variances[2]) / 2)


def test_only_candidates_are_looked_at():
    values, labels = gaussians(50)
    machine = QuadraticDiscriminant(3, 4, 2)
    machine.fit(values, labels)
    every = machine(values, torch.arange(3).expand(len(values), -1))
    some = machine(values, torch.tensor([2, 0]).expand(len(values), -1))
    torch.testing.assert_close(some[:, [0, 2]], every[:, [0, 2]])
    assert torch.equal(some[:, 1], some[:, [0, 2]].amin(1))


def test_refinement_corrects_what_the_statistics_get_wrong():
    """Two classes of one variance each; the second has a far-off part, which draws its mean and spread away."""
    rng = torch.Generator().manual_seed(0)
    first = torch.randn(400, 2, generator=rng)
    second = torch.randn(400, 2, generator=rng) + torch.tensor([2.5, 0.0])
    second[:60] += torch.tensor([12.0, 0.0])
    values, labels = torch.cat([first, second]), torch.arange(800) // 400
    machine = QuadraticDiscriminant(2, 2, 1)
    machine.fit(values, labels)
    both = torch.arange(2).expand(800, -1)
    before = (machine(values, both).argmax(1) == labels).float().mean()
    machine.refine(values, labels, both, 20)
    after = (machine(values, both).argmax(1) == labels).float().mean()
    assert after > before + 0.005


def test_the_projection_whitens_classes_and_parts_them():
    values, labels = gaussians(300, classes=4, dimensions=6)
    weight, offset = fisher(values.half(), labels, labels.bincount(), 3)
    projected = values.half().double() @ weight.T + offset
    # The variance added to every direction leaves it a little less than one.
    centred = projected - torch.stack([projected[labels == label].mean(0) for label in range(4)])[labels]
    torch.testing.assert_close(centred.T @ centred / len(labels), torch.eye(3, dtype=torch.float64), rtol=0, atol=1e-2)
    assert projected.mean(0).abs().max() < 1e-6
    apart = [float((projected[:, axis] ** 2).mean()) for axis in range(3)]
    assert apart == sorted(apart, reverse=True)  # the best direction comes first


def test_features_are_eight_by_eight_places_of_each_direction():
    maps = torch.zeros(1, 8, 64, 64)
    maps[0, 2, 24:32, 40:48] = 1  # place (3, 5)
    features = BlurredPlaces(64)(maps).view(8, 8, 8)
    assert features.argmax() == 2 * 64 + 3 * 8 + 5
    assert features[[0, 1, 3, 4, 5, 6, 7]].max() == 0
    even = BlurredPlaces(64)(torch.ones(1, 8, 64, 64)).view(8, 8, 8)
    torch.testing.assert_close(even[:, 2:6, 2:6], torch.ones(8, 4, 4))  # inside, the weights sum to one


@pytest.mark.parametrize("variant", ["mqdf", "dlqdf"])
def test_it_reads_what_it_was_fitted_to_whatever_the_batches(variant):
    images, labels = strokes(40)
    one, many = fitted(variant, images, labels, len(images)), fitted(variant, images, labels, 7)
    fresh, wanted = strokes(20, seed=1)
    assert (one(fresh).argmax(1) == wanted).float().mean() > 0.95  # chance is 0.17
    torch.testing.assert_close(one(fresh), many(fresh), rtol=1e-3, atol=1e-3)


def test_dimensions_follow_the_number_of_classes():
    with torch.device("meta"):
        sizes = {classes: tuple(build("mqdf", classes, 1, 64).quadratic.axes.shape) for classes in (2, 30, 161, 500)}
    assert sizes == {2: (2, 1, 1), 30: (30, 9, 29), 161: (161, 50, 160), 500: (500, 50, 160)}


def test_one_character_of_each_class_is_enough_to_fit():
    images, labels = strokes(1)
    network = fitted("dlqdf", images, labels)
    assert torch.isfinite(network(images)).all()
    assert network(images).argmax(1).tolist() == labels.tolist()


def test_it_refuses_what_it_cannot_fit():
    network = Dlqdf(3, 1, 64, 0)
    with pytest.raises(ValueError, match="got none; call update"):
        network.finish()
    images, labels = strokes(2, classes=3)
    network.update(images[labels != 1], labels[labels != 1])
    with pytest.raises(ValueError, match=r"none of classes \[1\]"):
        network.finish()
