"""Invented pictographs: 400 of them, always the same, each unlike every other, drawn by the hands of the hanzi."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from datamodules._image import fit_matrix, resample
from datamodules.synthetic.handwriting import draw, draw_plan
from datamodules.synthetic.motifs import FRAMES, MOTIFS, arc, inverted, line, mirrored, ring
from datamodules.synthetic.pictographs import CLASSES, CODE, DISTINCT, distance, draw_pictograph, pictographs
from datamodules.synthetic.strokes import strokes
from datamodules.synthetic.writer import hand, stream

SIGNS = pictographs()


def test_there_are_four_hundred_of_different_names_and_numbers() -> None:
    assert len(SIGNS) == CLASSES == 400
    assert len({sign.name for sign in SIGNS}) == 400
    assert [sign.code for sign in SIGNS] == list(range(CODE, CODE + 400))
    assert CODE + 400 <= 0xF8FF  # the last private-use code point


def test_most_motifs_take_part() -> None:
    names = " / ".join(sign.name for sign in SIGNS)
    assert all(frame in names for frame in FRAMES)
    assert sum(motif in names for motif in MOTIFS) >= 0.95 * len(MOTIFS)


def test_each_differs_clearly_from_every_other() -> None:
    # Another measure than the one they were chosen by: the cosine of thick pictures, 1 for the same drawing.
    pictures = np.stack([small(sign.plan.points, sign.plan.first, sign.plan.last) for sign in SIGNS])
    likeness = pictures @ pictures.T - 2 * np.eye(400)
    assert likeness.max() < 0.95  # a diamond with and without a bar across: 0.94
    assert np.quantile(likeness.max(1), 0.9) < 0.8


def small(points: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Dense points counted on 24 × 24 pixels of 1 em, spread over the neighbours; unit length."""
    at = np.concatenate([np.linspace(a, b, (b - a) * 16) for a, b in zip(first, last, strict=True)])
    x, y = (np.interp(at, np.arange(len(points)), points[:, i]) for i in (0, 1))
    picture = np.histogram2d(y, x, 24, ((-0.5, 0.5), (-0.5, 0.5)))[0] > 0
    padded = np.pad(picture.astype(float), 1)
    spread = sum(np.roll(padded, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1))
    return spread.ravel() / np.linalg.norm(spread)


def test_the_distance_they_are_chosen_by_holds_between_all_pairs_of_a_sample() -> None:
    chosen = SIGNS[::11]
    apart = [distance(a.paths, b.paths) for i, a in enumerate(chosen) for b in chosen[:i]]
    assert min(apart) >= DISTINCT


def test_distance_is_the_mean_way_to_the_nearest_ink() -> None:
    bar = (line(-0.45, 0, 0.45, 0),)
    lower = (line(-0.45, 0.2, 0.45, 0.2),)
    both = (*bar, *lower)
    assert distance(bar, bar) == 0
    # 0.2 em of a 0.9 em box are 8 of 40 pixels; of two bars one is there already.
    assert distance(bar, lower) == pytest.approx(8 / 40)
    assert distance(bar, both) == distance(both, bar) == pytest.approx(4 / 40)


def test_arcs_and_mirrors() -> None:
    quarter = arc(1, 2, 3, 4, 0, 90)
    assert quarter[0].tolist() == pytest.approx([4, 2])
    assert quarter[-1].tolist() == pytest.approx([1, 6])  # clockwise on a page whose y runs down
    (flipped,), (turned,) = mirrored((quarter,)), inverted((quarter,))
    assert (flipped[0].tolist(), turned[-1].tolist()) == (pytest.approx([-4, 2]), pytest.approx([1, -6]))
    points = np.concatenate(ring(0, 0, 2))
    assert np.hypot(*points.T) == pytest.approx(np.full(len(points), 2))


def test_another_process_invents_the_same_signs() -> None:
    script = (
        "from datamodules.synthetic.pictographs import *; import hashlib;"
        "p = pictographs(); d = draw_pictograph(p[123], 4, 5);"
        "print(p[399].name, hashlib.sha256(d.tobytes()).hexdigest())"
    )
    root = Path(__file__).parents[3]
    said = subprocess.run([sys.executable, "-c", script], cwd=root, check=True, capture_output=True, text=True).stdout
    drawn = hashlib.sha256(draw_pictograph(SIGNS[123], 4, 5).tobytes()).hexdigest()
    assert said.split("\n")[0] == f"{SIGNS[399].name} {drawn}"


def test_writer_sign_seed_and_sample_each_change_the_image() -> None:
    first = draw_pictograph(SIGNS[9], 1, 0)
    others = (
        draw_pictograph(SIGNS[9], 2, 0),
        draw_pictograph(SIGNS[10], 1, 0),
        draw_pictograph(SIGNS[9], 1, 1),
        draw_pictograph(SIGNS[9], 1, 0, sample=1),
    )
    assert np.array_equal(first, draw_pictograph(SIGNS[9], 1, 0))
    assert not any(other.shape == first.shape and np.array_equal(other, first) for other in others)


def test_every_sign_is_ink_on_paper_in_every_hand() -> None:
    for index, sign in enumerate(SIGNS):
        image = draw_pictograph(sign, index % 9, 0)
        assert image.dtype == np.uint8
        assert 14 <= max(image.shape) <= 230
        assert (image < 128).sum() > 20
        assert (image == 255).mean() > 0.05


def test_the_samples_of_a_sign_look_like_their_own_sign() -> None:
    def fitted(image: np.ndarray) -> np.ndarray:
        return 255.0 - resample(image, fit_matrix(*image.shape, 16), 16)

    signs = SIGNS[::40]
    means = np.stack([np.mean([fitted(draw_pictograph(s, w, 0)) for w in range(12)], 0).ravel() for s in signs])
    found = [
        np.square(means - fitted(draw_pictograph(sign, writer, 0)).ravel()).sum(1).argmin() == label
        for label, sign in enumerate(signs)
        for writer in range(20, 26)
    ]
    assert np.mean(found) > 0.4  # by chance: 0.1


def test_hanzi_are_drawn_as_plans_of_strokes() -> None:
    plan = strokes("国")
    before = plan.points.copy()
    assert np.array_equal(draw("国", 3, 1, 2), draw_plan(plan, hand(3, 1), stream(1, 3, ord("国"), 2)))
    assert np.array_equal(plan.points, before)
