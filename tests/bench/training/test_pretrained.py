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

from bench.cli._recognizer_text import describe_classes
from bench.deploy.load import open_exported
from bench.records.compare import command_for
from bench.records.predictions import read_predictions, row_folder
from bench.run import estimate
from bench.run.export import Sources, export_system
from bench.run.plan import Request, make_plan
from bench.run.profile import profile_system
from bench.system import parse_system
from bench.training.pretrained import WeightsError
from bench.training.train import Hardware, load_pretrained, predict
from bench.training.weights_metadata import read_metadata
from datamodules import imagenet
from datamodules._errors import UsageError
from tasks.recipes import recipe_for

SYSTEMS = ("acme_tiny+given+c4", "acme_tiny+given+c4-retrained")


@pytest.fixture
def weights(house: House) -> Path:
    """A folder with trained weights, by the names that the network has where it was trained without ours."""
    (record,) = house.run("acme_tiny")
    tensors = load_file(row_folder(house.place / "runs", record) / "weights.safetensors")
    folder = house.place / "weights"
    folder.mkdir()
    inside = {name.removeprefix("network."): tensor for name, tensor in tensors.items()}
    save_file(inside, folder / "acme_tiny.safetensors")
    return folder


def test_a_row_takes_what_is_given_and_others_are_made_from_it(house: House, weights: Path) -> None:
    costs = estimate.costs(house.plan(*SYSTEMS, weights=weights))
    assert [row["todo"] for row in costs] == ["train"] * 3
    assert costs[0]["seconds_train"] < 1
    parent, stored, retrained = house.run(*SYSTEMS, weights=weights)
    assert [record["status"] for record in (parent, stored, retrained)] == ["whole"] * 3
    assert (parent["system"], parent["recipe"]["name"]) == ("acme_tiny+given", "given")
    assert parent["given"]["file"] == "acme_tiny.safetensors"
    assert (parent["seconds"]["train"], parent["precision"]) == (0, None)
    assert stored["parent"]["checkpoint_sha256"] == parent["checkpoint_sha256"]
    assert retrained["retraining"]["curve"]
    assert " --weights DIR " in command_for(stored)
    (trained,) = house.run("acme_tiny")  # still there: it is another row
    before, after = (read_predictions(row_folder(house.place / "runs", record)) for record in (trained, parent))
    assert (before.top == after.top).all()
    assert trained["seconds"]["train"] > 0


def test_the_same_weights_are_kept_and_others_taken_anew(house: House, weights: Path) -> None:
    def todo() -> list[str]:
        return [row["todo"] for row in estimate.costs(house.plan(SYSTEMS[0], weights=weights))]

    house.run(SYSTEMS[0], weights=weights)
    assert todo() == ["nothing", "nothing"]
    file = weights / "acme_tiny.safetensors"
    save_file({name: tensor * 2 for name, tensor in load_file(file).items()}, file)
    assert todo() == ["train", "train"]
    first, second = house.run(SYSTEMS[0], weights=weights)
    assert second["parent"]["checkpoint_sha256"] == first["checkpoint_sha256"]
    assert todo() == ["nothing", "nothing"]


def test_a_given_cascade_has_no_parent() -> None:
    assert parse_system("fire_cascade", "light").parent is not None
    assert parse_system("fire_cascade+given", "light").parent is None
    stored = parse_system("fire_cascade+given+u8-4", "light")
    assert stored.parent == parse_system("fire_cascade+given", "light")


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"architecture": "lenet5"}, "acme_tiny.safetensors: wanted weights of acme_tiny, got those of lenet5"),
        ({"labels": '["post", "bar"]'}, "wanted the data's classes in the same order, got post for bar"),
    ],
)
def test_weights_that_say_they_are_others_are_refused(
    house: House, weights: Path, said: dict[str, str], says: str
) -> None:
    file = weights / "acme_tiny.safetensors"
    save_file(load_file(file), file, said)
    with pytest.raises(WeightsError, match=says):
        house.plan("acme_tiny+given", weights=weights)


def test_what_weights_were_trained_on_stays_with_them(house: House, weights: Path) -> None:
    file = weights / "acme_tiny.safetensors"
    tensors = load_file(file)
    for said, wanted in (
        ({"dataset": "other strokes", "synthetic": "true", "licence": "theirs"}, ("other strokes", True, "theirs")),
        ({}, ("", None, "")),
    ):
        save_file(tensors, file, said or None)
        (record,) = house.run("acme_tiny+given", weights=weights)
        path = row_folder(house.place / "runs", record) / "weights.safetensors"
        found = read_metadata(path)
        assert (found.dataset, found.synthetic, found.licence, found.recipe) == (*wanted, "given")
        export_system(
            "acme_tiny", "onnxruntime", house.place / "tiny.onnx", Sources(path, leaderboards=house.place / "out")
        )
        about = open_exported(house.place / "tiny.onnx").about
        assert (about["dataset"], about["licence"]) == (wanted[0], wanted[2])
        assert f"% on the test part of {record['dataset']['name']}:" in describe_classes(("bar", "post"), about)


