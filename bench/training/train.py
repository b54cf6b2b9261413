"""Train one row: a resumable Lightning fit whose outcome is safetensors, a curve and predictions."""

import json
import logging
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from bench.records.predictions import Predictions
from bench.training.events import EVERY_STEPS, Event, Tell
from bench.training.weights_metadata import origin, read_metadata
from datamodules._base import CharacterDataModule
from datamodules._files import whole_file, write_whole
from tasks.architectures import ARCHITECTURES
from tasks.classification import ClassificationTask
from tasks.early_exits.policy import HeadAnswers
from tasks.recipe import Recipe
from tasks.recogniser import load_recogniser, save_weights

# Two trainings of one thread each make 1.24 times (fire:gwap, mobilenet_v1, shui_cnn) as many steps as one of two
# threads, on two cores of an AMD EPYC; more at once would need more memory than the small machines have.
PARALLEL_ROWS = 2
CHECKPOINT = "last.ckpt"  # of an unfinished training
RESUME_EVERY_S = 60  # at the end of an epoch, once so much time has passed since the last checkpoint


@dataclass(frozen=True)
class Hardware:
    """What training runs on.

    Attributes:
        accelerator: Lightning's; one device of it.
        parallel: rows that train in parallel.
    """

    accelerator: str = "auto"
    parallel: int = 1

    @classmethod
    def of(cls, accelerator: str) -> "Hardware":
        """The whole machine: on CPUs with two threads or more, two rows at once."""
        gpu = accelerator != "cpu" and torch.accelerator.is_available()
        forks = sys.platform == "linux"  # forks of a process that has loaded macOS's libraries may crash
        enough = torch.get_num_threads() >= PARALLEL_ROWS
        return cls(accelerator, PARALLEL_ROWS if forks and not gpu and enough else 1)


@dataclass(frozen=True)
class Outcome:
    """What training leaves: files below ``folder``, the seconds it took, and in what precision, if it was done here."""

    weights: Path
    curve: list[dict[str, float]]
    seconds: float
    precision: str | None


class WholeCheckpoints(TorchCheckpointIO):
    """Checkpoints that are written whole or not at all, in their own folder; read without pickle."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write beside the target, flush, then take its name."""
        with whole_file(Path(path)) as partial:
            torch.save(checkpoint, partial)


class Curve(pl.Callback):
    """Collects one point per epoch, tells of progress and saves what a resumed run needs."""

    def __init__(self, folder: Path, tell: Tell, seed: int) -> None:
        self.folder, self.tell, self.seed = folder, tell, seed
        self.points: list[dict[str, float]] = []
        self.spent = 0.0
        self.started = self.saved = time.monotonic()

    def on_train_batch_start(self, trainer: pl.Trainer, task: Any, batch: Any, batch_idx: int) -> None:
        """Draws inside the network, such as dropout's, start from (seed, epoch): a resumed run repeats them."""
        if batch_idx == 0:  # the hook at the start of an epoch comes before the loader's own draw
            epoch_seed = np.random.SeedSequence((self.seed, trainer.current_epoch)).generate_state(1)
            torch.manual_seed(int(epoch_seed[0]))

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Tell of progress every few steps."""
        if trainer.global_step % EVERY_STEPS == 0:
            done = trainer.current_epoch + trainer.fit_loop.batch_idx / max(1, trainer.num_training_batches)
            self.tell(Event("epoch", done=done, epochs=trainer.max_epochs or 1))

    def on_train_epoch_end(self, trainer: pl.Trainer, task: pl.LightningModule) -> None:
        """Keep the epoch's figures; now and then keep the whole state."""
        scores = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self.points.append({"epoch": trainer.current_epoch + 1, **scores})
        done = trainer.current_epoch + 1
        self.tell(Event("epoch", done=done, epochs=trainer.max_epochs or 1, scores=scores))
        if time.monotonic() - self.saved > RESUME_EVERY_S:
            with _plateaus_stepped(trainer):
                trainer.save_checkpoint(self.folder / CHECKPOINT)
            self.saved = time.monotonic()

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run continues from."""
        return {"points": self.points, "spent": self.spent + time.monotonic() - self.started}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state."""
        self.points, self.spent = state["points"], state["spent"]


