"""On-the-fly augmentation: drawn from (seed, epoch, index), one resampling, ink on white paper."""

import random

import albumentations as A
import numpy as np
import pytest
from fake.image_folder import stroke
from hypothesis import example, given, settings
from hypothesis import strategies as st

from datamodules._characters import Characters
from datamodules._image import PAPER, fit_matrix, resample
from datamodules._loader import BatchDataset, Fitted, make_loader
from tasks.augmentation import CharacterAugmentation
from tasks.recipe import Augmentation
from tasks.recipes import LIGHT_AUGMENTATION, PAPER_AUGMENTATION

SIZE = 32
PARTS = {
    "flip_left_right": {"flip_left_right": 1.0},
    "flip_up_down": {"flip_up_down": 1.0},
    "rotate": {"rotate": 25.0},
    "stretch": {"stretch": (0.5, 2.5)},
    "zoom": {"zoom": (0.6, 0.9)},
    "shift": {"shift": 0.2},
    "shear": {"shear": 20.0},
}


def images(count: int = 12) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [stroke(i % 5, 5, rng) for i in range(count)]


@pytest.mark.parametrize("shape", [(40, 25), (25, 40), (33, 33), (7, 90), (64, 64, 3)])
def test_identity_is_the_evaluation_path_to_the_bit(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    view = CharacterAugmentation(Augmentation(), SIZE)
    wanted = resample(image, fit_matrix(*shape[:2], SIZE), SIZE)
    for epoch in range(3):
        assert (view(image, (0, epoch, 5)) == wanted).all()
        assert (Fitted(SIZE)(image, (0, epoch, 5)) == wanted).all()


@pytest.mark.parametrize("never", [Augmentation(), Augmentation(flip_left_right=1e-300)])  # the second goes all the way
@settings(max_examples=150, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from([28, 32, 52, 64, 96]), st.sampled_from([1, 3]))
@example(1, 300, 64, 1)
@example(300, 1, 64, 3)
@example(1, 1, 96, 1)
@example(5, 128, 64, 1)
def test_drawing_nothing_is_the_evaluation_path_for_any_size(
    never: Augmentation, height: int, width: int, size: int, channels: int
) -> None:
    shape = (height, width) if channels == 1 else (height, width, channels)
    image = np.random.default_rng(height).integers(0, 256, shape, dtype=np.uint8)
    found = CharacterAugmentation(never, size)(image, (0, 1, width))
    wanted = resample(image, fit_matrix(height, width, size), size)
    assert np.abs(found.astype(int) - wanted).max() <= 2  # grey levels


def test_a_key_draws_the_same_whatever_came_before() -> None:
    image = images(1)[0]
    view = CharacterAugmentation(PAPER_AUGMENTATION, SIZE)
    first = view(image, (1, 2, 3))
    view(image, (9, 9, 9))
    random.seed(4)
    np.random.seed(4)
    assert (view(image, (1, 2, 3)) == first).all()
    assert (CharacterAugmentation(PAPER_AUGMENTATION, SIZE)(image, (1, 2, 3)) == first).all()


@pytest.mark.parametrize("key", [(0, 2, 3), (1, 0, 3), (1, 2, 0), (2, 1, 3), (3, 2, 1)])
def test_another_seed_epoch_or_index_draws_something_else(key: tuple[int, int, int]) -> None:
    image = images(1)[0]
    view = CharacterAugmentation(PAPER_AUGMENTATION, SIZE)
    assert (view(image, key) != view(image, (1, 2, 3))).any()


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_give_equal_batches_and_epochs_differ(workers: int) -> None:
    part = Characters.pack(images(), list(range(12)))
    view = CharacterAugmentation(PAPER_AUGMENTATION, SIZE)
    alone, helped = (make_loader(BatchDataset(part, view, SIZE, 1, 0), 4, True, n) for n in (0, workers))
    seen = []
    for epoch in range(2):
        alone.sampler.set_epoch(epoch)
        helped.sampler.set_epoch(epoch)
        pairs = list(zip(alone, helped, strict=True))
        assert all((a["images"] == b["images"]).all() for a, b in pairs)
        seen.append({int(n): x for a, _ in pairs for n, x in zip(a["labels"], a["images"], strict=True)})
    assert all((seen[0][n] != seen[1][n]).any() for n in range(12))


def test_it_works_in_a_compose() -> None:
    image = images(1)[0]
    composed = A.Compose([CharacterAugmentation(LIGHT_AUGMENTATION, SIZE)], seed=3)
    found = [composed(image=image)["image"] for _ in range(3)]
    assert all(one.shape == (SIZE, SIZE) and one.dtype == np.uint8 for one in found)
    assert (found[0] != found[1]).any()
    again = A.Compose([CharacterAugmentation(LIGHT_AUGMENTATION, SIZE)], seed=3)
    assert (again(image=image)["image"] == found[0]).all()


@pytest.mark.parametrize("side", ["flip_left_right", "flip_up_down"])
@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_mirrors_come_as_often_as_stated_and_are_exact(side: str, probability: float) -> None:
    image = np.random.default_rng(2).integers(0, 256, (SIZE, SIZE), dtype=np.uint8)
    mirror = image[:, ::-1] if side == "flip_left_right" else image[::-1]
    view = CharacterAugmentation(Augmentation(**{side: probability}), SIZE)
    found = [view(image, (0, 0, index)) for index in range(1000)]
    mirrored = sum((one == mirror).all() for one in found)
    assert mirrored + sum((one == image).all() for one in found) == 1000
    assert abs(mirrored - 1000 * probability) <= 60  # four standard deviations, and none where it is certain
    assert probability == 0.3 or mirrored == 1000 * probability


@pytest.mark.parametrize("part", PARTS)
def test_each_part_works_alone_and_can_be_switched_off(part: str) -> None:
    image = np.random.default_rng(3).integers(0, 200, (30, 22), dtype=np.uint8)
    evaluated = Fitted(SIZE)(image, (0, 0, 0))
    alone = CharacterAugmentation(Augmentation(**PARTS[part]), SIZE)
    assert any((alone(image, (0, 0, index)) != evaluated).any() for index in range(5))
    others = {name: value for one, drawn in PARTS.items() if one != part for name, value in drawn.items()}
    matrices = [CharacterAugmentation(Augmentation(**given), SIZE) for given in (others, {**others, **PARTS[part]})]
    drawn = []
    for view in matrices:
        view(image, (0, 0, 1))  # seeds its generator
        drawn.append(view.matrix(30, 22))
    assert not np.allclose(*drawn)  # the part has an effect among the others too


def test_rotation_stays_within_its_bound() -> None:
    view = CharacterAugmentation(Augmentation(rotate=30.0), SIZE)
    matrices = np.array([view.matrix(40, 40) for _ in range(500)])
    angles = np.degrees(np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0]))
    assert 28 < angles.max() <= 30
    assert -30 <= angles.min() < -28


