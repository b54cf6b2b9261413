"""A recogniser that is exported, run by a bare runtime, and read by bench recognize."""

import hashlib
import io
import json
import pickle
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from fake.exported import CHARACTERS, FORMS, SYSTEM, export_both, glyph, write_checkpoint
from fake.records import record, write

from bench.__main__ import main
from bench.run.profile import random_row

Bench = Callable[[str], tuple[int, str, str]]

BARE = """
import json, sys
class Away:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] in ("bench", "datamodules", "tasks", "torch", "cv2"):
            raise ImportError(name)
sys.meta_path.insert(0, Away())
import numpy, onnxruntime
session = onnxruntime.InferenceSession("exported.onnx", providers=["CPUExecutionProvider"])
about = session.get_modelmeta().custom_metadata_map
(found,) = session.run(None, {"image": numpy.load("image.npy")[None]})
print(json.dumps([json.loads(about["labels"])[found[0].argmax()], about["system"], found.shape]))
"""


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the same recogniser in both formats, and its checkpoint."""
    folder = tmp_path_factory.mktemp("exports")
    checkpoint = write_checkpoint(folder / "weights.safetensors")
    found = record(SYSTEM, 0.87, checkpoint_sha256=hashlib.sha256(checkpoint.read_bytes()).hexdigest())
    write(folder / "boards", found)
    export_both(checkpoint, folder, folder / "boards")
    return folder


@pytest.fixture
def folder(exports: Path, tmp_path: Path) -> Path:
    """An empty folder with copies of both files, where commands run."""
    for name in FORMS.values():
        shutil.copy(exports / name, tmp_path / name)
    return tmp_path


def photo(image: np.ndarray) -> np.ndarray:
    """Grey ink on grey paper with a margin, in light that falls off to one side."""
    framed = cv2.copyMakeBorder(image, 60, 40, 30, 80, cv2.BORDER_CONSTANT, value=255).astype(float)
    light = np.linspace(0.5, 1, framed.shape[1])
    noise = np.random.default_rng(0).normal(0, 3, framed.shape)
    return np.clip((50 + framed * 180 / 255) * light + noise, 0, 255).astype(np.uint8)


def transparent(image: np.ndarray, level: int) -> np.ndarray:
    """Ink of a level on nothing."""
    return np.dstack([np.full((*image.shape, 3), level, np.uint8), 255 - image])


LOOKS = {
    "as trained.png": lambda image: image,
    "light on dark.png": lambda image: 255 - image,
    "colour.jpg": lambda image: cv2.cvtColor(photo(image), cv2.COLOR_GRAY2BGR),
    "photo.png": photo,
    "light photo.png": lambda image: 255 - photo(image),
    "black on nothing.png": lambda image: transparent(image, 0),
    "white on nothing.png": lambda image: transparent(image, 255),
}


def test_the_file_runs_without_this_package(folder: Path) -> None:
    np.save(folder / "image.npy", glyph("回", 77))
    done = subprocess.run([sys.executable, "-c", BARE], cwd=folder, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["回", SYSTEM, [1, len(CHARACTERS)]]


def test_the_file_says_where_it_comes_from(bench: Bench, exports: Path) -> None:
    command = f"export {SYSTEM} --checkpoint {exports}/weights.safetensors --runtime onnxruntime --out again.onnx"
    code, out, _ = bench(f"{command} --records {exports}/boards --json")
    found = json.loads(out)
    assert (code, found["labels"], found["dataset"]) == (0, list(CHARACTERS), "glyphs")
    assert found["provenance"]["record"]["accuracy"]["value"] == 0.87
    weights = (exports / "weights.safetensors").read_bytes()
    assert found["provenance"]["checkpoint_sha256"] == hashlib.sha256(weights).hexdigest()
    assert {"onnx", "hccr-bench"} <= set(found["provenance"]["versions"])
    content = Path("again.onnx").read_bytes()
    assert found["bytes"] == len(content)
    assert hashlib.sha256(content[:-64]).hexdigest().encode() == content[-64:]
    assert str(exports).encode() not in content


@pytest.mark.parametrize("file", FORMS.values())
def test_characters_are_read_however_they_look(bench: Bench, folder: Path, file: str) -> None:
    for look, made in LOOKS.items():
        for character in CHARACTERS:
            (folder / character).mkdir(exist_ok=True)
            assert cv2.imwrite(str(folder / character / look.replace(" ", "-")), made(glyph(character, 90)))
    code, out, err = bench(f"recognize {file} {' '.join(CHARACTERS)} --batch --top 2 --json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert found["knows"]["labels"] == list(CHARACTERS)
    assert found["knows"]["synthetic"] is True
    assert found["knows"]["licence"] == "free of rights"
    assert len(found["images"]) == len(LOOKS) * len(CHARACTERS)
    for image in found["images"]:
        assert [image["top"][0]["label"], len(image["top"])] == [Path(image["image"]).parent.name, 2], image


def test_one_by_one_gives_what_batches_give(bench: Bench, folder: Path) -> None:
    for place, character in enumerate(CHARACTERS * 8):  # more than one batch
        cv2.imwrite(str(folder / f"{place:02}.png"), photo(glyph(character, 60 + place)))
    images = " ".join(sorted(path.name for path in folder.glob("*.png")))
    single = json.loads(bench(f"recognize exported.onnx {images} --json")[1])["images"]
    together = json.loads(bench(f"recognize exported.onnx {images} --batch --json")[1])["images"]
    assert [image["image"] for image in single] == images.split()
    for one, other in zip(single, together, strict=True):
        assert (one["image"], one["top"][0]["label"]) == (other["image"], other["top"][0]["label"])
        assert one["top"][0]["probability"] == pytest.approx(other["top"][0]["probability"], abs=0.02)


def test_text_names_the_character_set_and_the_answers(bench: Bench, folder: Path) -> None:
    cv2.imwrite("x.png", glyph("小"))
    code, out, err = bench("recognize exported.onnx x.png --top 1")
    tested = "accuracy 87.00 % on the test part of synthetic_hwdb"
    known = f"5 classes, trained on synthetic glyphs, {tested}: 永 回 三 小 鑫\ndata licence: free of rights"
    assert (code, err) == (0, "")
    assert out == f"exported.onnx knows {known}\nx.png: 小 100.00 %\n"


@pytest.mark.parametrize("mode", ["", "--batch"])
def test_what_is_no_character_is_refused_and_the_rest_is_read(bench: Bench, folder: Path, mode: str) -> None:
    row = np.hstack([np.pad(cv2.resize(glyph("永"), (80, 80)), 12, constant_values=255)] * 6)
    cv2.imwrite("page.png", np.vstack([row] * 4))
    cv2.imwrite("line.png", row[:, : row.shape[1] // 2])
    cv2.imwrite("blank.png", np.full((80, 80), 200, np.uint8))
    cv2.imwrite("good.png", glyph("永"))
    Path("short.png").write_bytes(Path("good.png").read_bytes()[:200])
    Path("text.png").write_text("no image")
    code, out, err = bench(
        f"recognize exported.onnx page.png line.png blank.png gone.png short.png text.png good.png {mode}"
    )
    assert code == 1
    assert "good.png: 永" in out
    wanted = {
        "page.png": "a page or a line of several", "line.png": "a line of 3 or more", "blank.png": "a blank image",
        "gone.png": "No such file", "short.png": "wanted a whole image", "text.png": "wanted an image",
    }  # fmt: skip
    lines = dict(zip(wanted, err.splitlines(), strict=True))
    for name, says in wanted.items():
        assert lines[name].startswith(f"bench: {name}: ")
        assert says in lines[name]
        assert name not in out


@pytest.mark.parametrize("file", FORMS.values())
@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda content: content[: len(content) // 2], "no checksum at its end"),
        (lambda content: b"", "no checksum at its end"),
        (lambda content: content[:1000] + bytes([content[1000] ^ 1]) + content[1001:], "changed after it was written"),
        (lambda content: content.replace("永".encode(), "水".encode()), "changed after it was written"),
    ],
    ids=["cut short", "empty", "a bit flipped", "a label swapped"],
)
def test_damaged_files_are_refused(
    bench: Bench, folder: Path, file: str, damage: Callable[[bytes], bytes], says: str
) -> None:
    content = (folder / file).read_bytes()
    damaged = damage(content)
    if damaged == content:
        pytest.skip("packed labels cannot be swapped so simply")
    (folder / file).write_bytes(damaged)
    cv2.imwrite("x.png", glyph("小"))
    code, out, err = bench(f"recognize {file} x.png")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith(f"bench: {file}: byte ")
    assert says in err


def test_other_graphs_are_refused_even_with_a_checksum(bench: Bench, folder: Path) -> None:
    content = b"no graph at all"
    (folder / "x.onnx").write_bytes(content + hashlib.sha256(content).hexdigest().encode())
    code, _, err = bench("recognize x.onnx x.png")
    assert (code, len(err.splitlines())) == (2, 1)
    assert "x.onnx: byte 0: wanted a graph that this onnxruntime runs" in err


def test_folders_need_batch_and_images(bench: Bench, folder: Path) -> None:
    (folder / "images").mkdir()
    code, _, err = bench("recognize exported.onnx images")
    assert (code, err) == (2, "bench: images: is a folder; add --batch to read all images below it\n")
    code, _, err = bench("recognize exported.onnx images --batch")
    assert code == 2
    assert "images: byte 0: wanted a folder with images, got none below it" in err


def test_recognising_imports_nothing_heavy(folder: Path) -> None:
    cv2.imwrite(str(folder / "x.png"), glyph("小"))
    script = (
        "import sys; from bench.__main__ import main\n"
        "code = main(['recognize', *sys.argv[1:]])\n"
        "heavy = {'torch', 'pytorch_lightning', 'albumentations', 'onnx', 'rich', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy or code else 0)"
    )
    arguments = [str(folder / "exported.onnx"), str(folder / "x.png"), "--batch"]
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert "小" in done.stdout


class Runs:
    """What a pickle can do to whoever loads it."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("it-ran"),)