def train(
    architecture: str,
    recipe: Recipe,
    datamodule: CharacterDataModule,
    folder: Path,
    seed: int,
    hardware: Hardware,
    tell: Tell,
    begin: Path | None = None,
) -> tuple[ClassificationTask, Outcome]:
    """Train a system, or continue where an interrupted run of the same settings stopped, from CHECKPOINT.

    Args:
        architecture: ``name`` or ``name:variant``.
        recipe: with the epochs to train for.
        datamodule: the data.
        folder: for weights.safetensors, curve.json and, while training, last.ckpt.
        seed: of weights, order and augmentation.
        hardware: where to train.
        tell: takes an event after each epoch, and now and then between.
        begin: weights of the system that the architecture ``BEGINS_WITH``, for a recipe whose heads are ``begun``.

    Returns: the trained task on the CPU and what it left.
    """
    with expected_warnings():
        pl.seed_everything(seed, verbose=False)
        datamodule.seed = seed
        task = ClassificationTask(architecture, datamodule.info.classes, recipe)
        if begin is not None:
            parent = ARCHITECTURES.literals(architecture.partition(":")[0])["BEGINS_WITH"]
            task.begin_with(load_recogniser(parent, datamodule.info.classes, begin).network)
        precision = precision_for(architecture, hardware.accelerator)
        curve = Curve(folder, tell, seed)
        resume = folder / CHECKPOINT
        trainer = pl.Trainer(
            max_epochs=recipe.all_epochs, accelerator=hardware.accelerator, devices=1,
            precision=precision, callbacks=[curve], logger=False,  # type: ignore[arg-type]
            plugins=[WholeCheckpoints()], enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, num_sanity_val_steps=0, default_root_dir=folder,
        )  # fmt: skip
        with interruptible():
            checkpoint = resume if resume.exists() else None
            trainer.fit(task, datamodule=datamodule, ckpt_path=checkpoint, weights_only=True)
    seconds = curve.state_dict()["spent"]
    task.cpu().eval()
    save_weights(task.network, folder / "weights.safetensors", origin(architecture, recipe.name, datamodule))
    write_whole(folder / "curve.json", json.dumps(curve.points, indent=1).encode())
    resume.unlink(missing_ok=True)
    return task, Outcome(folder / "weights.safetensors", curve.points, seconds, precision)


def load_pretrained(
    architecture: str, recipe: Recipe, datamodule: CharacterDataModule, folder: Path, weights: Path
) -> tuple[ClassificationTask, Outcome]:
    """Load weights that the user supplies, in place of training.

    Args:
        architecture: ``name`` or ``name:variant``.
        recipe: that of the row.
        datamodule: the data.
        folder: for weights.safetensors.
        weights: safetensors, by our names or by torchvision's.

    Returns: the task on the CPU and what it left, as ``train`` does.

    Raises:
        ValueError: they are not that system's; names the file and a tensor.
    """
    task = ClassificationTask(architecture, datamodule.info.classes, recipe)
    task.network = load_recogniser(architecture, datamodule.info.classes, weights).network  # type: ignore[assignment]
    target = folder / "weights.safetensors"
    said = read_metadata(weights)
    learned = {"dataset": said.dataset, "synthetic": json.dumps(said.synthetic)}  # not the data that they read here
    save_weights(task.network, target, origin(architecture, recipe.name, datamodule) | learned)
    return task, Outcome(target, [], 0.0, None)


def predict(task: ClassificationTask, datamodule: CharacterDataModule, hardware: Hardware) -> Predictions:
    """Answers on the test split, in full precision."""
    with expected_warnings(), interruptible():
        datamodule.set_input(task.channels, task.size)
        trainer = pl.Trainer(
            accelerator=hardware.accelerator, devices=1, logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        found: Any = trainer.predict(task, datamodule=datamodule)
    task.cpu().eval()

    def joined(name: str) -> Tensor:
        return torch.cat([batch[name].cpu() for batch in found])

    exits = heads = None
    if "exits" in found[0]:
        exits = joined("exits").numpy().astype(np.int8)
        heads = HeadAnswers(*(joined(name).numpy() for name in ("head_top", "head_confidence", "together")))
    return Predictions(
        joined("top").numpy().astype(np.int32),
        joined("probability").numpy().astype(np.float32),
        joined("labels").numpy(),
        exits,
        heads,
    )


def precision_for(architecture: str, accelerator: str) -> str:
    """bf16 on a GPU, and on CPUs that compute in it where the architecture says that it pays; else fp32."""
    if accelerator != "cpu" and torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true"
    pays = ARCHITECTURES.literals(architecture.partition(":")[0]).get("CPU_TRAINING") == "bf16"
    native = bool(torch.cpu.get_capabilities().get("avx512_bf16"))
    return "bf16-mixed" if pays and native else "32-true"


@contextmanager
def _plateaus_stepped(trainer: pl.Trainer) -> Iterator[None]:
    """Lightning steps plateau schedules after an epoch's last hook, and leaves that out when it resumes there."""
    schedules = [config.scheduler for config in trainer.lr_scheduler_configs]
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
    """Ctrl-C stays KeyboardInterrupt: Lightning turns it into an exit and switches the signal off."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as error:
        raise KeyboardInterrupt from error
    finally:
        signal.signal(signal.SIGINT, handler)


@contextmanager
def expected_warnings() -> Iterator[None]:
    """Silence Lightning where it warns of what this suite chooses on purpose."""
    quiet = logging.getLogger("pytorch_lightning")
    level = quiet.level
    quiet.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        for text in (
            ".*does not have many workers.*",  # resampling is a few per cent of a training step on a CPU
            ".*configure_optimizers.*returned.*None.*",  # fits without gradients
            ".*GPU available but not used.*",  # --accelerator cpu
            ".*The number of training batches.*smaller than the logging interval.*",
            ".*isinstance.treespec, LeafSpec..*",  # inside Lightning, fixed by its next release
            ".*Checkpoint directory.*exists and is not empty.*",
            ".*in eval mode at the start of training.*",  # a teacher, and a student of fixed statistics
        ):
            warnings.filterwarnings("ignore", text)
        try:
            yield
        finally:
            quiet.setLevel(level)
