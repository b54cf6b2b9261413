"""Rows made from another row's weights: an unfinished training goes on only where its parent is the same."""

from pathlib import Path

from bench.run.parents import discard_checkpoint_of_other_parent
from bench.training.train import CHECKPOINT


def test_an_unfinished_training_of_another_parent_is_begun_anew(tmp_path: Path) -> None:
    weights, folder = tmp_path / "weights.safetensors", tmp_path / "row"
    folder.mkdir()
    weights.write_bytes(b"first")
    discard_checkpoint_of_other_parent(weights, folder)
    (folder / CHECKPOINT).write_bytes(b"half way")
    discard_checkpoint_of_other_parent(weights, folder)
    assert (folder / CHECKPOINT).read_bytes() == b"half way"
    weights.write_bytes(b"second")
    discard_checkpoint_of_other_parent(weights, folder)
    assert not (folder / CHECKPOINT).exists()
