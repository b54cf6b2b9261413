"""Fonts and stroke data that synthetic writers follow."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fake.glyphs import write_font, write_strokes

from datamodules._errors import DataError
from datamodules.synthetic.glyphs import BUILT_IN, STROKES_SHARE, find_glyphs
from datamodules.synthetic.stroke_cache import load_plans, save_plans
from datamodules.synthetic.strokes import strokes, trace

BAR, POST = (100, 400, 900, 450), (475, 0, 525, 800)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCCR_BENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A font of three characters in two subsets, and stroke data of two characters."""
    root = tmp_path / "sources"
    write_font(root / "a.ttf", {"一": [BAR], "十": [BAR, POST]})
    write_font(root / "b.woff", {"一": [POST], "丨": [POST], "工": [POST]})
    write_strokes(root / "hanzi" / "二.json", [[(800, 200), (200, 200)], [(200, 700), (800, 700)]])
    write_strokes(root / "hanzi" / "一.json", [[(100, 400), (500, 450), (900, 400)]])
    return root


def named(glyphs, name: str):
    return next(source for source in glyphs.sources if name in source.name)


def test_sources_are_font_families_and_folders_of_stroke_data(folder: Path) -> None:
    glyphs = find_glyphs([folder])
    assert [source.name for source in glyphs.sources] == ["Test Hand Regular", "strokes hanzi"]
    assert set(named(glyphs, "Test").places) == {"一", "十", "工"}  # 丨 is not of level 1
    assert [path.name for path in named(glyphs, "Test").files] == ["a.ttf", "b.woff"]


def test_a_character_of_two_subsets_is_taken_from_the_first(folder: Path) -> None:
    bar = named(find_glyphs([folder]), "Test").strokes("一")
    assert np.ptp(bar.points[:, 0]) > 5 * np.ptp(bar.points[:, 1])  # a.ttf's bar, not b.woff's post


def test_the_glyph_of_a_font_becomes_its_strokes(folder: Path) -> None:
    cross = named(find_glyphs([folder]), "Test").strokes("十")
    assert len(cross.first) == 2
    assert np.ptp(cross.points, 0) == pytest.approx([0.8, 0.8], abs=0.08)  # em; thinning takes off the ends


def test_stroke_data_keep_their_order_and_direction(folder: Path) -> None:
    plan = named(find_glyphs([folder]), "hanzi").strokes("二")
    start, end = plan.points[plan.first], plan.points[plan.last]
    assert start[0, 1] > start[1, 1]  # the lower stroke first: y runs down
    assert start[0, 0] > end[0, 0]  # to the left
    assert start[1, 0] < end[1, 0]
    assert plan.part.tolist() == [0, 1] or plan.part.tolist() == [1, 0]  # two strokes that do not touch


def test_make_me_a_hanzi_s_file_of_lines_is_read(tmp_path: Path) -> None:
    lines = [{"character": c, "strokes": [], "medians": [[[0, 0], [500, 500]]]} for c in "一丁"]
    (tmp_path / "graphics.txt").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert set(find_glyphs([tmp_path]).sources[0].medians) == {"一", "丁"}


def test_a_writer_follows_one_source_throughout(folder: Path) -> None:
    glyphs = find_glyphs([folder])
    followed = [glyphs.source_of(writer, 0) for writer in range(600)]
    assert followed == [glyphs.source_of(writer, 0) for writer in range(600)]
    shares = {source and source.name: followed.count(source) / 600 for source in (*glyphs.sources, None)}
    assert shares["strokes hanzi"] == pytest.approx(STROKES_SHARE, abs=0.07)
    assert shares["Test Hand Regular"] == pytest.approx((1 - STROKES_SHARE) / 2, abs=0.07)
    assert shares[None] == pytest.approx((1 - STROKES_SHARE) / 2, abs=0.07)


def test_the_built_in_font_replaces_what_a_source_lacks(folder: Path) -> None:
    glyphs = find_glyphs([folder])
    assert glyphs.missing("一二工") == {"Test Hand Regular": ["二"], "strokes hanzi": ["工"]}
    writer = next(w for w in range(99) if glyphs.source_of(w, 0) is named(glyphs, "hanzi"))
    assert np.array_equal(glyphs.plan("工", writer, 0).points, strokes("工").points)
    assert not np.array_equal(glyphs.plan("一", writer, 0).points, strokes("一").points)


def test_without_sources_all_writers_follow_the_built_in_font() -> None:
    assert BUILT_IN.digest == ""
    for writer in range(5):
        assert BUILT_IN.source_of(writer, 0) is None
        assert np.array_equal(BUILT_IN.plan("国", writer, 0).points, strokes("国").points)


