"""What every dataset offers: validation parts, fingerprints, loaders."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datamodules._base import (
    VALIDATION_LEAST,
    VALIDATION_SHARE,
    CharacterDataModule,
    DatasetInfo,
    Splits,
    cut_validation,
    fingerprint_of,
)
from datamodules._characters import Characters
from datamodules._loader import Key


def dots(labels: list[int], writers: list[int] | None = None) -> Characters:
    """One-pixel images that all differ, so that each can be told from the others."""
    images = [np.full((1, 2), (i % 256, i // 256), np.uint8) for i in range(len(labels))]
    return Characters.pack(images, labels, writers)


def identities(part: Characters) -> set[bytes]:
    return {part.image(i).tobytes() for i in range(len(part))}


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 12), st.integers(2, 30), st.integers(0, 9))
def test_known_writers_are_never_on_both_sides(writers: int, each: int, seed: int) -> None:
    names = np.random.default_rng(seed).permutation(np.repeat(np.arange(writers), each))
    train = dots([0] * len(names), names.tolist())
    rest, val = cut_validation(train)
    assert not set(rest.writers) & set(val.writers)
    assert len(val) >= VALIDATION_SHARE * len(train)
    assert len(rest) > 0
    assert identities(rest) | identities(val) == identities(train)
    assert len(rest) + len(val) == len(train)


def test_unknown_writers_are_cut_by_class() -> None:
    train = dots([i % 10 for i in range(4000)])
    rest, val = cut_validation(train)
    assert np.bincount(val.labels).tolist() == [40] * 10  # a tenth of each class
    assert np.bincount(rest.labels).tolist() == [360] * 10
    assert not identities(rest) & identities(val)


def test_one_unknown_writer_makes_all_unknown() -> None:
    rest, val = cut_validation(dots([0] * 30 + [1] * 30, [1] * 30 + [-1] * 30))
    assert np.bincount(rest.labels).tolist() == [20, 20]
    assert np.bincount(val.labels).tolist() == [10, 10]  # by class; writer 1 alone would be class 0 alone


def test_small_sets_give_what_latency_needs_up_to_a_third() -> None:
    assert len(cut_validation(dots([0] * 300 + [1] * 600))[1]) == VALIDATION_LEAST + 1  # rounded up per class
    assert len(cut_validation(dots([0] * 30 + [1] * 30))[1]) == 20


def test_no_class_loses_its_last_training_image() -> None:
    rest, val = cut_validation(dots([0] * 50 + [1] + [2] * 2))
    assert set(rest.labels) == {0, 1, 2}
    assert 1 not in val.labels


def test_the_cut_is_the_same_every_time() -> None:
    train = dots([i % 3 for i in range(60)])
    assert identities(cut_validation(train)[1]) == identities(cut_validation(train)[1])


def splits(pixel: int = 0, label: int = 0, writer: int = -1, name: str = "a") -> Splits:
    image = np.full((2, 3), 9, np.uint8)
    image[1, 2] = pixel
    train = Characters.pack([np.zeros((2, 2), np.uint8), image], [1, label], [-1, writer])
    return Splits((name, "b"), train, dots([0]), dots([1]))


@pytest.mark.parametrize("change", [{"pixel": 1}, {"label": 1}, {"writer": 4}, {"name": "c"}])
def test_anything_that_changes_changes_the_fingerprint(change: dict[str, object]) -> None:
    assert fingerprint_of(splits()) == fingerprint_of(splits())
    assert fingerprint_of(splits(**change)) != fingerprint_of(splits())


def test_the_fingerprint_knows_the_split_and_the_shape() -> None:
    a, b, c = dots([0]), dots([0, 0]), dots([0, 0, 0])
    first, second = b.take(np.array([0])), b.take(np.array([1]))
    assert fingerprint_of(Splits(("x",), first, second, a)) != fingerprint_of(Splits(("x",), second, first, a))
    assert fingerprint_of(Splits(("x",), b, a, a)) != fingerprint_of(Splits(("x",), c, a, a))
    wide, high = np.zeros((1, 6), np.uint8), np.zeros((6, 1), np.uint8)
    packed = [Characters.pack([image], [0]) for image in (wide, high)]
    assert fingerprint_of(Splits(("x",), packed[0], a, a)) != fingerprint_of(Splits(("x",), packed[1], a, a))


def test_the_fingerprint_knows_who_wrote_what_but_not_by_which_number() -> None:
    def by(*writers: int) -> str:
        return fingerprint_of(Splits(("x", "y"), dots([0, 1, 0], list(writers)), dots([1]), dots([0])))

    assert by(0, 1, 1) == by(7, 9, 9)
    assert len({by(0, 1, 1), by(0, 0, 1), by(0, 0, 0), by(-1, -1, -1)}) == 4


def test_the_fingerprint_does_not_depend_on_how_characters_are_packed() -> None:
    part = dots([0, 1, 0])
    shuffled = Characters.pack([part.image(i) for i in (2, 0, 1)], [0, 0, 1]).take(np.array([1, 2, 0]))
    empty = dots([])
    assert fingerprint_of(Splits(("x", "y"), part, empty, empty)) == fingerprint_of(
        Splits(("x", "y"), shuffled, empty, empty)
    )


def test_a_known_content_stands_for_the_pixels() -> None:
    a, b = splits(pixel=0), splits(pixel=1)
    known = [fingerprint_of(replace(one, content="c")) for one in (a, b)]
    assert known[0] == known[1] != fingerprint_of(a)
    assert fingerprint_of(replace(a, content="d")) != known[0]
    assert fingerprint_of(replace(a, content="c", val=dots([1]))) != known[0]  # the split still counts


class Dots(CharacterDataModule):
    """Counts how often it is loaded."""

    loads = 0

    def load(self) -> Splits:
        self.loads += 1
        return Splits(("a", "b"), dots([0, 1] * 8), dots([0, 1]), dots([1, 0, 1]))

    def describe(self, splits: Splits) -> DatasetInfo:
        return DatasetInfo("dots", len(splits.labels), {"train": 16, "val": 2, "test": 3}, "", "", True)


def test_it_loads_once_whatever_is_asked() -> None:
    data = Dots(batch_size=4)
    data.setup("fit")
    data.setup("test")
    assert (data.info.classes, data.labels, len(data.train)) == (2, ("a", "b"), 16)
    assert data.fingerprint == data.fingerprint
    assert data.loads == 1


def test_augmentation_touches_training_batches_alone() -> None:
    def black(image: np.ndarray, key: Key) -> np.ndarray:
        return np.zeros((6, 6), np.uint8)

    data = Dots(batch_size=4)
    data.set_input(1, 6)
    data.set_augmentation(black)
    assert all((batch["images"] == 0).all() for batch in data.train_dataloader())
    for loader in (data.val_dataloader(), data.test_dataloader(), data.predict_dataloader()):
        assert all((batch["images"] == 255).any() for batch in loader)  # the paper around a 1×2 image


def test_batches_follow_what_the_task_takes() -> None:
    data = Dots(batch_size=5)
    data.set_input(3, 7)
    assert [tuple(batch["images"].shape) for batch in data.train_dataloader()] == [(5, 3, 7, 7)] * 3


class FewDots(CharacterDataModule):
    """Four classes of 3, 10, 20 and 1 training images."""

    def load(self) -> Splits:
        train = dots([0] * 3 + [1] * 10 + [2] * 20 + [3])
        return Splits(("a", "b", "c", "d"), train, dots([0, 1, 2, 3]), dots([3, 2, 1, 0]), content="abc")

    def describe(self, splits: Splits) -> DatasetInfo:
        return DatasetInfo("dots", 4, splits.sizes, "made here", "none", True)


def few(per_class: int | None) -> FewDots:
    made = FewDots()
    made.per_class = per_class
    return made


def test_a_training_part_of_so_many_images_a_class() -> None:
    assert np.bincount(few(5).train.labels).tolist() == [3, 5, 5, 1]
    assert few(5).info.name == "dots-5-per-class"
    assert few(5).info.sizes == {"train": 14, "val": 4, "test": 4}
    assert few(None).info.name == "dots"


def test_fewer_images_a_class_are_a_part_of_more() -> None:
    parts = [identities(few(number).train) for number in (1, 5, 10)]
    assert parts[0] < parts[1] < parts[2]


def test_other_numbers_of_images_have_other_fingerprints() -> None:
    assert len({few(number).fingerprint for number in (None, 1, 5, 10)}) == 4
