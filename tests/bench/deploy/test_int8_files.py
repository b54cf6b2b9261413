"""Int8 files on processors that compute them and on those that would compute them wrongly."""

from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from fake.exported import CHARACTERS, SYSTEM, glyph, write_checkpoint

Bench = Callable[[str], tuple[int, str, str]]


def test_int8_is_refused_on_a_cpu_that_would_compute_it_wrongly(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_checkpoint(tmp_path / "w.safetensors")
    Path("images").mkdir()
    for character in CHARACTERS:
        cv2.imwrite(f"images/{character}.png", glyph(character, 90))
    weights = "--checkpoint w.safetensors --calibration images"
    code, _, err = bench(f"export {SYSTEM} {weights} --runtime onnxruntime-int8 --out int8.onnx")
    assert (code, err) == (0, "")
    cv2.imwrite("x.png", glyph("小"))
    for flags, wanted in ((["avx2", "fma"], 2), (["avx2", "avx_vnni"], 0), (["asimd"], 0), ([], 0)):
        monkeypatch.setattr("bench.deploy.load.cpu_flags", lambda flags=flags: flags)
        code, out, err = bench("recognize int8.onnx x.png --top 1")
        assert code == wanted, flags
        assert ("x.png: 小" in out) == (wanted == 0)
        if wanted:
            assert (
                "int8.onnx: byte 0: wanted a CPU with one of amx_int8, avx512_vnni, avx_vnni, got one that cuts" in err
            )
            assert "--runtime onnxruntime." in err
    code, _, err = bench(f"export {SYSTEM} {weights} --runtime onnxruntime --out x.onnx")
    assert (code, "is for int8" in err) == (2, True)
