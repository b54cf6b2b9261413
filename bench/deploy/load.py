"""Loads exported recognisers: a function from images to probabilities. Imports neither torch nor onnx."""

import ctypes
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.deploy.checksum import check_whole
from bench.records.provenance import cpu_flags
from datamodules._errors import BenchError, DataError

FORMAT = "hccr-bench recogniser 1"  # version of the metadata
IN_FP32 = "int8_in_fp32"  # metadata of int8 files: how many convolutions of each stage stay in fp32
WEIGHT_BITS = "int8_weight_bits"  # metadata of int8 files
# x86 processors with one of these flags add products of 8-bit numbers in 32 bits. Others add pairs of them in 16 bits
# and cut off what does not fit, unless the weights have 7 bits: 2 · 255 · 64 fits. Files with weights of 8 bits, which
# earlier versions wrote, would answer wrongly there. Source: ONNX Runtime's documentation of quantisation.
_INT8_FLAGS = {"avx512_vnni", "avx_vnni", "amx_int8"}
PORTABLE_BITS = 7
Classify = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
Shapes = Sequence[Sequence[int | str | None]]  # of a graph's inputs or outputs; dynamic lengths are not numbers

_AGAIN = "Export it again: bench export."
_AT_ONCE = 32  # images that ``Recogniser`` classifies in one call of its runtime; bounds the memory


class MissingRuntimeError(BenchError):
    """The runtime of a file is not installed; the message says what to install."""


@dataclass(frozen=True)
class ExportedRecogniser:
    """A recogniser from an exported file.

    ``classify`` takes images of one size, uint8 (n, h, w) or (n, h, w, 3), paper 255, and returns probabilities,
    float32 (n, classes). It is thread-safe.
    """

    classify: Classify
    labels: tuple[str, ...]  # class names in label order
    channels: int  # 1 or 3
    size: int  # side of the network's input in pixels
    several: bool  # whether ``classify`` takes batches; if not, n must be 1
    runtime: str  # such as ``onnxruntime-int8``
    about: Mapping[str, str]  # metadata of the file

    @property
    def has_exits(self) -> bool:
        """Whether characters may leave at early exits, so that the cost depends on the character."""
        return bool((json.loads(self.about["provenance"]).get("exits") or {}).get("exits"))


def open_exported(path: Path, threads: int = 1, batch: bool = False, lean: bool = False) -> ExportedRecogniser:
    """Open a file of ``bench export``.

    Args:
        path: of the file.
        threads: that each call computes with; with ``batch``, that call at the same time, each computing on its own.
        batch: for several images in each call; otherwise for one.
        lean: with the least memory, for a few calls, which may be slower.

    Raises:
        FileNotFoundError: no such file.
        DataError: cut short, changed after it was written, inconsistent with its metadata, or int8 for a
            CPU that would compute wrong answers.
        MissingRuntimeError: its runtime is not installed.
    """
    check_whole(path)
    with path.open("rb") as file:
        is_zip = file.read(2) == b"PK"
    return _open_openvino(path, threads, batch) if is_zip else _open_onnx(path, threads, batch, lean)


