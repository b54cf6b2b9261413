"""Is this environment fit, and what to install if not."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.cli import doctor as environment
from bench.cli.doctor import check_builds, checks


def test_this_environment_is_fit() -> None:
    check_builds()
    found = {check["name"]: check for check in checks()}
    for name in ("python", "torch", "torchvision", "opencv-python-headless", "torch with torchvision"):
        assert found[name]["ok"], found[name]["text"]
    assert found["OpenCV's built-in font"]["ok"]


# What importing torchvision raises beside a torch of another build.
BROKEN = {
    "RuntimeError('operator torchvision::nms does not exist')": "operator torchvision::nms does not exist",
    "ImportError('libcudart.so.12: cannot open\\nmore')": "libcudart.so.12: cannot open",
    "AttributeError('partially initialized module')": "partially initialized module",
    "OSError()": "OSError",
}  # fmt: skip


@pytest.mark.parametrize("error", BROKEN)
@pytest.mark.parametrize("verb", ["run --suite hccr", "profile lenet5"])
def test_a_torchvision_of_another_build_is_one_line_that_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: str, verb: str
) -> None:
    from bench.__main__ import main

    (tmp_path / "torchvision.py").write_text(f"raise {error}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    monkeypatch.chdir(tmp_path)
    assert main(verb.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert f"do not fit each other ({BROKEN[error]})" in err
    assert "pip install --force-reinstall torch torchvision" in err


def test_the_same_holds_in_a_process_of_its_own(tmp_path: Path) -> None:
    """Lightning imports torchvision too: nothing may do so before the check."""
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from bench.__main__ import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", script, "run", "--suite", "hccr"], capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "operator torchvision::nms does not exist" in done.stderr


def test_what_is_missing_or_old_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"torch": "2.9.1+cpu", "pytorch-lightning": "2.6.3", "numpy": "2.0.0rc1", "wandb": None}
    real = environment._version
    monkeypatch.setattr(environment, "_version", lambda name: versions.get(name, real(name)))
    found = {check["name"]: check for check in checks()}
    assert not found["torch"]["ok"]
    assert found["torch"]["text"] == "2.9.1+cpu; pip install 'torch>=2.10'"
    assert found["pytorch-lightning"]["text"] == "2.6.3; pip install 'pytorch-lightning>=2.6.4'"
    assert found["wandb"]["text"] == "missing; pip install 'wandb'"
    assert found["numpy"]["ok"]


def test_openvino_is_no_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "find_spec", lambda name: None)
    (found,) = (check for check in checks() if check["name"] == "openvino")
    assert (found["ok"], found["optional"]) == (False, True)
    assert found["text"] == "pip install 'hccr-bench[openvino]'"


@pytest.mark.parametrize("kind", ["file", "full"])
def test_a_cache_folder_that_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    folder = tmp_path / "cache"
    monkeypatch.setenv("HCCR_BENCH_CACHE", str(folder / "deep" / "er"))
    if kind == "file":
        folder.write_text("not a folder")
    else:
        monkeypatch.setattr(environment, "SPACE", 10**18)
    (found,) = (check for check in checks() if check["name"] == "cache folder")
    assert not found["ok"]
    assert "set HCCR_BENCH_CACHE to a folder that can be written" in found["text"]


def test_a_cache_folder_that_is_not_there_yet_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "SPACE", 0)
    monkeypatch.setenv("HCCR_BENCH_CACHE", str(tmp_path / "a" / "b"))
    (found,) = (check for check in checks() if check["name"] == "cache folder")
    assert found["ok"]
    assert not (tmp_path / "a").exists()
