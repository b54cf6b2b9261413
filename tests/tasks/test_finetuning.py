"""Fine-tuning starts from trained weights, class by class."""

from pathlib import Path

import numpy as np
import pytest
import torch

from datamodules._characters import Characters
from tasks.building import built
from tasks.finetuning import imprint, start_from
from tasks.recogniser import save_weights

LABELS = ("一", "二", "三", "四")


@pytest.fixture
def trained(tmp_path: Path):
    """A network of four classes, and its file."""
    torch.manual_seed(3)
    network = built("lenet5", 4)[0]
    save_weights(network, tmp_path / "w.safetensors")
    return network.state_dict(), tmp_path / "w.safetensors"


def fresh(classes: int):
    torch.manual_seed(7)
    return built("lenet5", classes)[0]


def test_the_same_classes_get_all_weights(trained) -> None:
    weights, path = trained
    network = fresh(4)
    assert start_from(network, "lenet5", LABELS, path, LABELS) == []
    for name, value in network.state_dict().items():
        assert torch.equal(value, weights[name]), name


def test_classes_are_found_by_their_labels(trained) -> None:
    weights, path = trained
    labels = ("五", "四", "一")
    network = fresh(3)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert start_from(network, "lenet5", labels, path, LABELS) == [0]
    last = [name for name in before if before[name].shape[:1] == (3,)]
    assert len(last) == 2  # weight and bias of the classifier
    for name, value in network.state_dict().items():
        if name in last:
            assert torch.equal(value[1:], weights[name][[3, 0]])
            assert torch.equal(value[0], before[name][0])
        else:
            assert torch.equal(value, weights[name])


def test_weights_of_another_network_are_refused(trained, tmp_path: Path) -> None:
    network = built("squeezenet", 4)[0]
    with pytest.raises(ValueError, match=r"w\.safetensors: not weights of squeezenet: it lacks"):
        start_from(network, "squeezenet", LABELS, trained[1], LABELS)


def test_imprinted_classes_answer_to_their_own_images_before_any_training() -> None:
    rng = np.random.default_rng(0)
    kinds = [np.where(rng.random((40, 40)) < 0.5, 0, 255).astype(np.uint8) for _ in range(5)]
    images = [np.where(rng.random((40, 40)) < 0.1, 255 - kind, kind) for kind in kinds for _ in range(6)]
    train = Characters.pack(images, np.repeat(range(5), 6).tolist())
    network, channels, size = built("quill", 5)
    imprint(network, channels, size, train.take(np.arange(0, 30, 6)), range(5))  # from one image of each
    assert network.training
    network.eval()
    # The input side is 48, and the images are resampled as the datamodule does it.
    from datamodules._image import fit_matrix, resample

    shown = np.stack([resample(image, fit_matrix(40, 40, size), size) for image in images])[:, None]
    with torch.no_grad():
        answers = network(torch.from_numpy(shown)).argmax(1).numpy()
    assert (answers == train.labels).mean() > 0.9


def test_a_class_without_images_keeps_its_random_weights_and_cascades_theirs() -> None:
    torch.manual_seed(0)
    network, channels, size = built("quill", 3)
    before = network.state_dict()["network.classifier.weight"].clone()
    train = Characters.pack([np.full((9, 9), grey, np.uint8) for grey in (0, 90)], [0, 2])
    imprint(network, channels, size, train, range(3))
    after = network.state_dict()["network.classifier.weight"]
    assert [torch.equal(before[row], after[row]) for row in range(3)] == [False, True, False]
    cascade, channels, size = built("fire_cascade", 3)
    before = {name: value.clone() for name, value in cascade.state_dict().items()}
    imprint(cascade, channels, size, train, range(3))
    assert all(torch.equal(value, before[name]) for name, value in cascade.state_dict().items())


@pytest.mark.parametrize("classes", [30, 60])
def test_a_projection_that_follows_the_number_of_classes_is_not_taken_for_rows(tmp_path: Path, classes: int) -> None:
    trained = built("dlqdf:mqdf", 90 - classes)[0]
    save_weights(trained, tmp_path / "w.safetensors")
    labels, others = [str(one) for one in range(classes)], [str(one) for one in range(90 - classes)]
    missing = start_from(built("dlqdf:mqdf", classes)[0], "dlqdf:mqdf", labels, tmp_path / "w.safetensors", others)
    assert missing == list(range(90 - classes, classes))