def test_pickled_weights_are_not_opened(bench: Bench, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # as torch.save writes it
        archive.writestr("archive/data.pkl", pickle.dumps(Runs()))
    for name, content in {"a.pt": buffer.getvalue(), "b.pkl": pickle.dumps(Runs())}.items():
        Path(name).write_bytes(content)
        code, _, err = bench(f"export lenet5 --checkpoint {name} --runtime onnxruntime --out x.onnx")
        assert (code, len(err.splitlines())) == (2, 1)
        assert "wanted weights as safetensors, got a pickle, which can run code" in err
    assert not Path("it-ran").exists()
    assert not Path("x.onnx").exists()


def test_wrong_checkpoints_are_refused(bench: Bench, exports: Path, tmp_path: Path) -> None:
    shutil.copy(exports / "weights.safetensors", "w.safetensors")
    write_checkpoint(tmp_path / "bare.safetensors", labelled=False)
    random_row("lenet5", 5, tmp_path / "lenet5.safetensors")
    Path("cut.safetensors").write_bytes(Path("w.safetensors").read_bytes()[:5000])
    Path("five.txt").write_text("\n".join("abcde"))
    Path("six.txt").write_text("\n".join("abcdef"))
    Path("twice.txt").write_text("\n".join("abcda"))
    for given, says in {
        "nearest_mean+u8-4 --checkpoint w.safetensors": "wanted the weights.packed of nearest_mean+u8-4, got other",
        "lenet5 --checkpoint w.safetensors": "wanted weights of lenet5, got those of nearest_mean+light",
        "nearest_mean --checkpoint bare.safetensors": "have no class names; use --labels",
        "nearest_mean --checkpoint bare.safetensors --labels six.txt": "not the weights of nearest_mean with 6 classes",
        "nearest_mean --checkpoint lenet5.safetensors --labels five.txt": "not the weights of nearest_mean with 5",
        "nearest_mean --checkpoint bare.safetensors --labels twice.txt": "wanted each class once, one per line",
        "nearest_mean --checkpoint w.safetensors --labels six.txt": "contradicts the class names",
        "nearest_mean --checkpoint cut.safetensors": "cut.safetensors: byte 5000: wanted a whole safetensors file",
        "nearest_men --checkpoint w.safetensors": "unknown system 'nearest_men'",
        "nearest_mean --checkpoint gone.safetensors": "gone.safetensors: no such file",
    }.items():
        code, out, err = bench(f"export {given} --runtime onnxruntime --out x.onnx")
        assert (code, out, len(err.splitlines())) == (2, "", 1), given
        assert says in err
    code, _, err = bench("export nearest_mean --checkpoint w.safetensors --runtime onnxruntime --out w.safetensors")
    assert code == 2
    assert "must not be overwritten" in err


def test_labels_come_from_a_file_where_weights_have_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_checkpoint(tmp_path / "bare.safetensors", labelled=False)
    Path("labels.txt").write_text("\n".join(CHARACTERS) + "\n", encoding="utf-8")
    command = "export nearest_mean --checkpoint bare.safetensors --runtime onnxruntime --out x.onnx --labels labels.txt"
    assert main(command.split()) == 0
    assert main(["recognize", "x.onnx", "gone.png"]) == 1
