"""From packed characters to batches: same keys, same pixels, whoever reads them."""

import numpy as np
import pytest
import torch

from datamodules._characters import Characters
from datamodules._image import fit_matrix, resample
from datamodules._loader import BatchDataset, EpochBatches, Fitted, Key, make_loader


def characters(count: int, channels: int = 1) -> Characters:
    rng = np.random.default_rng(5)
    tail = () if channels == 1 else (channels,)
    images = [rng.integers(0, 256, (*rng.integers(5, 20, 2), *tail), dtype=np.uint8) for _ in range(count)]
    return Characters.pack(images, list(range(count)))


class Drawn:
    """A view that paints its draw, made from the key alone, over the image."""

    def __call__(self, image: np.ndarray, key: Key) -> np.ndarray:
        return np.random.default_rng(key).integers(0, 256, (8, 8), dtype=np.uint8)


def epoch_of(count: int, batch: int, workers: int, seed: int, epoch: int) -> list[dict[str, torch.Tensor]]:
    loader = make_loader(BatchDataset(characters(count), Drawn(), 8, 1, seed), batch, True, workers)
    loader.sampler.set_epoch(epoch)
    return list(loader)


def equal(a: list[dict[str, torch.Tensor]], b: list[dict[str, torch.Tensor]]) -> bool:
    return len(a) == len(b) and all(
        torch.equal(x["images"], y["images"]) and torch.equal(x["labels"], y["labels"])
        for x, y in zip(a, b, strict=True)
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_do_not_change_the_batches(workers: int) -> None:
    alone = make_loader(BatchDataset(characters(22), Drawn(), 8, 1, 3), 4, True, 0)
    helped = make_loader(BatchDataset(characters(22), Drawn(), 8, 1, 3), 4, True, workers)
    for epoch in range(3):  # workers outlive their first epoch and must follow
        alone.sampler.set_epoch(epoch)
        helped.sampler.set_epoch(epoch)
        assert equal(list(alone), list(helped))


def test_same_seed_and_epoch_repeat() -> None:
    assert equal(epoch_of(20, 4, 0, seed=1, epoch=2), epoch_of(20, 4, 0, seed=1, epoch=2))


@pytest.mark.parametrize(("seed", "epoch"), [(1, 3), (2, 2)])
def test_another_epoch_or_seed_draws_and_orders_afresh(seed: int, epoch: int) -> None:
    a, b = epoch_of(20, 4, 0, seed=1, epoch=2), epoch_of(20, 4, 0, seed=seed, epoch=epoch)
    labels = [torch.cat([batch["labels"] for batch in run]) for run in (a, b)]
    assert not torch.equal(*labels)
    assert torch.equal(*(found.sort().values for found in labels))  # still each character once
    by_label = [
        {int(label): image for batch in run for label, image in zip(batch["labels"], batch["images"], strict=True)}
        for run in (a, b)
    ]
    assert not any(torch.equal(by_label[0][label], by_label[1][label]) for label in by_label[0])


@pytest.mark.parametrize(
    ("count", "batch", "shuffle", "sizes"),
    [
        (10, 4, True, [4, 4]),  # a short batch would weigh its characters more
        (3, 4, True, [3]),  # unless it is all there is
        (8, 4, True, [4, 4]),
        (10, 4, False, [4, 4, 2]),  # evaluation leaves nothing out
        (0, 4, True, []),
        (0, 4, False, []),
    ],
)
def test_last_batch(count: int, batch: int, shuffle: bool, sizes: list[int]) -> None:
    batches = EpochBatches(count, batch, shuffle, seed=0)
    assert [len(keys) for keys in batches] == sizes
    assert len(batches) == len(sizes)


def test_fits_in_one_pass_see_every_character() -> None:
    batches = EpochBatches(10, 4, True, seed=0, keep_rest=True)
    assert [len(keys) for keys in batches] == [4, 4, 2]
    assert len(batches) == 3


def test_evaluation_keeps_the_order() -> None:
    loader = make_loader(BatchDataset(characters(7), Fitted(8), 8, 1, 0), 3, False, 0)
    assert torch.cat([batch["labels"] for batch in loader]).tolist() == list(range(7))


def test_each_process_of_a_group_takes_its_own_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = [tuple(keys) for keys in EpochBatches(22, 4, True, seed=1)]
    shares = []
    for rank in range(2):
        monkeypatch.setattr("datamodules._loader._rank_and_world", lambda rank=rank: (rank, 2))
        batches = EpochBatches(22, 4, True, seed=1)
        shares.append([tuple(keys) for keys in batches])
        assert len(batches) == len(shares[-1]) == 2  # all take as many steps, or the last would wait for ever
    assert not set(shares[0]) & set(shares[1])
    assert {*shares[0], *shares[1]} <= set(alone)


@pytest.mark.parametrize("channels", [1, 3])
def test_batches_are_what_the_evaluation_geometry_gives(channels: int) -> None:
    part = characters(4, channels)
    (batch,) = make_loader(BatchDataset(part, Fitted(9), 9, channels, 0), 8, False, 0)
    assert batch["images"].shape == (4, channels, 9, 9)
    assert batch["images"].dtype == torch.uint8
    assert batch["labels"].dtype == torch.int64
    image = part.image(2)
    wanted = resample(image, fit_matrix(*image.shape[:2], 9), 9)
    found = batch["images"][2].permute(1, 2, 0).numpy()
    assert (found == wanted.reshape(found.shape)).all()
