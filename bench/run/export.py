"""``bench export``: the exported file that a row was measured with, or one made from its weights."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bench.deploy.calibration import CALIBRATION, read_calibration
from bench.deploy.load import IN_FP32
from bench.deploy.recognize import image_files, native_character
from bench.plugins import ARCHITECTURES, INT8, RUNTIMES, SUITES, exportable_runtimes
from bench.records.deploy_commands import is_here, measured_file, measured_with, run_command, train_command
from bench.records.load import read_stored
from bench.records.predictions import EXPORTED, RUNS, row_folder
from bench.records.provenance import machine
from bench.runtimes._base import Subject
from bench.system import parse_system
from bench.training.checkpoint import check_checkpoint, unfit
from bench.training.weights_metadata import WeightsMetadata
from datamodules._characters import Characters
from datamodules._errors import DataError, UsageError
from datamodules._files import sha256, write_whole
from tasks.compression.packing import is_packed


@dataclass(frozen=True)
class RowName:
    """A row of a board; ``dataset`` None for the suite's own."""

    suite: str = "hccr"
    dataset: str | None = None
    scale: str = "quick"
    seed: int = 0


@dataclass(frozen=True)
class Sources:
    """Where an export finds what it needs.

    Attributes:
        checkpoint: weights, safetensors or packed; None for those of the row.
        row: whose measured file or weights to take without a checkpoint.
        labels: text file of class names, one per line in label order, for weights without class names.
        calibration: folder of images of single characters for int8; None for the validation characters of the row.
        leaderboards: folder that contains ``results``.
        runs: folder of the rows' weights and exported files.
    """

    checkpoint: Path | None = None
    row: RowName = RowName()
    labels: Path | None = None
    calibration: Path | None = None
    leaderboards: Path = Path("leaderboards")
    runs: Path = RUNS


class Exported(NamedTuple):
    """Whether a written file is the one that a record was measured with, and the error that was found then, if any."""

    measured: bool
    error: str = ""


def export_system(system: str, runtime: str, out: Path, sources: Sources) -> Exported:
    """Write a system in a runtime as one file that runs without this package.

    The file that the record's figures were measured with is copied; without it, it is made from the weights.

    Raises:
        UnknownPlugin: no such system, runtime or suite.
        DataError: not a file of weights, or a damaged file.
        UsageError: no such row, weights of another system or without labels, int8 without characters to calibrate on,
            or ``out`` cannot be written.
        ExportError: a network that cannot be expressed as a graph.
    """
    if runtime not in exportable_runtimes():
        raise UsageError(
            f"--runtime {runtime}: is not shipped as a file; wanted one of {', '.join(exportable_runtimes())}"
        )
    parse_system(system, "")
    _check_out(out, sources.checkpoint)
    if sources.calibration is not None and not runtime.endswith(INT8):
        raise UsageError(f"--calibration: is for int8, and {runtime} computes in float32; leave it out")
    records = [stored.record for stored in read_stored(sources.leaderboards)[0]]
    if sources.checkpoint is None:
        record, checkpoint = _row(system, runtime, sources, records)
    else:
        check_checkpoint(system, sources.checkpoint)
        checkpoint = sources.checkpoint
        record = _record_of(checkpoint, sources.runs, records)
    plain = sources.labels is None and sources.calibration is None
    file = measured_file(sources.runs, record, runtime) if record and plain else None
    content = _made(system, runtime, checkpoint, record, sources) if file is None else file.read_bytes()
    write_whole(out, content)
    if hashlib.sha256(content).hexdigest() not in measured_with(record, runtime):
        return Exported(False)
    return Exported(True, record["measurements"].get(f"latency@{runtime}", {}).get("error", ""))


