"""Profiles one system without training, in one or (``--long``) three processes; never ranked if weights are random."""

import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from bench.measurements._deployment import EAGER, deployed
from bench.measurements._row import Row
from bench.plugins import ARCHITECTURES, MEASUREMENTS, check_runtimes
from bench.records.provenance import provenance
from bench.records.record import new_record
from bench.run.compress import pack_file
from bench.run.measure import figure, figure_in, measure_phase, measurement_modules
from bench.system import System, parse_system, refuse_unknown_layers
from bench.training.checkpoint import check_checkpoint, unfit
from datamodules._errors import UsageError
from datamodules._files import sha256
from datamodules.synthetic_hwdb import SyntheticHWDB
from tasks.compression.packing import is_packed
from tasks.normalised import Normalised
from tasks.recogniser import load_recogniser, save_weights

MEASURED = ("macs", "params", "params_keras", "size_bytes", "peak_activation_bytes", "machine_limit")
DEPLOYED = ("latency", "process_bytes")  # measurements that depend on the runtime
ROUNDS = 60  # of paired timing, as at scale quick
LONG = 3  # measuring processes of a long profile: LAT-1 asks for three
_CLASSES = 64  # times 4 validation writers: the 256 characters that latency cycles through


def profile_system(
    name: str, classes: int, runtime: str, checkpoint: Path | None, command: str, launches: int = 1
) -> dict[str, Any]:
    """Run all measurements that need no test data, on trained weights (packed or not) or, without, on random ones.

    ``runtime`` is for latency and the memory probe; figures are ``latency`` for eager, ``latency@NAME`` otherwise.
    ``launches`` is the number of measuring processes for latency.

    Raises:
        UnknownPlugin: an unknown system or runtime.
        UsageError: the checkpoint is missing, or belongs to another system or label space.
        DataError: the checkpoint is not a file of weights.
    """
    system = parse_system(name, "light") if checkpoint is None else _checked(name, checkpoint, classes)
    check_runtimes(runtime)
    refuse_unknown_layers(system, classes)
    facts, started = provenance(command), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        weights = checkpoint or Path(folder) / "weights.safetensors"
        if checkpoint is None:
            _write_random(system.architecture, classes, weights)
        try:
            if system.storage and not is_packed(weights):
                source, weights = weights, Path(folder) / system.weights_file
                pack_file(system, classes, source, weights)
            row = _row(system, classes, weights, trained=checkpoint is not None, launches=launches)
        except ValueError as error:
            if checkpoint is None:
                raise
            hint = f"is it of this system, and does it have {classes} classes (--classes)?"
            raise unfit(checkpoint, error, hint) from error
        checksum = sha256(weights)
        measurements: dict[str, Any] = {}
        for phase in ("figures", "timing"):
            measure_phase(phase, row, measurement_modules(MEASURED), measurements)
        measurements |= measured_in(row, runtime)
    facts["seconds"]["measure"] = round(time.monotonic() - started, 1)
    return new_record(
        system.name, weights="random" if checkpoint is None else "trained", checkpoint_sha256=checksum, **facts,
        classes=classes, inputs=timed_inputs(row), measurements=measurements,
    )  # fmt: skip


def random_row(name: str, classes: int, weights: Path) -> Row:
    """A row with random weights, saved to ``weights``: valid for timing, not for accuracy."""
    system = parse_system(name, "light")
    _write_random(system.architecture, classes, weights)
    return _row(system, classes, weights, trained=False)


def _checked(name: str, checkpoint: Path, classes: int) -> System:
    """The checkpoint's system; raises UsageError if its classes differ."""
    system, metadata = check_checkpoint(name, checkpoint)
    if metadata.classes not in (None, classes):
        raise UsageError(
            f"--checkpoint {checkpoint}: has {metadata.classes:,} classes, got --classes {classes}; "
            f"use --classes {metadata.classes}"
        )
    return system


def _row(system: System, classes: int, weights: Path, trained: bool, launches: int = 1) -> Row:
    return Row(
        system=system.name, architecture=system.architecture,
        recogniser=load_recogniser(system.architecture, classes, weights),
        datamodule=SyntheticHWDB(_CLASSES, writers=(1, 1)), predictions=None, weights=weights, classes=classes,
        rounds=ROUNDS, seed=0, trained=trained, launches=launches,
    )  # fmt: skip


def timed_inputs(row: Row) -> dict[str, Any]:
    """The data whose validation part was timed."""
    info = row.datamodule.info
    return {
        "dataset": info.name, "synthetic": info.synthetic, "fingerprint": row.datamodule.fingerprint,
        "classes": info.classes, "val": info.sizes["val"],
    }  # fmt: skip


def _write_random(architecture: str, classes: int, path: Path) -> None:
    name, _, variant = architecture.partition(":")
    module = ARCHITECTURES.load(name)
    torch.manual_seed(0)
    save_weights(Normalised(module.build(variant, classes, *module.INPUT)), path)


def measured_in(row: Row, runtime: str, names: Sequence[str] = DEPLOYED) -> dict[str, dict[str, Any]]:
    """The measurements of a row in one runtime."""
    with deployed(row, runtime) as deployment:
        if runtime != EAGER:
            return {f"{name}@{runtime}": figure_in(deployment, name) for name in names}
        modules = [(name, MEASUREMENTS.load(name)) for name in names]
        return {name: figure(module, partial(module.measure_in, deployment)) for name, module in modules}