def test_another_process_draws_the_same(folder: Path) -> None:
    script = (
        "import sys, hashlib; from pathlib import Path; from datamodules.synthetic.glyphs import find_glyphs;"
        "from datamodules.synthetic.handwriting import draw; g = find_glyphs([Path(sys.argv[1])]);"
        "print(hashlib.sha256(b''.join(draw(c, w, 3, 0, g).tobytes() for c in '一二十' for w in range(9))).hexdigest())"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", script, str(folder)], cwd=Path(__file__).parents[3], check=True, capture_output=True
        ).stdout
        for _ in range(2)  # the second reads the strokes from the cache
    }
    assert len(told) == 1


def test_the_digest_follows_the_files(folder: Path) -> None:
    before = find_glyphs([folder]).digest
    assert find_glyphs([folder]).digest == before
    write_strokes(folder / "hanzi" / "一.json", [[(100, 400), (900, 400)]])
    assert find_glyphs([folder]).digest != before


def test_strokes_come_back_from_their_file(tmp_path: Path) -> None:
    plans = {character: strokes(character) for character in "一国"}
    save_plans(tmp_path / "plans.npz", plans)
    loaded = load_plans(tmp_path / "plans.npz")
    assert list(loaded) == ["一", "国"]
    for character, plan in plans.items():
        for name, value in vars(plan).items():
            assert np.array_equal(getattr(loaded[character], name), value)
            assert getattr(loaded[character], name).dtype == value.dtype


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 damaged"])
def test_a_missing_or_damaged_file_of_strokes_is_made_again(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "plans.npz"
    if content is not None:
        path.write_bytes(content)
    assert load_plans(path) is None


def test_a_folder_without_glyphs_is_refused_with_the_command_that_gets_some(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    write_font(tmp_path / "latin.ttf", {"A": [BAR]})
    with pytest.raises(DataError, match=r"none in 2 files.*npm install --prefix glyphs"):
        find_glyphs([tmp_path])
    with pytest.raises(DataError, match=r"none\b.*: byte 0: wanted a folder of fonts.*nothing there"):
        find_glyphs([tmp_path / "none"])


def test_a_font_whose_glyphs_are_all_alike_is_refused(tmp_path: Path) -> None:
    write_font(tmp_path / "same.ttf", {"一": [BAR], "二": [BAR], "三": [BAR]})
    with pytest.raises(DataError, match=r"same\.ttf.*the same glyph for 一, 三, 二"):
        find_glyphs([tmp_path])


def test_a_blank_glyph_is_a_missing_one(tmp_path: Path) -> None:
    write_font(tmp_path / "some.ttf", {"一": [BAR], "二": []})
    assert find_glyphs([tmp_path]).missing("一二") == {"Test Hand Regular": ["二"]}


@pytest.mark.parametrize("name", ["broken.ttf", "broken.otf", "broken.ttc", "broken.woff"])
@pytest.mark.parametrize("content", [b"", b"wOFF" + bytes(60), b"true type? no, text"])
def test_a_broken_font_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=f"{name}: byte 0: wanted a font file"):
        find_glyphs([tmp_path])


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"strokes": []}', '{"medians": [[1, 2]]}', '{"medians": [[[1e9, 0]]]}', '{"medians": "x"}']
)
def test_broken_stroke_data_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "一.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"一\.json: byte 0: wanted a JSON object with medians"):
        find_glyphs([tmp_path])


def test_points_outside_the_em_square_stay_on_the_canvas(tmp_path: Path) -> None:
    write_strokes(tmp_path / "一.json", [[(-400, 400), (1500, -300)]])
    plan = find_glyphs([tmp_path]).sources[0].strokes("一")
    assert np.abs(plan.points).max() < 0.62


def test_a_dot_that_thinning_removes_is_a_missing_glyph(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dot = np.pad(np.ones((2, 2), np.uint8), 4)
    with pytest.raises(ValueError, match="without lines"):
        trace(dot)
    family = named(find_glyphs([folder]), "Test")
    monkeypatch.setattr("datamodules.synthetic.glyph_fonts._glyph", lambda *place: dot)
    assert family.strokes("一") is None


def test_hidden_files_are_left_aside(folder: Path) -> None:
    (folder / "._a.ttf").write_bytes(b"metadata of macOS")
    assert len(find_glyphs([folder]).sources) == 2


def test_the_same_folder_twice_counts_once_and_two_of_one_name_are_refused(folder: Path, tmp_path: Path) -> None:
    assert find_glyphs([folder, folder]).digest == find_glyphs([folder]).digest
    write_strokes(tmp_path / "other" / "hanzi" / "一.json", [[(100, 400), (900, 500)]])
    with pytest.raises(DataError, match="two called 'strokes hanzi', the other at"):
        find_glyphs([folder, tmp_path / "other"])
