"""What ``bench data inspect`` finds: counts of whole data, and all damage with file and byte."""

import json
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from fake.alz import Packed, alz
from fake.gnt import record
from fake.image_folder import write_folder, write_zip

from bench.__main__ import main
from datamodules._errors import DataError
from datamodules.inspection.inspect import inspect, quantiles

ONE, TWO = record("啊", 3, 2) + record("座", 2, 4, 9), record("啊", 5, 5)
BAD_TAG = record("国", 2, 2)[:4] + b"\xff\xff" + record("国", 2, 2)[6:]

Inspect = Callable[..., tuple[int, dict, str]]


@pytest.fixture
def look(capsys: pytest.CaptureFixture[str]) -> Inspect:
    def run(*words: object) -> tuple[int, dict, str]:
        capsys.readouterr()
        code = main(["data", "inspect", *map(str, words), "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out or "{}"), err

    return run


def counts(document: dict) -> tuple[int, int, int, int]:
    return document["files"], document["records"], document["classes"], document["writers"]


@pytest.fixture
def writers(tmp_path) -> Path:
    folder = tmp_path / "gnt"
    (folder / "deep").mkdir(parents=True)
    (folder / "1001-f.gnt").write_bytes(ONE)
    (folder / "deep" / "1002-f.gnt").write_bytes(TWO)
    (folder / "readme.txt").write_text("about")
    (folder / ".DS_Store").write_bytes(b"x")
    return folder


def test_a_folder_of_gnt_files_is_counted(look, writers) -> None:
    code, found, err = look(writers)
    assert (code, counts(found), err) == (0, (2, 3, 2, 2), "")
    assert (found["problems"], found["other_files"], found["synthetic"]) == ([], 1, None)
    assert found["sizes"]["width"] == {"min": 2, "q25": 2, "median": 3, "q75": 5, "max": 5}
    assert found["sizes"]["height"] == {"min": 2, "q25": 2, "median": 4, "q75": 5, "max": 5}


@pytest.mark.parametrize("kind", ["zip", "alz", "alz in zip", "zip without suffix"])
def test_archives_are_counted_like_their_files(look, tmp_path, kind) -> None:
    inner = alz(Packed("1001-f.gnt", ONE), Packed("sub\\1002-f.gnt", TWO))
    path = tmp_path / ("download" if kind == "zip without suffix" else f"a.{kind[-3:]}")
    if kind == "alz":
        path.write_bytes(inner)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            files = {"x/a.alz": inner} if kind == "alz in zip" else {"1001-f.gnt": ONE, "x/1002-f.gnt": TWO}
            for name, content in files.items():
                archive.writestr(name, content)
    code, found, _ = look(path)
    assert (code, counts(found)) == (0, (2, 3, 2, 2))


def test_images_have_the_class_of_their_folder(look, tmp_path) -> None:
    folder = write_folder(tmp_path / "own", modes=("L", "RGB"))
    archive = write_zip(folder, tmp_path / "own.zip", "top")
    for path in (folder, archive):
        code, found, _ = look(path)
        assert (code, counts(found)) == (0, (18, 18, 2, 0))


def test_a_nested_mix_and_several_paths_are_summed(look, tmp_path, writers) -> None:
    mixed = tmp_path / "mixed"
    write_folder(mixed / "own")
    (mixed / "a.alz").write_bytes(alz(Packed("7.gnt", TWO)))
    code, found, _ = look(mixed, writers)
    assert (code, counts(found)) == (0, (21, 22, 4, 3))
    assert [counts(path) for path in found["paths"]] == [(19, 19, 3, 1), (2, 3, 2, 2)]


def test_synthetic_files_are_known_by_their_names(look, tmp_path, writers) -> None:
    assert main(["data", "synthesize", "--classes", "3", "--writers", "2", "--out", str(tmp_path / "drawn")]) == 0
    _, found, _ = look(tmp_path / "drawn")
    assert (found["synthetic"], counts(found)) == (True, (2, 6, 3, 2))  # the contact sheet is no character
    _, found, _ = look(tmp_path / "drawn", writers)
    assert (found["synthetic"], found["synthetic_files"]) == (None, 2)


def test_all_damage_is_named_with_its_byte(look, tmp_path, writers) -> None:
    (writers / "1003-f.gnt").write_bytes(BAD_TAG + ONE + b"\0")
    (writers / "empty.gnt").write_bytes(b"")
    (writers / "text.gnt").write_text("a text file that somebody renamed")
    with zipfile.ZipFile(writers / "x.zip", "w") as archive:
        archive.writestr("1004-f.gnt", ONE + BAD_TAG)
        archive.writestr("../up.gnt", ONE)
    code, found, err = look(writers)
    got = {(Path(p["file"]).relative_to(writers).as_posix(), p["offset"]) for p in found["problems"]}
    second = (writers / "x.zip").read_bytes().index(b"PK\3\4", 4)
    assert (code, err) == (1, "")
    assert got == {
        ("1003-f.gnt", 4), ("1003-f.gnt", len(BAD_TAG + ONE)), ("empty.gnt", 0), ("text.gnt", 0),
        ("x.zip/1004-f.gnt", len(ONE) + 4), ("x.zip", second),
    }  # fmt: skip
    assert found["records"] == 3 + 2 + 2
    assert all(type(p["offset"]) is int and f"byte {p['offset']}" in p["message"] for p in found["problems"])


def test_without_json_each_problem_is_one_line_on_stderr(writers, capsys) -> None:
    (writers / "1003-f.gnt").write_bytes(BAD_TAG + ONE + b"\0")
    assert main(["data", "inspect", str(writers)]) == 1
    out, err = capsys.readouterr()
    assert [line.partition(": wanted")[0] for line in err.splitlines()] == [
        f"{writers}/1003-f.gnt: byte 4",
        f"{writers}/1003-f.gnt: byte {len(BAD_TAG + ONE)}",
    ]
    assert "5 characters of 2 classes in 3 files, 3 writers" in out
    assert "2 problems" in out


def test_a_checksum_is_looked_at_behind_other_damage(look, tmp_path) -> None:
    path = tmp_path / "a.alz"
    path.write_bytes(alz(Packed("1.gnt", b"\7" * 50, crc=1), Packed("2.gnt", ONE)))
    code, found, _ = look(path)
    assert (code, found["records"]) == (1, 2)
    assert any("CRC-32" in p["message"] for p in found["problems"])


@pytest.mark.parametrize("content", [b"", b"text", b"\x1f\x8b gzip"])
def test_an_unknown_kind_of_file_is_a_problem_at_byte_0(look, tmp_path, content) -> None:
    for name in ("a.bin", "a.gnt", "a.zip", "a.png"):
        path = tmp_path / name
        path.write_bytes(content)
        code, found, _ = look(path)
        assert code == 1
        assert [(p["file"], p["offset"]) for p in found["problems"]] == [(str(path), 0)]


def test_a_cut_image_and_an_empty_folder_are_problems(look, tmp_path) -> None:
    folder = write_folder(tmp_path / "own", train=1, test=0, classes=("bar",))
    (image,) = folder.rglob("*.png")
    image.write_bytes(image.read_bytes()[:60])
    code, found, _ = look(folder)
    assert (code, found["records"], [(p["file"], p["offset"]) for p in found["problems"]]) == (1, 0, [(str(image), 60)])
    (tmp_path / "none").mkdir()
    code, found, _ = look(tmp_path / "none")
    assert (code, [p["offset"] for p in found["problems"]]) == (1, [0])


def test_a_missing_path_is_wrong_use(look, tmp_path) -> None:
    code, found, err = look(tmp_path / "nowhere")
    assert (code, found) == (2, {})
    assert "nowhere: byte 0: wanted a file or folder of characters, got nothing there" in err
    with pytest.raises(DataError):
        inspect(tmp_path / "nowhere")


def test_contact_sheets_show_each_path(look, tmp_path, writers) -> None:
    drawn = write_folder(tmp_path / "own")
    _, found, _ = look(writers, drawn, "--out", tmp_path / "sheets")
    assert [Path(sheet).name for sheet in found["contact_sheets"]] == [
        "1-gnt-contact-sheet.png",
        "2-own-contact-sheet.png",
    ]
    sheet = cv2.imread(found["contact_sheets"][0], cv2.IMREAD_GRAYSCALE)
    assert [int((sheet == grey).sum()) for grey in (7, 9)] == [6 + 25, 8]


def test_quantiles_are_sizes_that_occur() -> None:
    sizes = Counter({(10, 1): 3, (20, 2): 4, (90, 7): 1})
    found = quantiles(sizes)
    assert found is not None
    assert found["height"] == {"min": 10, "q25": 10, "median": 20, "q75": 20, "max": 90}
    assert quantiles(Counter()) is None


@pytest.mark.realdata
def test_real_handwriting_is_whole(look, shared) -> None:
    code, found, _ = look(shared / "data" / "gnt")
    assert (code, counts(found)) == (0, (6, 126, 21, 6))
