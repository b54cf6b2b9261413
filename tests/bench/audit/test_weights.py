"""Trained weights that the user gives: which files are taken, and sizes that follow from them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from fake.claims import claim
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch

from bench.audit.auditor import Auditor
from bench.audit.files import DRAWN, Files, WeightsError, WeightsFolder, shapes_of
from bench.audit.networks import Networks
from tasks.compression.clustering import equal_population
from tasks.compression.hdf5 import write_hdf5

Tensors = dict[str, np.ndarray]
BUILDERS = {"resnet:50": torchvision.models.resnet50, "vgg16": torchvision.models.vgg16}
SHAPES = shapes_of(Networks().built("lenet5", 10))
LAYERS = [name.removesuffix(".weight") for name, shape in SHAPES.items() if len(shape) > 1]
CHECK = {"layers": LAYERS[-2:], "clusters": 16, "classes": 10}


def trained(seed: int = 0) -> Tensors:
    """Values of eight steps, which gzip shrinks far more than Gaussian ones; a counter beside them."""
    rng = np.random.default_rng(seed)
    tensors = {name: rng.integers(0, 8, shape).astype(np.float32) for name, shape in SHAPES.items()}
    return {**tensors, "batches": np.zeros((), np.int64)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "given"
    made.mkdir()
    save_file(trained(), made / "lenet5.safetensors")
    return made


def test_sizes_are_those_of_files_with_the_trained_weights(folder: Path, tmp_path: Path) -> None:
    built = Networks().built("lenet5", 10)
    clustered = {f"{name}.weight" for name in CHECK["layers"]}
    arrays = [
        (name, equal_population(trained()[name], 16).weights if name in clustered else trained()[name])
        for name in SHAPES
    ]
    whole = write_hdf5(tmp_path / "net.h5", arrays)
    total = 4 * sum(array.size for _, array in arrays)
    drawn = Files(tmp_path).shrunk(built, CHECK)
    found = Files(tmp_path, WeightsFolder(folder)).shrunk(built, CHECK)
    assert found.computed == pytest.approx(100 * (1 - whole / total), abs=100 * 1024 / total)
    assert "trained weights of lenet5.safetensors) with 16 clusters takes" in found.why
    assert "seeded Gaussian weights) with 16 clusters takes" in drawn.why
    # The range is of these weights too: eight values take less than half of four bytes, Gaussian weights 90 % of them.
    assert found.low > 50 > drawn.computed
    assert Files(tmp_path).shrunk(built, CHECK) == drawn  # what is remembered of one is not taken for the other


def test_other_weights_under_the_same_name_are_written_anew(folder: Path, tmp_path: Path) -> None:
    built = Networks().built("lenet5", 10)
    first = Files(tmp_path, WeightsFolder(folder)).shrunk(built, CHECK)
    save_file({**trained(), f"{LAYERS[0]}.weight": np.zeros(SHAPES[f"{LAYERS[0]}.weight"], np.float32)},
        folder / "lenet5.safetensors")  # fmt: skip
    assert Files(tmp_path, WeightsFolder(folder)).shrunk(built, CHECK).computed > first.computed


def test_a_written_layer_is_one_of_the_trained_network(folder: Path, tmp_path: Path) -> None:
    check = {**CHECK, "kind": "stored", "filter": "gzip", "system": "lenet5"}
    made = claim(check=check)
    found = Auditor([made], Files(tmp_path, WeightsFolder(folder))).verdict(made)
    assert found.verdict == "exact"
    assert "(trained weights of lenet5.safetensors), written and read back: gzip" in found.why


def test_systems_without_a_file_are_drawn(folder: Path) -> None:
    assert WeightsFolder(folder).of("vgg16", {}) is DRAWN
    assert WeightsFolder(folder).of("lenet5+paper", SHAPES) is not DRAWN


def test_weights_for_rows_of_imagenet_serve_the_claims_about_it(folder: Path) -> None:
    save_file({"features.0.weight": np.ones((2, 3), np.float32)}, folder / "torchvision--vgg16.safetensors")
    found = WeightsFolder(folder).of("vgg16", {"features.0.weight": (2, 3)})
    assert found.words == "trained weights of torchvision--vgg16.safetensors"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda name, array: {}, r"lenet5 has a tensor {} \[.*\], the file has none"),
        (lambda name, array: {name: array[:-1]}, r"{} of lenet5 is \[10, .*\] F32, in the file \[9, .*\] F32"),
        (lambda name, array: {name: array.astype(np.float16)}, r"{} of lenet5 is .* F32, in the file .* F16"),
    ],
)
def test_a_tensor_that_is_not_the_networks_is_named(
    folder: Path, change: Callable[[str, np.ndarray], Tensors], message: str
) -> None:
    name, tensors = f"{LAYERS[-1]}.weight", trained()
    array = tensors.pop(name)
    save_file({**tensors, **change(name, array)}, folder / "lenet5.safetensors")
    with pytest.raises(WeightsError, match=r"lenet5.safetensors: wanted the state dict as torchvision names it, .*"
        + message.format(name.replace(".", r"\."))):  # fmt: skip
        WeightsFolder(folder).of("lenet5", SHAPES)


def test_what_is_no_safetensors_file_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "lenet5.safetensors").write_bytes(b"PK\x03\x04")
    with pytest.raises(WeightsError, match=r"lenet5.safetensors: wanted a safetensors file, got"):
        WeightsFolder(folder).of("lenet5", SHAPES)
    (folder / "resnet50.safetensors").write_bytes(b"")
    with pytest.raises(WeightsError, match=r"resnet50.safetensors: wanted files named by system, such as resnet--50"):
        WeightsFolder(folder)
    (tmp_path / "pickles").mkdir()
    (tmp_path / "pickles" / "vgg16.pth").write_bytes(b"")
    with pytest.raises(WeightsError, match=r"such as .*, got vgg16.pth; no pickle is read"):
        WeightsFolder(tmp_path / "pickles")
    with pytest.raises(WeightsError, match="got no folder"):
        WeightsFolder(tmp_path / "nowhere")


@pytest.mark.parametrize("system", BUILDERS)
def test_torchvisions_names_and_shapes_are_ours(system: str) -> None:
    with torch.device("meta"):
        theirs = BUILDERS[system]().state_dict()
    shapes = {name: tuple(value.shape) for name, value in theirs.items() if value.is_floating_point()}
    assert shapes_of(Networks().built(system, 1000, (3, 224))) == shapes


@pytest.mark.parametrize("system", ["resnet:50", pytest.param("vgg16", marks=pytest.mark.slow)])
def test_a_network_of_torchvision_is_taken_whole(system: str, tmp_path: Path) -> None:
    state = BUILDERS[system]().state_dict()
    save_torch(state, tmp_path / f"{system.replace(':', '--')}.safetensors")
    shapes = shapes_of(Networks().built(system, 1000, (3, 224)))
    found = WeightsFolder(tmp_path).of(system, shapes)
    for name, shape in shapes.items():
        np.testing.assert_array_equal(found.array(name, shape), state[name].numpy())


def test_the_command_line_takes_a_folder_of_weights(
    bench: Callable[[str], tuple[int, str, str]], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = claim("p/size", num=50, printed="50", unit="%", system="lenet5", check={**CHECK, "kind": "clusters"})
    monkeypatch.setattr("bench.audit.claims.load_claims", lambda: [made])
    code, shown, _ = bench(f"audit --json --with-storage --weights {folder}")
    assert code == 0
    assert "trained weights of lenet5.safetensors" in json.loads(shown)["claims"][0]["why"]
    code, _, said = bench(f"audit --weights {folder}")
    assert (code, "--weights is used only with --with-storage; add --with-storage" in said) == (2, True)
    (folder / "lenet5.safetensors").write_bytes(b"")
    code, _, said = bench(f"audit --with-storage --weights {folder}")
    assert (code, "wanted a safetensors file" in said) == (2, True)
