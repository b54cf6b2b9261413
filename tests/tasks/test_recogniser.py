"""Stored weights: equal ones are equal files, whatever they say of themselves."""

from pathlib import Path

import torch
from safetensors import safe_open
from torch import nn

from tasks.recogniser import save_weights


def test_equal_weights_and_words_give_equal_bytes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5))
    words = {name: f"{name} 啊" for name in "zyxwvutsrqponm"}
    paths = [tmp_path / f"{number}.safetensors" for number in range(4)]
    for path in paths:
        save_weights(network, path, words)
    assert len({path.read_bytes() for path in paths}) == 1
    with safe_open(paths[0], framework="pt") as stored:
        assert stored.metadata() == words
        for name, value in network.state_dict().items():
            assert torch.equal(stored.get_tensor(name), value)
