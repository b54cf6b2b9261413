"""Early exits on real layers: many are read as one by one, stages as the whole, and nothing runs in vain."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from fake.tiny_cascade import HEADS, noise, sealed

from tasks.early_exits.cascade import EarlyExits, cascade_of, every_head, exit_stages
from tasks.early_exits.policy import ExitPolicy, HeadAnswers, follow
from tasks.early_exits.training import answers_of
from tasks.normalised import Normalised
from tasks.recogniser import Recogniser, save_weights

EXITS = [(), ("one",), ("two",), ("one", "two")]


def with_policy(exits, average, threshold=0.7, temperatures=(1.5, 0.8, 1.0)):
    network = sealed()
    cascade_of(network).policy = ExitPolicy(dict.fromkeys(exits, threshold), average, temperatures)
    return network


@pytest.mark.parametrize(("exits", "average"), list(product(EXITS, (False, True))))
def test_many_are_read_as_one_by_one_and_as_every_head_says(exits, average):
    network, images = with_policy(exits, average), noise(60)
    with torch.inference_mode():
        run = EarlyExits(network)
        probabilities, left = run(images)
        alone = [run(image[None]) for image in images]
        heads = every_head(network, images)
    torch.testing.assert_close(probabilities, torch.cat([found for found, _ in alone]))
    assert left.tolist() == [int(number) for _, number in alone]
    answers = HeadAnswers(*(part.numpy() for part in answers_of(heads)))
    classes, wanted = follow(cascade_of(network).policy, HEADS, answers)
    assert left.tolist() == wanted.tolist()
    assert probabilities.argmax(1).tolist() == classes.tolist()
    assert set(left.tolist()) == {*(HEADS.index(name) for name in exits), 2}  # every exit is taken by some
    by_head = torch.stack([*heads[:2], (heads[1] + heads[2]) / 2 if average else heads[2]])
    torch.testing.assert_close(probabilities, by_head[left, torch.arange(60)])


def test_logits_are_divided_by_the_temperature_of_their_head():
    network, images = with_policy((), False), noise(4)
    plain = cascade_of(network).logits(network.normalise(images), HEADS)
    for head, logits, temperature in zip(every_head(network, images), plain, (1.5, 0.8, 1.0), strict=True):
        torch.testing.assert_close(head, torch.softmax(logits / temperature, 1))


@pytest.mark.parametrize(
    ("exits", "average", "stays", "leaves"),
    [
        ((), False, {"stages.one", "stages.two", "stages.last", "classifiers.last"}, None),
        (("one",), False, {"classifiers.one", "stages.two", "stages.last", "classifiers.last"}, {"classifiers.one"}),
        (
            ("one",),
            True,
            {"classifiers.one", "stages.two", "classifiers.two", "stages.last", "classifiers.last"},
            {"classifiers.one"},
        ),
        (
            ("one", "two"),
            True,
            {"classifiers.one", "stages.two", "classifiers.two", "stages.last", "classifiers.last"},
            {"classifiers.one"},
        ),
    ],
)
def test_only_what_is_needed_runs(exits, average, stays, leaves):
    network = with_policy(exits, average, threshold=1.0, temperatures=(5.0, 5.0, 5.0))
    assert ran(network) == {"stages.one", *stays}
    if leaves is not None:
        cascade_of(network).policy = replace(cascade_of(network).policy, exits=dict.fromkeys(exits, 1e-6))
        assert ran(network) == {"stages.one", *leaves}


def ran(network):
    """The stages and heads that one character passes; none of them twice."""
    names, handles = [], []
    for name, layer in cascade_of(network).named_modules():
        if name.count(".") == 1 and name.startswith(("stages", "classifiers")):
            handles.append(layer.register_forward_hook(lambda *_, name=name: names.append(name)))
    with torch.inference_mode():
        EarlyExits(network)(noise(1))
    for handle in handles:
        handle.remove()
    assert len(names) == len(set(names))
    return set(names)


def test_legs_end_at_the_exits():
    def shape(exits, average):
        return [(stage.name, stage.threshold, stage.takes_before) for stage in exit_stages(with_policy(exits, average))]

    assert shape((), True) == [("last", None, False)]
    assert shape(("one",), True) == [("one", 0.7, False), ("last", None, False)]
    assert shape(("one", "two"), False) == [("one", 0.7, False), ("two", 0.7, False), ("last", None, False)]
    assert shape(("one", "two"), True)[-1] == ("last", None, True)  # the mean's first part is there already


def test_the_policy_travels_with_the_weights(tmp_path):
    network = with_policy(("two",), True, 0.93, (1.1, 0.9, 1.0))
    save_weights(network, tmp_path / "w.safetensors")
    from safetensors.torch import load_file

    other = sealed(seed=1)
    other.load_state_dict(load_file(tmp_path / "w.safetensors"))
    assert cascade_of(other).policy == ExitPolicy({"two": 0.93}, True, (1.1, 0.9, 1.0))


@pytest.mark.parametrize("extreme", [1e-6, 1.4e-6, 1e6])
def test_what_a_policy_takes_can_be_read_back(extreme):
    cascade = cascade_of(sealed())
    threshold = min(extreme, 1.0)
    cascade.policy = ExitPolicy({"one": threshold}, False, (extreme, 1.0, 1.0))
    found = cascade.policy
    assert found.exits == {"one": pytest.approx(threshold, abs=5e-7)}
    assert found.temperatures[0] == pytest.approx(extreme, abs=5e-7)


def test_a_policy_of_other_heads_is_refused():
    cascade = cascade_of(sealed())
    for wrong in (ExitPolicy({"last": 1.0}), ExitPolicy({"mid_a": 1.0}), ExitPolicy(temperatures=(1.0, 1.0))):
        with pytest.raises(ValueError, match=r"wanted exits among \('one', 'two'\) and 3 temperatures, got ExitPolicy"):
            cascade.policy = wrong
    with pytest.raises(TypeError, match="wanted a Normalised network with early exits, got Normalised without them"):
        EarlyExits(Normalised(torch.nn.Flatten()))


def test_a_recogniser_leaves_early_and_says_that_its_cost_varies():
    network = with_policy(("one",), True)
    recogniser = Recogniser(network, 1, 16)
    assert recogniser.data_dependent_cost
    images = noise(20)[:, 0].numpy()
    with torch.inference_mode():
        wanted, left = EarlyExits(network)(torch.from_numpy(images)[:, None])
    assert len(set(left.tolist())) == 2
    np.testing.assert_allclose(np.stack([recogniser(image) for image in images]), wanted, atol=1e-6)
    assert not Recogniser(with_policy((), True), 1, 16).data_dependent_cost
    assert not Recogniser(Normalised(torch.nn.Flatten()), 1, 16).data_dependent_cost


def test_weights_with_one_threshold_for_all_heads_are_still_read():
    network = with_policy(("one", "two"), True, threshold=0.5)
    state = network.state_dict()
    state["network.exits.threshold"] = torch.tensor(0.93)
    del state["network.exits.thresholds"]
    other = sealed(seed=1)
    other.load_state_dict(state)
    assert cascade_of(other).policy.exits == {"one": 0.93, "two": 0.93}