def test_width_and_height_are_stretched_apart_and_then_fitted() -> None:
    view = CharacterAugmentation(Augmentation(stretch=(0.5, 2.5)), SIZE)
    for _ in range(200):
        (a, b, _), (c, d, _) = view.matrix(60, 40)
        assert b == c == 0
        high, wide = 60 * d, 40 * a
        assert max(high, wide) == pytest.approx(SIZE, abs=0.5)  # padded to a square, then resized
        assert (0.5 / 2.5) * 0.9 < (high / wide) / (60 / 40) < (2.5 / 0.5) * 1.1


@pytest.mark.parametrize("augmentation", [LIGHT_AUGMENTATION, PAPER_AUGMENTATION])
def test_ink_survives_on_white_paper(augmentation: Augmentation) -> None:
    view = CharacterAugmentation(augmentation, SIZE)
    for index, image in enumerate(images(40)):
        found = view(image, (0, 1, index))
        assert (255 - found.astype(int)).mean() > 1
        assert (view(np.full_like(image, PAPER), (0, 1, index)) == PAPER).all()


def test_rotated_corners_are_white() -> None:
    ink = np.zeros((SIZE, SIZE), np.uint8)
    view = CharacterAugmentation(Augmentation(rotate=30.0), SIZE)
    turned = np.stack([view(ink, (0, 0, index)) for index in range(20)])
    assert (turned[:, SIZE // 2, SIZE // 2] == 0).all()
    corners = turned[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == PAPER).all(1).sum() >= 15  # all but those turned by a few degrees
