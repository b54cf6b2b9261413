"""``bench doctor``: checks the installed packages, the font and the cache folder, and says what to install."""

import argparse
import os
import sys
from importlib.util import find_spec
from itertools import takewhile
from typing import Any

from bench.cli._arguments import Answer
from datamodules._errors import BenchError

HELP = "check the installation, and say what to install"
LEAST_PYTHON = (3, 11)
# pytorch-lightning: 2.6.2 and 2.6.3 were malicious uploads; torch: earlier unpicklers are unsafe.
LEAST = {"torch": (2, 10), "pytorch-lightning": (2, 6, 4), "numpy": (2,), "opencv-python-headless": (5,)}
NEEDED = (
    "torch", "torchvision", "pytorch-lightning", "torchmetrics", "albumentations", "wandb", "numpy",
    "opencv-python-headless", "pillow", "fonttools", "pyyaml", "rich", "matplotlib", "safetensors", "onnx",
    "onnxscript", "onnxruntime",
)  # fmt: skip
SPACE = 2 * 10**9  # bytes that the cache and the checkpoints of a quick run may need


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb takes no arguments."""


def run(options: argparse.Namespace) -> Answer:
    """Print every check; exit 1 if a required one fails."""
    results = checks()
    width = max(len(check["name"]) for check in results)
    lines = [f"{'ok ' if check['ok'] else 'NOT'} {check['name']:<{width}}  {check['text']}" for check in results]
    return int(not all(check["ok"] or check["optional"] for check in results)), results, "\n".join(lines)


class EnvironmentUnfitError(BenchError):
    """The installed packages do not work together; the message says what to install."""


def check_builds() -> None:
    """Check that torch and torchvision can be imported together.

    Raises:
        EnvironmentUnfitError: their builds do not match; one line that says what to install.
    """
    try:
        import torch  # noqa: F401
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError, OSError, AttributeError) as error:
        versions = ", ".join(f"{name} {_version(name) or 'missing'}" for name in ("torch", "torchvision"))
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise EnvironmentUnfitError(
            f"{versions} do not fit each other ({reason}); install both from one index into a fresh environment: "
            "pip install --force-reinstall torch torchvision"
        ) from error


def checks() -> list[dict[str, Any]]:
    """Run every check: its name, whether it passed, whether it is optional, and what was found or what to do."""
    python = sys.version.split()[0]
    results = [_check("python", sys.version_info >= LEAST_PYTHON, python, "install Python 3.11 or newer")]
    for name in NEEDED:
        version = _version(name)
        fit = version is not None and _numbers(version) >= LEAST.get(name, ())
        least = ".".join(map(str, LEAST.get(name, ())))
        results.append(
            _check(name, fit, version or "missing", f"pip install '{f'{name}>={least}' if least else name}'")
        )
    has_openvino = find_spec("openvino") is not None
    openvino = _check("openvino", has_openvino, "present", "pip install 'hccr-bench[openvino]'", optional=True)
    return [*results, _builds(), _font(), _cache(), openvino]


def _builds() -> dict[str, Any]:
    try:
        check_builds()
    except EnvironmentUnfitError as error:
        return _check("torch with torchvision", False, "", str(error))
    import torch

    gpu = f"GPU {torch.cuda.get_device_name()}" if torch.cuda.is_available() else "no GPU (optional)"
    return _check("torch with torchvision", True, f"{torch.backends.cpu.get_cpu_capability()}, {gpu}", "")


def _font() -> dict[str, Any]:
    advice = "pip install 'opencv-python-headless>=5' and remove other OpenCV packages"
    try:
        import cv2

        fit = hasattr(cv2, "FontFace")
    except ImportError:
        fit = False
    return _check("OpenCV's built-in font", fit, "draws the synthetic characters", advice)


def _cache() -> dict[str, Any]:
    import shutil

    from datamodules._files import cache_folder

    folder = cache_folder()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    fit = existing.is_dir() and os.access(existing, os.W_OK) and free > SPACE
    advice = "free some space, or set HCCR_BENCH_CACHE to a folder that can be written"
    return _check("cache folder", fit, f"{folder}, {free / 1e9:.0f} GB free", advice)


def _check(name: str, ok: bool, text: str, advice: str, optional: bool = False) -> dict[str, Any]:
    shown = text if ok else "; ".join(part for part in (text if text != "present" else "", advice) if part)
    return {"name": name, "ok": ok, "optional": optional, "text": shown}


def _version(package: str) -> str | None:
    import importlib.metadata

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    """``2.9.1+cpu`` as (2, 9, 1); stops at the first part that is no number."""
    return tuple(int(part) for part in takewhile(str.isdigit, version.partition("+")[0].split(".")))
