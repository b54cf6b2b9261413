"""Rows whose weights the user gives: measured and stored like others, and never trained."""

from pathlib import Path

import pytest
import torch
from fake.house import House
from fake.image_folder import write_folder
from fake.imagenet import write_imagenet
from PIL import Image
from safetensors.torch import load_file, save_file
from torchvision.models import ResNet50_Weights, resnet50

from bench import estimate
from bench._rows import recipe_name
from bench.given import WeightsError
from bench.plan import Request, UsageError, make_plan
from bench.predictions import read_predictions, row_folder
from bench.train import Hardware, predict, take
from datamodules import imagenet
from tasks.recipe import recipe_for

SYSTEMS = ("acme_tiny+c4", "acme_tiny+c4-retrained")


@pytest.fixture
def weights(house: House) -> Path:
    """A folder with trained weights, by the names that the network has where it was trained without ours."""
    (record,) = house.run("acme_tiny")
    tensors = load_file(row_folder(house.place / "runs", record) / "weights.safetensors")
    folder = house.place / "weights"
    folder.mkdir()
    inside = {name.removeprefix("network."): tensor for name, tensor in tensors.items()}
    save_file(inside, folder / "acme_tiny.safetensors")
    house.place = house.place / "given"
    return folder


def test_a_row_takes_what_is_given_and_others_are_made_from_it(house: House, weights: Path) -> None:
    (trained,) = (Path(path) for path in (house.place.parent / "out").rglob("*.json"))
    costs = estimate.costs(house.plan(*SYSTEMS, weights=weights))
    assert [row["todo"] for row in costs] == ["train"] * 3
    assert costs[0]["seconds_train"] < 1
    parent, stored, retrained = house.run(*SYSTEMS, weights=weights)
    assert [record["status"] for record in (parent, stored, retrained)] == ["whole"] * 3
    assert parent["given"]["file"] == "acme_tiny.safetensors"
    assert (parent["seconds"]["train"], parent["precision"], recipe_name(parent)) == (0, None, "")
    before = read_predictions(row_folder(house.place.parent / "runs", parent))
    assert (read_predictions(row_folder(house.place / "runs", parent)).top == before.top).all()
    assert stored["parent"]["checkpoint_sha256"] == parent["checkpoint_sha256"]
    assert "given" not in stored
    assert retrained["retraining"]["curve"]
    assert trained.exists()


def test_the_same_weights_are_kept_and_others_taken_anew(house: House, weights: Path) -> None:
    def todo(given: Path | None) -> list[str]:
        return [row["todo"] for row in estimate.costs(house.plan(SYSTEMS[0], weights=given))]

    house.run(SYSTEMS[0], weights=weights)
    assert todo(weights) == ["nothing", "nothing"]
    assert todo(None)[0] == "train"
    file = weights / "acme_tiny.safetensors"
    save_file({name: tensor * 2 for name, tensor in load_file(file).items()}, file)
    assert todo(weights)[0] == "train"
    first, second = house.run(SYSTEMS[0], weights=weights)
    assert second["parent"]["checkpoint_sha256"] == first["checkpoint_sha256"]
    assert todo(weights) == ["nothing", "nothing"]


def test_weights_of_another_network_fail_their_row(house: House, weights: Path) -> None:
    file = weights / "acme_tiny.safetensors"
    tensors = load_file(file)
    save_file({**tensors, "5.weight": tensors["5.weight"][:1]}, file)
    (record,) = house.run("acme_tiny", weights=weights)
    assert record["status"] == "failed"
    assert "acme_tiny.safetensors: not the weights of acme_tiny with 2 classes: " in record["error"]
    assert "5.weight is 1×288 instead of 2×288" in record["error"]


def test_weights_that_no_row_takes_are_refused(house: House, weights: Path) -> None:
    with pytest.raises(UsageError, match="wanted weights of a row, got those of acme_tiny; rows: lenet5"):
        house.plan("lenet5", weights=weights)
    with pytest.raises(UsageError, match=r"rows: acme_tiny\+paper"):
        house.plan("acme_tiny+paper", weights=weights)
    with pytest.raises(WeightsError, match="no pickle is read"):
        house.plan("acme_tiny", weights=house.strokes)


def test_imagenet_without_training_photographs_wants_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imagenet, "CLASSES", 4)
    root = write_imagenet(tmp_path / "photographs", 4, val=40)
    (tmp_path / "weights").mkdir()
    save_file({"x": torch.zeros(1)}, tmp_path / "weights" / "torchvision--resnet50.safetensors")

    def asked(system: str, weights: Path | None = None, unlabelled: str | None = None) -> Request:
        return Request("compression", "imagenet", "quick", root, (system,), weights=weights, unlabelled=unlabelled)

    with pytest.raises(UsageError, match=r"images to train torchvision:resnet50 on, got none; give .* --weights"):
        make_plan(asked("torchvision:resnet50"))
    plan = make_plan(asked("torchvision:resnet50+c256-of-layer3-layer4", weights=tmp_path / "weights"))
    assert [plan.given_to(system) is not None for system in plan.systems] == [True, False]
    with pytest.raises(UsageError, match=r"resnet50\+c256-retrained on, got none; .* --unlabelled"):
        make_plan(asked("torchvision:resnet50+c256-retrained", weights=tmp_path / "weights"))
    others = f"image_folder:{write_folder(tmp_path / 'others')}"
    make_plan(asked("torchvision:resnet50+c256-retrained", weights=tmp_path / "weights", unlabelled=others))


def test_given_networks_answer_as_torchvision_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imagenet, "CLASSES", 4)
    data = imagenet.ImageNet(write_imagenet(tmp_path / "photographs", 4, val=3))
    torch.manual_seed(0)
    network = resnet50(num_classes=4).eval()
    save_file(network.state_dict(), tmp_path / "torchvision--resnet50.safetensors")
    made = "torchvision:resnet50", recipe_for("light", {}), data, tmp_path / "row"
    task, outcome = take(*made, tmp_path / "torchvision--resnet50.safetensors")
    answers = predict(task, data, Hardware("cpu"))
    shown = ResNet50_Weights.IMAGENET1K_V1.transforms()
    images = torch.stack([shown(Image.open(tmp_path / "photographs" / file)) for file in data.test.files])
    with torch.no_grad():
        wanted = torch.softmax(network(images), 1)
    assert answers.labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    torch.testing.assert_close(torch.from_numpy(answers.probability), wanted.amax(1), rtol=1e-3, atol=1e-4)
    assert (answers.top[:, 0] == wanted.argmax(1).numpy()).all()
    assert outcome.weights.exists()
