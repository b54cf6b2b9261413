"""Synthetic handwriting: the same wherever it is drawn, readable as .gnt, and as varied as real handwriting."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datamodules._image import fit_matrix, resample
from datamodules.readers.gb2312 import LEVEL1
from datamodules.readers.gnt import gnt_character, read_gnt
from datamodules.synthetic.handwriting import draw, write_synthetic_writer
from datamodules.synthetic.strokes import strokes

REAL = Path(__file__).parents[3].parent / "shared" / "data" / "hwdb100" / "hwdb100.zip"
SPREAD = [LEVEL1[i] for i in np.linspace(0, len(LEVEL1) - 1, 100).astype(int)]


def test_a_writers_file_holds_each_character_as_a_true_gnt_record(tmp_path) -> None:
    path = write_synthetic_writer(tmp_path, "啊国座", writer=7, seed=3, samples=2)
    assert path == tmp_path / "s0007.gnt"
    records = list(read_gnt(path))
    assert [gnt_character(r.tag) for r in records] == list("啊啊国国座座")
    for index, record in enumerate(records):
        assert np.array_equal(record.image, draw("啊国座"[index // 2], 7, 3, index % 2))


def test_other_characters_beside_it_do_not_change_an_image(tmp_path) -> None:
    alone = write_synthetic_writer(tmp_path / "a", "国", 1, 0)
    among = write_synthetic_writer(tmp_path / "b", [*SPREAD[:20], "国"], 1, 0)
    assert np.array_equal(next(iter(read_gnt(alone))).image, list(read_gnt(among))[-1].image)


def test_another_process_writes_the_same_bytes(tmp_path) -> None:
    here = write_synthetic_writer(tmp_path / "here", SPREAD, 2, 5)
    script = (
        "import sys; from pathlib import Path; from datamodules.synthetic.handwriting import write_synthetic_writer;"
        "write_synthetic_writer(Path(sys.argv[1]), sys.argv[2], 2, 5)"
    )
    root = Path(__file__).parents[3]
    there = tmp_path / "there"
    subprocess.run([sys.executable, "-c", script, str(there), "".join(SPREAD)], cwd=root, check=True)
    assert (there / "s0002.gnt").read_bytes() == here.read_bytes()


def test_seed_writer_character_and_sample_each_change_the_image() -> None:
    first = draw("国", 1, 0)
    for other in (draw("国", 1, 1), draw("国", 2, 0), draw("图", 1, 0), draw("国", 1, 0, sample=1)):
        assert other.shape != first.shape or not np.array_equal(other, first)


def test_images_are_dark_ink_on_white_paper_of_casias_sizes() -> None:
    images = [draw(character, writer, 0) for character in SPREAD for writer in range(4)]
    longest = [max(image.shape) for image in images]
    assert min(longest) >= 20
    assert max(longest) <= 210  # the largest box of the real set
    assert 60 <= np.median(longest) <= 110
    for image in images:
        assert image.dtype == np.uint8
        assert image.flags.c_contiguous
        ink = image < 128
        assert 0.005 < ink.mean() < 0.75
        assert (image == 255).mean() > 0.05


def test_some_writers_are_cut_tightly_and_some_loosely() -> None:
    def tight(writer: int) -> bool:
        image = draw("国", writer, 0)
        return min(image[0].min(), image[-1].min(), image[:, 0].min(), image[:, -1].min()) < 255

    assert {tight(writer) for writer in range(20)} == {True, False}


def test_a_writers_hand_is_steadier_than_the_difference_between_writers() -> None:
    def greys(writer: int) -> list[float]:
        return [float((draw(c, writer, 0) < 160).mean()) for c in SPREAD[:30]]

    means = np.array([greys(writer) for writer in range(12)])
    between = means.mean(1).std()
    chance = means.std(1).mean() / np.sqrt(means.shape[1])
    assert between > 3 * chance


@pytest.mark.parametrize(
    ("character", "count"),
    [("一", 1), ("二", 2), ("三", 3), ("十", 2), ("口", 3), ("川", 3), ("田", 5), ("日", 4), ("中", 4)],
)
def test_strokes_are_those_of_the_hand(character, count) -> None:
    assert len(strokes(character).first) == count


def test_strokes_run_from_the_left_or_the_top() -> None:
    horizontal = strokes("一")
    assert horizontal.points[0, 0] < horizontal.points[-1, 0]
    plan = strokes("川")
    assert (plan.points[plan.first, 1] < plan.points[plan.last, 1]).all()


def test_every_stroke_of_every_character_can_be_drawn() -> None:
    for character in LEVEL1[::25]:
        plan = strokes(character)
        assert len(plan.points) == len(plan.stroke) == plan.last[-1] + 1
        assert np.abs(plan.points).max() < 0.62
        assert (plan.last - plan.first >= 2).all()
        assert np.isfinite(plan.points).all()


def test_a_blank_is_refused() -> None:
    with pytest.raises(ValueError, match="no ink"):
        draw("　", 0, 0)


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.skipif(not REAL.is_file(), reason="no real handwriting at ../shared/data/hwdb100")
def test_nearest_mean_finds_synthetic_characters_about_as_hard_as_real_ones() -> None:
    synthetic = _nearest_mean(_synthetic(range(70)), _synthetic(range(70, 100)))
    real = _nearest_mean(_real("train"), _real("test"))
    assert abs(synthetic - real) < 0.20


def _fit(image):
    return resample(image, fit_matrix(*image.shape, 64), 64)


def _synthetic(writers):
    return ((_fit(draw(character, writer, 0)), k) for k, character in enumerate(SPREAD) for writer in writers)


def _real(split: str):
    with zipfile.ZipFile(REAL) as archive:
        for name in archive.namelist():
            if name.startswith(f"{split}/") and name.endswith(".png"):
                with Image.open(io.BytesIO(archive.read(name))) as opened:
                    grey, alpha = np.asarray(opened.convert("LA"), np.float32).transpose(2, 0, 1)
                on_paper = (grey * alpha + 255 * (255 - alpha)) / 255
                yield _fit(on_paper.round().astype(np.uint8)), int(name.split("/")[1])


def _nearest_mean(train, test) -> float:
    """Accuracy of the nearest class mean, in grey levels of 64 x 64 pixels."""
    (x, y), (images, labels) = (tuple(np.array(part) for part in zip(*pairs, strict=True)) for pairs in (train, test))
    means = np.stack([x[y == k].reshape(-1, 64 * 64).astype(np.float32).mean(0) for k in range(100)])
    distance = (means**2).sum(1) - 2 * images.reshape(-1, 64 * 64).astype(np.float32) @ means.T
    return float((distance.argmin(1) == labels).mean())
