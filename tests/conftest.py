"""What all tests share: no network, no thread pools, caches of their own, and real data where there is any."""

import os
from collections.abc import Iterator
from pathlib import Path

# Before anything imports torch, albumentations or W&B.
os.environ.update(
    OMP_NUM_THREADS="1",
    MKL_NUM_THREADS="1",
    NO_ALBUMENTATIONS_UPDATE="1",
    WANDB_MODE="offline",
    WANDB_SILENT="true",
)

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session", autouse=True)
def private_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Caches are made in a folder of this session, never in the user's."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HCCR_BENCH_CACHE", str(folder))
        patch.setenv("WANDB_DIR", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def shared() -> Path:
    """Real data beside the repository; tests that ask for it are skipped where there is none."""
    if not (SHARED / "data").is_dir():
        pytest.skip("no real data: there is no folder ../shared/data beside the repository")
    return SHARED
