"""Provenance of a record: machine, package versions, commit and command; no host name, no path."""

import importlib.metadata
import os
import platform
import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.records.record import slug

PACKAGES = (
    "torch", "torchvision", "pytorch-lightning", "torchmetrics", "albumentations", "numpy", "scipy",
    "opencv-python-headless", "pillow", "safetensors", "h5py", "onnx", "onnxscript", "onnxruntime", "openvino",
    "hccr-bench",
)  # fmt: skip
CPUINFO = Path("/proc/cpuinfo")
# CPU flags that decide the speed of matrix products in fp32, bf16 and int8: x86, then Arm.
FLAGS = (
    "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile",
    "amx_int8", "amx_bf16", "asimd", "asimddp", "asimdhp", "i8mm", "bf16", "sve", "sve2",
)  # fmt: skip
SOURCE_FOLDERS = ("bench", "datamodules", "tasks", "pyproject.toml")


def provenance(command: str) -> dict[str, Any]:
    """The part of a record that states the code, the command, the machine and the time of its making."""
    import torch  # imported here because verbs that only need the machine's name do without torch

    commit, dirty = source_state()
    return {
        "commit": commit, "dirty": dirty, "command": command,
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": {"train": 0.0, "measure": 0.0},
        # The instruction set that torch uses: its own choice, or the user's by ATEN_CPU_CAPABILITY.
        "machine": {**machine(), "torch_capability": torch.backends.cpu.get_cpu_capability()},
        "versions": versions(),
    }  # fmt: skip


def machine() -> dict[str, Any]:
    """CPU model, cores, flags, memory in bytes and operating system.

    ``name`` is a slug of model and cores, as ``amd-epyc-2c``. Hypervisors give CPUs of several generations one model
    name, so that of an x86 CPU without AVX-512 has ``avx2`` in it: ``amd-epyc-avx2-2c``.
    """
    cpu = _cpuinfo("model name") or platform.processor() or platform.machine() or "unknown"
    flags = cpu_flags()
    kind = "-avx2" if "avx2" in flags and "avx512f" not in flags else ""
    return {
        "name": f"{slug(cpu)}{kind}-{cores()}c", "cpu": cpu, "cores": cores(), "flags": flags,
        "ram_bytes": ram_bytes(),
        "os": f"{platform.system()} {platform.release().split('-')[0]}",
    }  # fmt: skip


def ram_bytes() -> int | None:
    """Memory of the machine; None if the system does not report it."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf; others may not know these names
        return None


def cores() -> int:
    """Number of CPUs that this process may use; in containers often fewer than the host has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_flags() -> list[str]:
    """The members of FLAGS that the processor has; empty if the system does not report them."""
    present = (_cpuinfo("flags") or _cpuinfo("Features")).split()  # Arm calls them features
    return [flag for flag in FLAGS if flag in present]


def versions() -> dict[str, str]:
    """Versions of Python and of the installed packages that figures depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def source_state() -> tuple[str | None, bool | None]:
    """The commit and whether the code differs from it; (None, None) outside a git checkout."""
    root = Path(__file__).resolve().parents[2]
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return None, None
    return commit, bool(_git(root, "status", "--porcelain", "--", *SOURCE_FOLDERS))


def _cpuinfo(name: str) -> str:
    """A field of the first processor in /proc/cpuinfo; empty on systems without it."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.split("\t")[0].rstrip() == name), "")


def _git(root: Path, *arguments: str) -> str | None:
    if not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
