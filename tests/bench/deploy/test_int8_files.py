"""Int8 files on processors with and without instructions for them."""

from collections.abc import Callable
from pathlib import Path

import cv2
import onnx
import pytest
from fake.exported import CHARACTERS, SYSTEM, glyph, write_checkpoint

from bench.deploy.checksum import onnx_with_checksum
from bench.deploy.load import WEIGHT_BITS

Bench = Callable[[str], tuple[int, str, str]]


def test_int8_files_run_on_every_cpu_and_older_ones_only_where_they_are_right(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_checkpoint(tmp_path / "w.safetensors")
    Path("images").mkdir()
    for character in CHARACTERS:
        cv2.imwrite(f"images/{character}.png", glyph(character, 90))
    weights = "--checkpoint w.safetensors --calibration images"
    code, _, err = bench(f"export {SYSTEM} {weights} --runtime onnxruntime-int8 --out int8.onnx")
    assert (code, err) == (0, "")
    older = onnx.load("int8.onnx")
    (bits,) = [one for one in older.metadata_props if one.key == WEIGHT_BITS]
    older.metadata_props.remove(bits)
    Path("older.onnx").write_bytes(onnx_with_checksum(older.SerializeToString()))
    cv2.imwrite("x.png", glyph("小"))
    for flags, wanted in ((["avx2", "fma"], 2), (["avx2", "avx_vnni"], 0), (["asimd"], 0), ([], 0)):
        monkeypatch.setattr("bench.deploy.load.cpu_flags", lambda flags=flags: flags)
        for file, expected in (("int8.onnx", 0), ("older.onnx", wanted)):
            code, out, err = bench(f"recognize {file} x.png --top 1")
            assert code == expected, (file, flags)
            assert ("x.png: 小" in out) == (expected == 0)
        if wanted:
            assert "older.onnx: byte 0: wanted a CPU with one of amx_int8, avx512_vnni, avx_vnni, got one that" in err
            assert "Export it again" in err
    code, _, err = bench(f"export {SYSTEM} {weights} --runtime onnxruntime --out x.onnx")
    assert (code, "is for int8" in err) == (2, True)
