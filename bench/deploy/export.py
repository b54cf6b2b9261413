"""Exports a trained recogniser to one file: resize, network, labels and provenance."""

import io
import json
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import onnx

from bench.deploy.checksum import DIGITS, onnx_with_checksum, with_checksum
from bench.deploy.load import FORMAT
from bench.deploy.onnx_cascade import onnx_cascade
from bench.deploy.onnx_model import onnx_model
from bench.deploy.openvino_core import core
from bench.records.load import read_stored
from bench.records.provenance import source_state, versions
from bench.training.checkpoint import check_checkpoint, unfit
from bench.training.weights_metadata import WeightsMetadata
from datamodules._errors import DataError, UsageError
from datamodules._files import sha256, write_whole
from tasks.early_exits.cascade import cascade_of
from tasks.recogniser import Recogniser, load_recogniser

FORMATS = ("onnx", "openvino")


def export_system(
    system: str, checkpoint: Path, form: str, out: Path, labels: Path | None, leaderboards: Path
) -> dict[str, str]:
    """Write a trained system as one file that runs without this package.

    A system with early exits uses its policy, which is part of the provenance under ``exits``.

    Args:
        system: its name.
        checkpoint: its weights, safetensors.
        form: one of FORMATS; ``onnx`` is one ONNX file, ``openvino`` a zip of OpenVINO's two files.
        out: the file to write.
        labels: text file of class names, one per line in label order, for weights without class names.
        leaderboards: folder whose ``results`` have the record of these weights, for its accuracy.

    Returns: the metadata of the file.

    Raises:
        UnknownPlugin: no such system.
        DataError: not a safetensors file.
        UsageError: weights of another system or without labels, a compressed system, or ``out`` cannot be written.
        ExportError: a network that cannot be expressed as a graph.
    """
    _check_out(out, checkpoint)
    named, metadata = check_checkpoint(system, checkpoint)
    if named.storage is not None:
        plain = replace(named, storage=None).name
        raise UsageError(f"{system}: wanted a system in float32, as exported graphs are; export {plain} instead")
    names = _labels(checkpoint, metadata, labels)
    try:
        recogniser = load_recogniser(named.architecture, len(names), checkpoint)
    except ValueError as error:
        raise unfit(checkpoint, error, f"is it of this system, and are its labels {len(names)}?") from error
    cascade = cascade_of(recogniser.network)
    graph = onnx.load_from_string(onnx_cascade(recogniser) if cascade else onnx_model(recogniser, batch=True))
    # If the name has no recipe, the recipe of the weights completes it; a named recipe was checked against the weights.
    about = _about(system if "+" in system else named.name, checkpoint, names, metadata, recogniser, leaderboards)
    content = _onnx_file(graph, about) if form == "onnx" else _openvino_file(graph, about)
    write_whole(out, content)
    return about


def _check_out(out: Path, checkpoint: Path) -> None:
    """Raise UsageError if ``out`` cannot be written, before the work is done."""
    if out.resolve() == checkpoint.resolve():
        raise UsageError(f"--out {out}: is the checkpoint itself, which must not be overwritten")
    if out.is_dir():
        raise UsageError(f"--out {out}: is a folder; name the file to write, such as {out / 'hanzi.onnx'}")
    if not out.parent.is_dir():
        raise UsageError(f"--out {out}: there is no folder {out.parent} to write to; create it first")


def _labels(checkpoint: Path, metadata: WeightsMetadata, file: Path | None) -> Sequence[str]:
    if file is None:
        if not metadata.labels:
            raise UsageError(
                f"--checkpoint {checkpoint}: these weights, like those of older runs, have no class names; "
                "use --labels FILE, one class name per line in label order"
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


def _about(
    system: str, weights: Path, labels: Sequence[str], metadata: WeightsMetadata, recogniser: Recogniser, folder: Path
) -> dict[str, str]:
    """The metadata of the file, as text, without paths of this machine."""
    checksum = sha256(weights)
    records = [s.record for s in read_stored(folder)[0] if s.record.get("checkpoint_sha256") == checksum]
    commit, dirty = source_state()
    cascade = cascade_of(recogniser.network)
    provenance: dict[str, Any] = {
        "checkpoint_sha256": checksum, "exported_by_commit": commit, "exported_from_changed_sources": dirty,
        "versions": versions(), "record": _record(records[0]) if records else None,
    }  # fmt: skip
    if cascade is not None:
        provenance["exits"] = asdict(cascade.policy)
    dataset: Mapping[str, Any] = {"name": metadata.dataset, "synthetic": metadata.synthetic}
    # Not for weights supplied by the user: the record's data set was only used to evaluate them.
    if records and not metadata.dataset and not records[0].get("given"):
        dataset = records[0]["dataset"]
    return {
        "format": FORMAT, "system": system, "dataset": dataset["name"], "synthetic": json.dumps(dataset["synthetic"]),
        "labels": json.dumps(list(labels), ensure_ascii=False),
        "licence": metadata.licence,  # of the training data; empty if unknown
        "channels": str(recogniser.channels), "size": str(recogniser.size),
        "provenance": json.dumps(provenance, ensure_ascii=False),
    }  # fmt: skip


def _record(record: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a record about the training and the accuracy of these weights."""
    kept = ("suite", "scale", "system", "seed", "recipe", "dataset", "commit", "trained_commit", "started_at")
    return {**{key: record.get(key) for key in kept}, "accuracy": record["measurements"].get("accuracy")}


def _onnx_file(graph: onnx.ModelProto, about: Mapping[str, str]) -> bytes:
    graph.producer_name = "hccr-bench"
    onnx.helper.set_model_props(graph, dict(about))
    return onnx_with_checksum(graph.SerializeToString())


def _openvino_file(graph: onnx.ModelProto, about: Mapping[str, str]) -> bytes:
    try:
        model = core().read_model(graph.SerializeToString())
    except ModuleNotFoundError as error:
        raise UsageError(str(error)) from error
    import openvino

    for name, value in about.items():
        model.set_rt_info(value, ["recogniser", name])
    buffer = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        openvino.save_model(model, Path(folder) / "recogniser.xml", compress_to_fp16=False)
        with zipfile.ZipFile(buffer, "w") as archive:
            for name in ("recogniser.xml", "recogniser.bin"):
                archive.write(Path(folder) / name, name)
            archive.comment = b"0" * DIGITS
    return with_checksum(buffer.getvalue())
