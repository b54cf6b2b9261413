"""Trains one row: a resumable Lightning fit that writes safetensors and a curve, and predicts the test split."""

import json
import logging
import signal
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from pytorch_lightning.plugins.io import TorchCheckpointIO
from torch.optim.lr_scheduler import ReduceLROnPlateau

from bench.records.predictions import Predictions
from bench.training.events import EVERY_STEPS, Event, Tell
from bench.training.weights_metadata import make_metadata, read_metadata
from datamodules._base import CharacterDataModule
from datamodules._files import whole_file, write_whole
from tasks.architectures import ARCHITECTURES
from tasks.classification import ClassificationTask
from tasks.early_exits.policy import HeadAnswers
from tasks.finetuning import imprint, start_from
from tasks.recipe import Recipe
from tasks.recogniser import load_recogniser, save_weights

# On two cores of an AMD EPYC, two single-threaded trainings make 1.24 times the steps of one training with two threads
# (fire:gwap, mobilenet_v1, shui_cnn); more processes would need more memory than small machines have.
PARALLEL_ROWS = 2
CHECKPOINT = "last.ckpt"  # of an unfinished training
RESUME_EVERY_S = 60  # least time between two checkpoints, which are written at the end of an epoch
# Options of a Trainer that writes and prints nothing.
QUIET: dict[str, Any] = {
    "logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False,
}  # fmt: skip


@dataclass(frozen=True)
class Hardware:
    """What training runs on: one device of Lightning's ``accelerator``, and ``parallel`` rows at once."""

    accelerator: str = "auto"
    parallel: int = 1

    @classmethod
    def of(cls, accelerator: str) -> "Hardware":
        """Two rows in parallel on Linux CPUs with two threads or more, else one."""
        gpu = accelerator != "cpu" and torch.accelerator.is_available()
        forks = sys.platform == "linux"  # forking may crash with macOS's libraries
        enough = torch.get_num_threads() >= PARALLEL_ROWS
        return cls(accelerator, PARALLEL_ROWS if forks and not gpu and enough else 1)


@dataclass(frozen=True)
class Outcome:
    """Result of a training: the weights' file, the curve, the seconds, and the precision (None if not trained here)."""

    weights: Path
    curve: list[dict[str, float]]
    seconds: float
    precision: str | None


class WholeCheckpoints(TorchCheckpointIO):
    """Writes checkpoints atomically."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write a temporary file, flush, then rename it."""
        with whole_file(Path(path)) as partial:
            torch.save(checkpoint, partial)


class Progress(pl.Callback):
    """Reports the progress of fit ``number`` of ``fits``."""

    def __init__(self, tell: Tell, fits: int = 1, number: int = 0) -> None:
        self.tell, self.fits, self.number = tell, fits, number

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Report every few steps."""
        if trainer.global_step % EVERY_STEPS == 0:
            self._report(trainer, trainer.fit_loop.batch_idx / max(1, trainer.num_training_batches), {})

    def on_train_epoch_end(self, trainer: pl.Trainer, task: pl.LightningModule) -> None:
        """Report the epoch's scores."""
        self._report(trainer, 1, _scores(trainer))

    def _report(self, trainer: pl.Trainer, share: float, scores: Mapping[str, float]) -> None:
        epochs = trainer.max_epochs or 1
        done = self.number * epochs + trainer.current_epoch + share
        self.tell(Event("epoch", done=done, epochs=self.fits * epochs, scores=scores))


