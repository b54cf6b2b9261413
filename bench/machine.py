"""What a record says of the machine and the code that made it; no host name, no path."""

import importlib.metadata
import os
import platform
import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.record import slug

PACKAGES = (
    "torch",
    "torchvision",
    "pytorch-lightning",
    "torchmetrics",
    "albumentations",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "onnx",
    "onnxruntime",
    "openvino",
    "hccr-bench",
)
SOURCE_FOLDERS = ("bench", "datamodules", "tasks", "pyproject.toml")


def provenance(command: str) -> dict[str, Any]:
    """The part of a record that says by which code, command and machine it is being made, and when."""
    commit, dirty = source_state()
    return {
        "commit": commit,
        "dirty": dirty,
        "command": command,
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": {"train": 0.0, "measure": 0.0},
        "machine": machine(),
        "versions": versions(),
    }


def machine() -> dict[str, Any]:
    """CPU model, cores, memory and operating system; ``name`` is a slug of the first two."""
    cpu = cpu_model()
    # Containers are often given fewer cores than the host has.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "name": f"{slug(cpu)}-{cores}c",
        "cpu": cpu,
        "cores": cores,
        "ram_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "os": f"{platform.system()} {platform.release().split('-')[0]}",
    }


def cpu_model() -> str:
    """The processor's name as the system states it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that figures depend on, as far as they are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def source_state() -> tuple[str | None, bool | None]:
    """(commit, whether the code differs from it); (None, None) outside a git checkout."""
    root = Path(__file__).resolve().parent.parent
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return None, None
    changes = _git(root, "status", "--porcelain", "--", *SOURCE_FOLDERS)
    return commit, bool(changes)


def _git(root: Path, *arguments: str) -> str | None:
    if not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