def test_counters_may_be_left_out_of_given_weights(house: House, weights: Path) -> None:
    file = weights / "acme_tiny.safetensors"
    tensors = {name: tensor for name, tensor in load_file(file).items() if "num_batches" not in name}
    save_file(tensors, file)
    (record,) = house.run("acme_tiny+given", weights=weights)
    assert record["status"] == "whole"


def test_weights_of_another_network_are_refused_by_their_header(house: House, weights: Path) -> None:
    file = weights / "acme_tiny.safetensors"
    tensors = load_file(file)
    save_file({**tensors, "5.weight": tensors["5.weight"][:1], "more": torch.ones(1)}, file)
    with pytest.raises(WeightsError, match=r"not the weights of acme_tiny with 2 classes: .*5\.weight is 1×288"):
        house.plan("acme_tiny+given", weights=weights)
    (packed,) = house.run("acme_tiny+u8-4")[1:]
    file.write_bytes((row_folder(house.place / "runs", packed) / "weights.packed").read_bytes())
    with pytest.raises(WeightsError, match="wanted weights in float32, got packed ones"):
        house.plan("acme_tiny+given", weights=weights)


def test_rows_and_weights_must_fit(house: House, weights: Path) -> None:
    with pytest.raises(UsageError, match=r"--weights: no row uses them; name one, such as"):
        house.plan("acme_tiny", weights=weights)
    with pytest.raises(UsageError, match=r"lenet5\+given: wanted a file lenet5.safetensors .*, got those of acme_tiny"):
        house.plan("lenet5+given", weights=weights)
    with pytest.raises(UsageError, match=r"acme_tiny\+given: wanted a file acme_tiny.safetensors .*, got no --weights"):
        house.plan(SYSTEMS[0])
    with pytest.raises(UsageError, match="wanted seed 0 only"):
        house.plan("acme_tiny+given", weights=weights, seeds=(1,))
    with pytest.raises(WeightsError, match="no pickle is read"):
        house.plan("acme_tiny+given", weights=house.strokes)


def test_layers_that_a_network_does_not_have_are_refused_before_it_is_trained(house: House) -> None:
    with pytest.raises(UsageError, match=r"c4-of-fire4: wanted layers called fire4 or below it, got no such layer"):
        house.plan("acme_tiny+c4-of-fire4")
    with pytest.raises(UsageError, match=r"c16-of-fire40: wanted layers called fire40"):
        profile_system("fire:gwap+c16-of-fire40", 10, "eager", None, "bench profile")


def test_imagenet_without_training_photographs_wants_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imagenet, "CLASSES", 4)
    root = write_imagenet(tmp_path / "photographs", 4, val=40)
    (tmp_path / "weights").mkdir()
    save_file(resnet50(num_classes=4).state_dict(), tmp_path / "weights" / "torchvision--resnet50.safetensors")

    def asked(system: str, weights: Path | None = None, unlabelled: str | None = None) -> Request:
        return Request("compression", "imagenet", "quick", root, (system,), weights=weights, unlabelled=unlabelled)

    with pytest.raises(UsageError, match=r"training images for torchvision:resnet50, got none; .* --weights"):
        make_plan(asked("torchvision:resnet50"))
    plan = make_plan(asked("torchvision:resnet50+given+c256-of-layer3-layer4", weights=tmp_path / "weights"))
    assert [plan.pretrained_weights(system) is not None for system in plan.systems] == [True, True]
    with pytest.raises(UsageError, match=r"\+c256-retrained, got none; .* --unlabelled"):
        make_plan(asked("torchvision:resnet50+given+c256-retrained", weights=tmp_path / "weights"))
    others = f"image_folder:{write_folder(tmp_path / 'others')}"
    make_plan(asked("torchvision:resnet50+given+c256-retrained", weights=tmp_path / "weights", unlabelled=others))


def test_given_networks_answer_as_torchvision_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imagenet, "CLASSES", 4)
    data = imagenet.ImageNet(write_imagenet(tmp_path / "photographs", 4, val=3))
    torch.manual_seed(0)
    network = resnet50(num_classes=4).eval()
    save_file(network.state_dict(), tmp_path / "torchvision--resnet50.safetensors")
    made = "torchvision:resnet50", recipe_for("given", {}), data, tmp_path / "row"
    task, outcome = load_pretrained(*made, tmp_path / "torchvision--resnet50.safetensors")
    answers = predict(task, data, Hardware("cpu"))
    shown = ResNet50_Weights.IMAGENET1K_V1.transforms()
    images = torch.stack([shown(Image.open(tmp_path / "photographs" / file.decode())) for file in data.test.files])
    with torch.no_grad():
        wanted = torch.softmax(network(images), 1)
    assert answers.labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    torch.testing.assert_close(torch.from_numpy(answers.probability), wanted.amax(1), rtol=1e-3, atol=1e-4)
    assert (answers.top[:, 0] == wanted.argmax(1).numpy()).all()
    assert outcome.weights.exists()