class Recogniser:
    """A file of ``bench export`` as a function from images to probabilities, in batches of any length.

    Args:
        file: it needs its runtime only, ONNX Runtime or OpenVINO, not torch.

    Attributes:
        labels: class names, in the order of the probabilities.
        channels: 1, takes grey images, or 3, takes RGB images.
        size: side of the network's input in pixels, to which the file resizes every image.
        about: metadata of the file: ``system``, ``dataset``, ``provenance`` and so on, as strings.

    Raises:
        DataError, MissingRuntimeError: see ``open_exported``.
    """

    def __init__(self, file: str | Path) -> None:
        self._exported = open_exported(Path(file), batch=True)
        self.labels, self.channels, self.size = self._exported.labels, self._exported.channels, self._exported.size
        self.about = self._exported.about

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Classify one character or several of one size.

        Args:
            images: uint8, any height and width, dark ink on paper 255: (h, w) or (n, h, w), for three channels
                (h, w, 3) or (n, h, w, 3). Cut the character out of its photo first, with little paper around it.

        Returns: float32 (classes,) for one image, (n, classes) for several.

        Raises:
            ValueError: another type or shape; three columns of grey count as an RGB image passed by mistake.
        """
        images, colour = np.asarray(images), self.channels == 3
        one = 3 if colour else 2  # dimensions of one image
        fits = images.dtype == np.uint8 and images.ndim in (one, one + 1) and 0 not in images.shape[-one:]
        if not fits or (images.ndim > 2 and (images.shape[-1] == 3) != colour):
            wanted = (
                "RGB images, uint8 (h, w, 3) or (n, h, w, 3)" if colour else "grey images, uint8 (h, w) or (n, h, w)"
            )
            raise ValueError(f"{self.about['system']} takes {wanted}, got {images.dtype} {images.shape}")
        several = np.ascontiguousarray(images if images.ndim > one else images[None])
        step = _AT_ONCE if self._exported.several else 1
        parts = [self._exported.classify(several[start : start + step]) for start in range(0, len(several), step)]
        found = np.concatenate([np.empty((0, len(self.labels)), np.float32), *parts])
        return found if images.ndim > one else found[0]


def _open_onnx(path: Path, threads: int, batch: bool, lean: bool) -> ExportedRecogniser:
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingRuntimeError("onnxruntime is not installed: pip install onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = 1 if batch else threads, 1
    options.enable_cpu_mem_arena = not lean  # which reserves more than it uses
    if not batch:
        options.add_free_dimension_override_by_name("n", 1)  # lets ONNX Runtime compute what depends on it in advance
    try:
        # By its path: the bytes of a file would stay in memory twice while ONNX Runtime reads them.
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # exceptions of ONNX Runtime have no common base class
        raise _unreadable(path, "onnxruntime", error) from error
    if lean:
        _return_freed_memory()
    about = session.get_modelmeta().custom_metadata_map
    shapes = [one.shape for one in session.get_inputs()], [one.shape for one in session.get_outputs()]

    def classify(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        probabilities: NDArray[np.float32] = session.run(None, {"image": images})[0]
        return probabilities

    return _checked(path, classify, about, *shapes, "onnxruntime")


def _return_freed_memory() -> None:
    """Return what the optimisation of the graph has freed to the system, where glibc would keep it: 5 of 115 MB."""
    with suppress(AttributeError, OSError, TypeError):  # other C libraries; Windows
        ctypes.CDLL(None).malloc_trim(0)


def _open_openvino(path: Path, threads: int, batch: bool) -> ExportedRecogniser:
    from bench.deploy.openvino_core import core, settings

    try:
        engine = core()
    except ModuleNotFoundError as error:
        raise MissingRuntimeError(str(error)) from error
    import openvino

    graph, weights = _pair(path)
    about = _about(path, graph)
    try:
        model = engine.read_model(graph, openvino.Tensor(np.frombuffer(weights, np.uint8)))
        shapes = [_shape(one) for one in model.inputs], [_shape(one) for one in model.outputs]
        if not batch and [dims[:1] for dims in shapes[0]] == [[None]]:
            model.reshape([1, *model.inputs[0].partial_shape[1:]])
        compiled = engine.compile_model(model, "CPU", settings(threads, threads if batch else 1))
    except (RuntimeError, ValueError) as error:
        raise _unreadable(path, "openvino", error) from error

    local = threading.local()  # a request for each thread, which its next call overwrites

    def classify(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        if not hasattr(local, "request"):
            local.request = compiled.create_infer_request()
        probabilities: NDArray[np.float32] = local.request.infer([images])[0].copy()
        return probabilities

    return _checked(path, classify, about, *shapes, "openvino")


def _pair(path: Path) -> tuple[bytes, bytes]:
    """The XML graph and the weights of an OpenVINO file."""
    import zipfile  # slow imports, and files of ONNX Runtime need none of them
    import zlib

    # What zipfile raises for a damaged file; not all of it are its own exceptions.
    damaged = zipfile.BadZipFile, zlib.error, RuntimeError, OSError, EOFError, ValueError
    wanted = "a zip with recogniser.xml and recogniser.bin"
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read("recogniser.xml"), archive.read("recogniser.bin")
    except KeyError as error:
        raise DataError(path, 0, wanted, f"one without: {error.args[0]}", _AGAIN) from error
    except damaged as error:
        raise DataError(path, 0, wanted, f"a damaged one: {error}", _AGAIN) from error


def _about(path: Path, graph: bytes) -> dict[str, str]:
    """The metadata in an OpenVINO graph."""
    import xml.etree.ElementTree as ElementTree

    try:
        entries = ElementTree.fromstring(graph).iterfind("rt_info/recogniser/*")
    except ElementTree.ParseError as error:
        raise DataError(path, 0, "a recogniser.xml in XML", str(error), _AGAIN) from error
    return {one.tag: one.get("value", "") for one in entries}


def _shape(port: Any) -> list[int | None]:
    """Shape of an OpenVINO input or output; None for dynamic lengths."""
    shape = port.partial_shape
    return [] if shape.rank.is_dynamic else [None if one.is_dynamic else one.get_length() for one in shape]


def _checked(
    path: Path, classify: Classify, about: Mapping[str, str], inputs: Shapes, outputs: Shapes, runtime: str
) -> ExportedRecogniser:
    """The recogniser, if graph and metadata are consistent."""
    if about.get("format") != FORMAT:
        raise DataError(path, 0, FORMAT, str(about.get("format")), _AGAIN)
    _check_cpu(path, about.get("runtime", runtime), about.get(WEIGHT_BITS, "8"))
    try:
        labels, channels, size = _read(about)
    except KeyError as error:
        raise DataError(path, 0, "metadata of a recogniser", f"none called {error.args[0]}", _AGAIN) from error
    except ValueError as error:
        raise DataError(path, 0, "metadata as bench export writes them", str(error), _AGAIN) from error
    colour = channels == 3
    if [len(shape) for shape in inputs] != [4 if colour else 3] or [len(shape) for shape in outputs] != [2]:
        wanted = f"a graph from {'colour' if colour else 'grey'} images to probabilities"
        raise DataError(path, 0, wanted, f"one from {list(inputs)} to {list(outputs)}", _AGAIN)
    if outputs[0][1] != len(labels):
        raise DataError(path, 0, f"a graph of {len(labels)} classes, as its labels", f"{outputs[0][1]}", _AGAIN)
    several, runtime = not isinstance(inputs[0][0], int), about.get("runtime", runtime)
    return ExportedRecogniser(classify, labels, channels, size, several, runtime, dict(about))


def _check_cpu(path: Path, runtime: str, weight_bits: str) -> None:
    """Refuse int8 with weights of 8 bits on an x86 CPU without instructions for it; CPUs with unknown flags pass."""
    eight = runtime.endswith("-int8") and weight_bits != str(PORTABLE_BITS)
    flags = set(cpu_flags()) if eight else set()
    if "avx2" in flags and not flags & _INT8_FLAGS:
        advice = "Export it again: bench export; files of this version answer right on every CPU."
        got = "one that cuts off sums of 8-bit products, so that answers would be wrong"
        raise DataError(path, 0, f"a CPU with one of {', '.join(sorted(_INT8_FLAGS))}", got, advice)


def _read(about: Mapping[str, str]) -> tuple[tuple[str, ...], int, int]:
    """Labels, channels and size; raises KeyError for missing and ValueError for invalid metadata of any kind."""
    labels, synthetic, provenance = (_json(about, name) for name in ("labels", "synthetic", "provenance"))
    valid = {
        "labels": isinstance(labels, list) and bool(labels) and all(isinstance(label, str) for label in labels),
        "channels": about["channels"] in ("1", "3"),
        "size": about["size"].isdecimal() and int(about["size"]) > 0,
        "synthetic": synthetic in (True, False, None),
        "provenance": isinstance(provenance, dict) and _is_record(provenance.get("record")),
        "system": bool(about["system"]),
        "dataset": about["dataset"] is not None,  # empty if unknown
    }
    for name, is_valid in valid.items():
        if not is_valid:
            raise ValueError(f"{name} {about[name][:80]!r}")
    return tuple(labels), int(about["channels"]), int(about["size"])


def _json(about: Mapping[str, str], name: str) -> Any:
    try:
        return json.loads(about[name])
    except ValueError as error:
        raise ValueError(f"{name} {about[name][:80]!r}: {error}") from error


def _is_record(record: Any) -> bool:
    """Whether this is the exported part of a record, or None."""
    accuracy = (record.get("accuracy") or {"value": None}) if isinstance(record, dict) else {"value": record}
    return isinstance(accuracy, dict) and isinstance(accuracy.get("value"), float | int | None)


def _unreadable(path: Path, runtime: str, error: Exception) -> DataError:
    reason = " ".join(str(error).split())[:300]
    return DataError(path, 0, f"a graph that this {runtime} runs", reason, f"Update {runtime}, or export it again.")
