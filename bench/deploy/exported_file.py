"""Makes the bytes of an exported file: one graph with its metadata, for ONNX Runtime or OpenVINO."""

import io
import itertools
import json
import re
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from bench.deploy.checksum import DIGITS, onnx_with_checksum, with_checksum
from bench.deploy.int8 import quantised, quantised_stages
from bench.deploy.int8_weights import with_int8_weights
from bench.deploy.load import FORMAT, IN_FP32, PORTABLE_BITS, WEIGHT_BITS
from bench.deploy.onnx_cascade import onnx_cascade, stage_graphs
from bench.deploy.onnx_model import onnx_model
from bench.deploy.openvino_core import core
from bench.records.provenance import versions
from bench.training.weights_metadata import read_metadata
from datamodules._files import sha256
from datamodules._image import with_channels
from tasks.early_exits.cascade import cascade_of
from tasks.recogniser import Recogniser

# Entries of a record about the training of its weights. When and by what commit they were measured is left out: the
# same weights and the same packages give the same file.
_KEPT = ("suite", "scale", "system", "seed", "recipe", "dataset", "trained_commit")
# A layer in OpenVINO's XML that has no name of its own: OpenVINO numbers these by a counter of the process.
_NUMBERED = re.compile(rb'(<layer id="\d+" name=")\w+_\d+(" type="(?!Parameter|Result))')
UNKNOWN = "unknown_accepted"  # figure that states from which probability on an answer is sure
_ZIPPED = ("recogniser.xml", "recogniser.bin")
_DATE = (1980, 1, 1, 0, 0, 0)  # of the files in a zip, the earliest that the format knows: equal input, equal bytes


@dataclass(frozen=True)
class Graph:
    """An ONNX graph of a recogniser; ``in_fp32``: convolutions of each stage that int8 leaves in fp32."""

    model: bytes
    in_fp32: tuple[int, ...] = ()


def fp32_graph(recogniser: Recogniser) -> Graph:
    """The graph of a recogniser in eval mode; with early exits, it follows the exit policy.

    Raises: ExportError: the network cannot be expressed in ONNX.
    """
    if cascade_of(recogniser.network) is None:
        return Graph(onnx_model(recogniser))
    return Graph(onnx_cascade(recogniser, stage_graphs(recogniser)))


def w8_graph(recogniser: Recogniser) -> Graph:
    """The graph in fp32 with its weights stored in int8; see ``bench.deploy.int8_weights``.

    Raises: ExportError: the network cannot be expressed in ONNX.
    """
    if cascade_of(recogniser.network) is None:
        return Graph(with_int8_weights(onnx_model(recogniser)))
    return Graph(onnx_cascade(recogniser, [with_int8_weights(stage) for stage in stage_graphs(recogniser)]))


def int8_graph(recogniser: Recogniser, characters: Sequence[NDArray[np.uint8]], in_fp32: Sequence[int] = ()) -> Graph:
    """The same in int8, calibrated on native-size characters; ``in_fp32`` as an earlier graph states, or to choose.

    Raises: ExportError: the network cannot be expressed in ONNX. ValueError: no characters.
    """
    images = [with_channels(one, recogniser.channels) for one in characters]
    if cascade_of(recogniser.network) is None:
        made = quantised(onnx_model(recogniser), images, in_fp32[0] if in_fp32 else None)
        return Graph(made.model, (made.in_fp32,))
    stages = quantised_stages(stage_graphs(recogniser), images, in_fp32)
    return Graph(onnx_cascade(recogniser, [one.model for one in stages]), tuple(one.in_fp32 for one in stages))


def file_metadata(
    system: str, weights: Path, labels: Sequence[str], record: Mapping[str, Any], runtime: str, recogniser: Recogniser,
    in_fp32: Sequence[int],
) -> dict[str, str]:  # fmt: skip
    """The metadata of an exported file, as text, without paths of this machine.

    Args:
        system: its name, for weights without a record.
        weights: safetensors or packed.
        labels: class names in label order.
        record: of these weights; empty if there is none.
        runtime: that the file is for.
        recogniser: the loaded weights.
        in_fp32: of its ``Graph``.
    """
    stored, cascade = read_metadata(weights), cascade_of(recogniser.network)
    dataset: Mapping[str, Any] = {"name": stored.dataset, "synthetic": stored.synthetic}
    # Not for weights supplied by the user: the record's data set was only used to evaluate them.
    if record and not stored.dataset and not record.get("given"):
        dataset = record["dataset"]
    measured = record.get("measurements", {})
    trained = {**{key: record.get(key) for key in _KEPT}, "accuracy": measured.get("accuracy")}
    if UNKNOWN in measured:  # what ``recognize`` needs to say how sure it is
        trained[UNKNOWN] = {key: value for key, value in measured[UNKNOWN].items() if key != "curve"}
    provenance: dict[str, Any] = {
        "checkpoint_sha256": sha256(weights), "versions": versions(), "record": trained if record else None,
        **({} if cascade is None else {"exits": asdict(cascade.policy)}),
    }  # fmt: skip
    return {
        "format": FORMAT, "runtime": runtime, "system": record.get("system", system), "dataset": dataset["name"],
        "synthetic": json.dumps(dataset["synthetic"]), "licence": stored.licence,
        "labels": json.dumps(list(labels), ensure_ascii=False),
        "channels": str(recogniser.channels), "size": str(recogniser.size),
        **({IN_FP32: json.dumps(list(in_fp32)), WEIGHT_BITS: str(PORTABLE_BITS)} if in_fp32 else {}),
        "provenance": json.dumps(provenance, ensure_ascii=False),
    }  # fmt: skip


def onnx_file(graph: bytes, about: Mapping[str, str]) -> bytes:
    """The content of an ONNX file with this metadata; it ends with a checksum."""
    model = onnx.load_from_string(graph)
    model.producer_name = "hccr-bench"
    onnx.helper.set_model_props(model, dict(about))
    return onnx_with_checksum(model.SerializeToString(deterministic=True))


def openvino_file(graph: bytes, about: Mapping[str, str]) -> bytes:
    """The content of a zip of OpenVINO's two files with this metadata; it ends with a checksum.

    Raises: ModuleNotFoundError: OpenVINO is not installed; the message names the extra to install.
    """
    model = core().read_model(graph)
    import openvino

    for name, value in about.items():
        model.set_rt_info(value, ["recogniser", name])
    buffer = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        openvino.save_model(model, Path(folder) / _ZIPPED[0], compress_to_fp16=False)
        with zipfile.ZipFile(buffer, "w") as archive:
            for name in _ZIPPED:
                content = (Path(folder) / name).read_bytes()
                archive.writestr(zipfile.ZipInfo(name, _DATE), _renamed(content) if name == _ZIPPED[0] else content)
            archive.comment = b"0" * DIGITS
    return with_checksum(buffer.getvalue())


def _renamed(graph: bytes) -> bytes:
    """OpenVINO's XML with layers without a name numbered from 0: equal networks give equal bytes."""
    numbers = itertools.count()
    return _NUMBERED.sub(lambda layer: b"%slayer_%d%s" % (layer[1], next(numbers), layer[2]), graph)