def _record_of(checkpoint: Path, runs: Path, records: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The record of these weights, rather that of their own folder and of this machine; empty if there is none."""
    checksum, here = sha256(checkpoint), machine()["name"]
    found = [one for one in records if one.get("checkpoint_sha256") == checksum and one["dataset"]]

    def fits(record: Mapping[str, Any]) -> tuple[bool, bool]:
        own = row_folder(runs, record).resolve() == checkpoint.parent.resolve()
        return own, record["machine"]["name"] == here

    return max(found, key=fits, default={})


def _row(
    system: str, runtime: str, sources: Sources, records: Sequence[Mapping[str, Any]]
) -> tuple[Mapping[str, Any], Path]:
    """A row's record and the place of its weights; the weights or the exported file are on this machine."""
    row = sources.row
    suite = SUITES.load(row.suite).SUITE
    named = parse_system(system, suite.recipe)
    dataset, name = row.dataset or str(suite.dataset), named.name
    place = {"suite": row.suite, "scale": row.scale, "system": name, "seed": row.seed}
    found = [one for one in records if one["dataset"] and one["dataset"]["name"] == dataset
             and all(one[key] == value for key, value in place.items())]  # fmt: skip
    where = f"suite {row.suite}, {dataset}, scale {row.scale}, seed {row.seed}"
    if not found:
        more = ["--system", name, "--runtime", runtime, *(["--seed", str(row.seed)] if row.seed else [])]
        command = run_command(row.suite, dataset, row.scale, sources.leaderboards, more=more)
        raise UsageError(
            f"{name}: no record of it in {sources.leaderboards} ({where}); name its folder by --records, or make it: "
            f"{command}, or use --checkpoint FILE"
        )
    for record in sorted(found, key=lambda one: one["machine"]["name"] != machine()["name"]):
        if is_here(sources.runs, record, runtime):
            return record, row_folder(sources.runs, record) / named.weights_file
    raise UsageError(
        f"{name}: the weights of its record ({where}) are not on this machine; train it here: "
        f"{train_command(found[0], runtime, sources.leaderboards)}, or use --checkpoint FILE"
    )


def _made(system: str, runtime: str, checkpoint: Path, record: Mapping[str, Any], sources: Sources) -> bytes:
    """The content of a file that is made from the weights."""
    named, metadata = check_checkpoint(system, checkpoint)
    if named.storage is not None and not is_packed(checkpoint):
        raise UsageError(f"--checkpoint {checkpoint}: wanted the {named.weights_file} of {system}, got other weights")
    names = _labels(checkpoint, metadata, sources.labels)
    file, _, form = runtime.partition("-")
    characters = Characters.pack([], [])
    if form == INT8.removeprefix("-"):
        characters = _calibration(
            checkpoint, sources.calibration, ARCHITECTURES.literals(named.architecture.partition(":")[0])["INPUT"][0]
        )
    subject = Subject(
        named.architecture, len(names), checkpoint, characters, labels=tuple(names), record=record,
        in_fp32=tuple(record.get("measurements", {}).get(f"size_bytes@{runtime}", {}).get(IN_FP32, ())),
        # If the name has no recipe, the recipe of the weights completes it; a named one was checked against them.
        system=system if "+" in system else named.name,
    )  # fmt: skip
    try:
        content: bytes = RUNTIMES.load(file).export(subject, form)
    except ModuleNotFoundError as error:
        raise UsageError(str(error)) from error
    except ValueError as error:
        raise unfit(checkpoint, error, f"is it of this system, and are its labels {len(names)}?") from error
    return content


def _calibration(checkpoint: Path, folder: Path | None, channels: int) -> Characters:
    """The characters to calibrate int8 on: images of a folder, or those of the row."""
    if folder is not None:
        images = list(_images(folder, channels))
        return Characters.pack(images, [0] * len(images))
    kept = checkpoint.parent / EXPORTED / CALIBRATION
    if not kept.exists():
        raise UsageError(
            f"--checkpoint {checkpoint}: int8 needs characters to calibrate on, and a run left none beside these "
            "weights; use --calibration DIR, a folder of at least 100 images of single characters"
        )
    return read_calibration(kept)


def _images(folder: Path, channels: int) -> Iterator[Any]:
    for file in image_files([folder]):
        yield native_character(file, channels)


def _check_out(out: Path, checkpoint: Path | None) -> None:
    """Raise UsageError if ``out`` cannot be written, before the work is done."""
    if checkpoint is not None and out.resolve() == checkpoint.resolve():
        raise UsageError(f"--out {out}: is the checkpoint itself, which must not be overwritten")
    if out.is_dir():
        raise UsageError(f"--out {out}: is a folder; name the file to write, such as {out / 'hanzi.onnx'}")
    if not out.parent.is_dir():
        raise UsageError(f"--out {out}: there is no folder {out.parent} to write to; create it first")


def _labels(checkpoint: Path, metadata: WeightsMetadata, file: Path | None) -> Sequence[str]:
    if file is None:
        if not metadata.labels:
            raise UsageError(
                f"--checkpoint {checkpoint}: these weights, such as compressed ones or those of older runs, have no "
                "class names; use --labels FILE, one class name per line in label order"
            )
        return metadata.labels
    try:
        names = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(file, error.start, "class names in UTF-8", "other bytes", "Save it as UTF-8.") from error
    if metadata.labels and tuple(names) != metadata.labels:
        raise UsageError(f"--labels {file}: contradicts the class names in {checkpoint}; omit --labels")
    if len(set(names)) < len(names) or "" in names:
        raise UsageError(f"--labels {file}: wanted each class once, one per line, got an empty line or a duplicate")
    return names
