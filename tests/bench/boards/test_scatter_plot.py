import math
from xml.etree import ElementTree

import matplotlib
import pytest
from fake.boards import boards
from fake.records import record
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bench.boards.label_placement import Box, place
from bench.boards.scatter_plot import title_size


def test_the_picture_is_opaque_and_names_every_ranked_system(tmp_path):
    drawn = boards(tmp_path, record("a", 0.9), record("b", 1.0, 2.0), record("c", None))["hccr.svg"]
    root = ElementTree.fromstring(drawn)
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"a", "b", "100"} <= set(texts)  # b made no error
    assert "c" not in texts
    background = root.find(".//*[@id='patch_1']/*")
    assert background is not None
    assert "fill: #ffffff" in background.attrib["style"]
    assert "Date" not in drawn


def test_a_users_matplotlib_settings_change_nothing(tmp_path):
    expected = boards(tmp_path, record("a"), record("b", 0.8, 0.5))["hccr.svg"]
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "black"}):
        assert boards(tmp_path)["hccr.svg"] == expected


def test_the_legend_names_what_is_there_alone(tmp_path):
    alone = boards(tmp_path / "one", record("a"))["hccr.svg"]
    both = boards(tmp_path / "two", record("a"), record("b", 0.8, 2.0))["hccr.svg"]
    assert "Pareto front" in alone
    assert "other systems" not in alone
    assert "other systems" in both


def test_labels_cover_neither_each_other_nor_points():
    centres = [(300 + 9 * i, 200 + 5 * (i % 3)) for i in range(12)]
    names = [f"architecture:variant-{i}" for i in range(12)]
    frame = Box(0, 0, 700, 400)
    boxes = [label.box for label in place(names, centres, [], [], frame, 9.0, [True] * 12) if label]
    assert len(boxes) == 12
    for index, box in enumerate(boxes):
        assert box.overlap(frame) == pytest.approx(box.area)
        assert all(box.overlap(other) == 0 for other in boxes[:index])
        assert all(box.overlap(Box(x, y, x, y).grown(4)) == 0 for x, y in centres)


def test_names_that_need_not_be_there_leave_crowds_alone():
    centres = [(300 + 3 * i, 200 + 2 * (i % 3)) for i in range(12)]
    names = [f"architecture:variant-{i}" for i in range(12)]
    needed = [i % 4 == 0 for i in range(12)]
    frame = Box(0, 0, 700, 400)
    found = place(names, centres, [], [], frame, 9.0, needed)
    assert all(label for label, must in zip(found, needed, strict=True) if must)
    assert None in found
    for (x, y), label, must in zip(centres, found, needed, strict=True):
        if label and not must:
            assert label.distance <= 24
            rivals = [c for c in centres if math.dist(c, (x, y)) > 16]
            assert all(label.box.overlap(Box(*c, *c).grown(label.distance)) == 0 for c in rivals)
    sparse = [(60 + 160 * (i % 4), 50 + 100 * (i // 4)) for i in range(12)]
    assert all(place(names, sparse, [], [], frame, 9.0, [False] * 12))


@pytest.mark.parametrize("length", [20, 78, 88, 140])
def test_a_title_fits_the_picture(length: int) -> None:
    figure = Figure(figsize=(9, 1))
    FigureCanvasAgg(figure)
    title = ("Recognition: synthetic_hands-to-hwdb100, " * 4)[:length]
    drawn = figure.text(0.075, 0.5, title, fontsize=title_size(title), fontweight="bold")
    assert drawn.get_window_extent().x1 < figure.bbox.x1