class Curve(Progress):
    """Collects one point per epoch, reports progress and saves checkpoints to resume from."""

    def __init__(self, folder: Path, tell: Tell, seed: int) -> None:
        super().__init__(tell)
        self.folder, self.seed = folder, seed
        self.points: list[dict[str, float]] = []
        self.spent = 0.0
        self.started = self.saved = time.monotonic()

    def on_train_batch_start(self, trainer: pl.Trainer, task: Any, batch: Any, batch_idx: int) -> None:
        """Seed dropout and other random layers by (seed, epoch), so that a resumed run repeats them."""
        if batch_idx == 0:  # on_train_epoch_start runs before the loader draws its seed
            epoch_seed = np.random.SeedSequence((self.seed, trainer.current_epoch)).generate_state(1)
            torch.manual_seed(int(epoch_seed[0]))

    def on_train_epoch_end(self, trainer: pl.Trainer, task: pl.LightningModule) -> None:
        """Store the epoch's scores; write a checkpoint if the last one is old enough."""
        self.points.append({"epoch": trainer.current_epoch + 1, **_scores(trainer)})
        super().on_train_epoch_end(trainer, task)
        if time.monotonic() - self.saved > RESUME_EVERY_S:
            with _plateaus_stepped(trainer):
                trainer.save_checkpoint(self.folder / CHECKPOINT)
            self.saved = time.monotonic()

    def state_dict(self) -> dict[str, Any]:
        """The points and the seconds so far."""
        return {"points": self.points, "spent": self.spent + time.monotonic() - self.started}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state."""
        self.points, self.spent = state["points"], state["spent"]


def _scores(trainer: pl.Trainer) -> dict[str, float]:
    return {name: float(value) for name, value in trainer.callback_metrics.items()}


def train(
    architecture: str, recipe: Recipe, datamodule: CharacterDataModule, folder: Path, seed: int, hardware: Hardware,
    tell: Tell, begin: Path | None = None, start: Path | None = None,
) -> tuple[ClassificationTask, Outcome]:  # fmt: skip
    """Train a system, or resume an interrupted training of the same settings from CHECKPOINT.

    Writes weights.safetensors, curve.json and, while training, last.ckpt to ``folder``. ``seed`` is for weights, order
    and augmentation. ``begin``: trained weights of the system that the architecture ``BEGINS_WITH``; heads build on it.
    ``start``: weights of the same architecture, whose labels may be others; see ``tasks.finetuning``.
    Returns: the trained task on the CPU, and its outcome.
    """
    with expected_warnings():
        pl.seed_everything(seed, verbose=False)
        datamodule.seed = seed
        task = ClassificationTask(architecture, datamodule.info.classes, recipe)
        if begin is not None:
            parent = ARCHITECTURES.literals(architecture.partition(":")[0])["BEGINS_WITH"]
            task.begin_with(load_recogniser(parent, datamodule.info.classes, begin).network)
        if start is not None:
            new = start_from(task.network, architecture, datamodule.labels, start, read_metadata(start).labels)
            imprint(task.network, task.channels, task.size, datamodule.train, new)
        precision = precision_for(architecture, hardware.accelerator)
        curve = Curve(folder, tell, seed)
        resume = folder / CHECKPOINT
        trainer = pl.Trainer(
            max_epochs=recipe.all_epochs, accelerator=hardware.accelerator, devices=1,
            precision=precision, callbacks=[curve],  # type: ignore[arg-type]
            plugins=[WholeCheckpoints()], num_sanity_val_steps=0, default_root_dir=folder, **QUIET,
        )  # fmt: skip
        with interruptible():
            checkpoint = resume if resume.exists() else None
            trainer.fit(task, datamodule=datamodule, ckpt_path=checkpoint, weights_only=True)
    seconds = curve.state_dict()["spent"]
    task.cpu().eval()
    about = make_metadata(architecture, recipe.name, datamodule)
    if start is not None:
        first = read_metadata(start)
        about["licence"] += f"; started from weights of {first.dataset}: {first.licence or 'not stated'}"
    save_weights(task.network, folder / "weights.safetensors", about)
    write_whole(folder / "curve.json", json.dumps(curve.points, indent=1).encode())
    resume.unlink(missing_ok=True)
    return task, Outcome(folder / "weights.safetensors", curve.points, seconds, precision)


def load_pretrained(
    architecture: str, recipe: Recipe, datamodule: CharacterDataModule, folder: Path, weights: Path
) -> tuple[ClassificationTask, Outcome]:
    """Load weights supplied by the user, with our tensor names or torchvision's, instead of training.

    Returns: the task on the CPU, and its outcome, as ``train`` does.

    Raises:
        ValueError: the weights do not fit the architecture; names the file and a tensor.
    """
    task = ClassificationTask(architecture, datamodule.info.classes, recipe)
    task.network = load_recogniser(architecture, datamodule.info.classes, weights).network  # type: ignore[assignment]
    target = folder / "weights.safetensors"
    source = read_metadata(weights)
    # Not the row's own data.
    trained_on = {"dataset": source.dataset, "synthetic": json.dumps(source.synthetic), "licence": source.licence}
    save_weights(task.network, target, make_metadata(architecture, recipe.name, datamodule) | trained_on)
    return task, Outcome(target, [], 0.0, None)


def predict(task: ClassificationTask, datamodule: CharacterDataModule, hardware: Hardware) -> Predictions:
    """Predict the test split in full precision."""
    with expected_warnings(), interruptible():
        datamodule.set_input(task.channels, task.size)
        trainer = pl.Trainer(accelerator=hardware.accelerator, devices=1, **QUIET)
        batches: Any = trainer.predict(task, datamodule=datamodule)
    task.cpu().eval()

    def joined(name: str) -> NDArray[Any]:
        return torch.cat([batch[name].cpu() for batch in batches]).numpy()

    exits = heads = None
    if "exits" in batches[0]:
        exits = joined("exits").astype(np.int8)
        heads = HeadAnswers(*map(joined, ("head_top", "head_confidence", "together")))
    top, probability = joined("top").astype(np.int32), joined("probability").astype(np.float32)
    return Predictions(top, probability, joined("labels"), exits, heads)


def precision_for(architecture: str, accelerator: str) -> str:
    """bf16 on GPUs, and on CPUs with native bf16 for architectures that train faster in it; else fp32."""
    if accelerator != "cpu" and torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true"
    faster = ARCHITECTURES.literals(architecture.partition(":")[0]).get("CPU_TRAINING") == "bf16"
    native = bool(torch.cpu.get_capabilities().get("avx512_bf16"))
    return "bf16-mixed" if faster and native else "32-true"


@contextmanager
def _plateaus_stepped(trainer: pl.Trainer) -> Iterator[None]:
    """Step plateau schedules for a checkpoint: Lightning does it after an epoch's last hook, but not on resuming."""
    schedules = (config.scheduler for config in trainer.lr_scheduler_configs)
    plateaus = [schedule for schedule in schedules if isinstance(schedule, ReduceLROnPlateau)]
    states = [schedule.state_dict() for schedule in plateaus]
    groups = [group for optimizer in trainer.optimizers for group in optimizer.param_groups]
    rates = [group["lr"] for group in groups]
    for schedule in plateaus:
        schedule.step(trainer.callback_metrics["val_loss"])
    yield
    for schedule, state in zip(plateaus, states, strict=True):
        schedule.load_state_dict(state)
    for group, rate in zip(groups, rates, strict=True):
        group["lr"] = rate


@contextmanager
def interruptible() -> Iterator[None]:
    """Keep Ctrl-C a KeyboardInterrupt: Lightning turns it into SystemExit and disables the signal."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as error:
        raise KeyboardInterrupt from error
    finally:
        signal.signal(signal.SIGINT, handler)


@contextmanager
def expected_warnings() -> Iterator[None]:
    """Silence Lightning's warnings about settings that this suite uses on purpose."""
    quiet = logging.getLogger("pytorch_lightning")
    level = quiet.level
    quiet.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        for text in (
            ".*does not have many workers.*",  # resampling is a few per cent of a training step on a CPU
            ".*configure_optimizers.*returned.*None.*",  # training without gradients
            ".*GPU available but not used.*",  # --accelerator cpu
            ".*The number of training batches.*smaller than the logging interval.*",
            ".*isinstance.treespec, LeafSpec..*",  # inside Lightning, fixed by its next release
            ".*Checkpoint directory.*exists and is not empty.*",
            ".*in eval mode at the start of training.*",  # a teacher, and a student with fixed statistics
        ):
            warnings.filterwarnings("ignore", text)
        try:
            yield
        finally:
            quiet.setLevel(level)
