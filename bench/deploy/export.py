"""A trained recogniser as one file to take home: resize, network, labels and provenance."""

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

    Args:
        system: its name.
        checkpoint: its weights, safetensors.
        form: of FORMATS; ``onnx`` is one ONNX file, ``openvino`` a zip of OpenVINO's pair of files.
        out: the file to write.
        labels: text file of class names, one a line in label order, for weights that do not name them.
        leaderboards: folder whose ``results`` hold the record of these weights, for its accuracy.

    Of a system with early exits the file leaves where its policy lets it, as its provenance says under ``exits``.

    Returns: what the file's metadata say.

    Raises:
        UnknownPlugin: no such system.
        DataError: no safetensors file.
        UsageError: weights of another system, or without labels; a system stored in fewer bits; no place for ``out``.
        ExportError: a network that cannot be expressed as a graph.
    """
    _check_out(out, checkpoint)
    named, origin = check_checkpoint(system, checkpoint)
    plain = replace(named, storage=None)
    if named != plain:
        raise UsageError(
            f"{system}: wanted a system in float32, as exported graphs are; export {plain.name} from its own weights"
        )
    names = _labels(checkpoint, origin, labels)
    try:
        recogniser = load_recogniser(named.architecture, len(names), checkpoint)
    except ValueError as error:
        raise unfit(checkpoint, error, f"is it of this system, and are its labels {len(names)}?") from error
    cascade = cascade_of(recogniser.network)
    graph = onnx.load_from_string(onnx_cascade(recogniser) if cascade else onnx_model(recogniser, batch=True))
    # A recipe that was named is one that the weights do not deny; one that was left out is theirs.
    about = _about(system if "+" in system else named.name, checkpoint, names, origin, recogniser, leaderboards)
    content = _onnx_file(graph, about) if form == "onnx" else _openvino_file(graph, about)
    write_whole(out, content)
    return about


def _check_out(out: Path, checkpoint: Path) -> None:
    """Refuse a place that the file cannot take, before the work is done."""
    if out.resolve() == checkpoint.resolve():
        raise UsageError(f"--out {out}: is the checkpoint itself, which must not be overwritten")
    if out.is_dir():
        raise UsageError(f"--out {out}: is a folder; name the file to write, such as {out / 'hanzi.onnx'}")
    if not out.parent.is_dir():
        raise UsageError(f"--out {out}: there is no folder {out.parent} to write it in; make it first")


def _labels(checkpoint: Path, origin: WeightsMetadata, file: Path | None) -> Sequence[str]:
    if file is None:
        if not origin.labels:
            raise UsageError(
                f"--checkpoint {checkpoint}: these weights do not name their classes, as those of older runs; "
                "say --labels FILE, one class name a line in label order"
            )
        return origin.labels
    try:
        names = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(file, error.start, "class names in UTF-8", "other bytes", "Save it as UTF-8.") from error
    if origin.labels and tuple(names) != origin.labels:
        raise UsageError(f"--labels {file}: contradicts the labels that {checkpoint} names itself; leave --labels out")
    if len(set(names)) < len(names) or "" in names:
        raise UsageError(f"--labels {file}: wanted each class once, one a line, got an empty line or one twice")
    return names


def _about(
    system: str,
    checkpoint: Path,
    labels: Sequence[str],
    origin: WeightsMetadata,
    recogniser: Recogniser,
    leaderboards: Path,
) -> dict[str, str]:
    """Everything the file says of itself, as text; nothing of this machine's paths."""
    checksum = sha256(checkpoint)
    records = [s.record for s in read_stored(leaderboards)[0] if s.record.get("checkpoint_sha256") == checksum]
    commit, dirty = source_state()
    cascade = cascade_of(recogniser.network)
    provenance: dict[str, Any] = {
        "checkpoint_sha256": checksum, "exported_by_commit": commit, "exported_from_changed_sources": dirty,
        "versions": versions(), "record": _record(records[0]) if records else None,
    }  # fmt: skip
    if cascade is not None:
        provenance["exits"] = asdict(cascade.policy)
    said: Mapping[str, Any] = {"name": origin.dataset, "synthetic": origin.synthetic}
    if records and not origin.dataset and not records[0].get("given"):  # given weights read those data, no more
        said = records[0]["dataset"]
    return {
        "format": FORMAT, "system": system, "dataset": said["name"], "synthetic": json.dumps(said["synthetic"]),
        "labels": json.dumps(list(labels), ensure_ascii=False),
        "channels": str(recogniser.channels), "size": str(recogniser.size),
        "provenance": json.dumps(provenance, ensure_ascii=False),
    }  # fmt: skip


def _record(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a record says of how well and by what these weights were trained."""
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
