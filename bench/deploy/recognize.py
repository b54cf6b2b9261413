"""Recognises the characters in image files with an exported recogniser. Imports neither torch nor onnx."""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.deploy.boxed import SUFFIXES
from bench.deploy.load import ExportedRecogniser
from datamodules._errors import DataError
from datamodules._image import fit_matrix, resample, with_channels
from datamodules.readers.decode import decode_photo
from datamodules.readers.photo import find_character, refuse_blank

if TYPE_CHECKING:
    from concurrent.futures import Future

BATCH = 32  # images; larger batches were not faster on the networks of the suite, and delay the first answer


@dataclass(frozen=True)
class Answer:
    """The answer to one image, or the reason why there is none."""

    image: str  # path
    top: tuple[tuple[str, float], ...] = ()  # most probable classes with their probabilities, best first
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The answer as ``--json`` prints it."""
        if self.error:
            return {"image": self.image, "error": self.error}
        return {"image": self.image, "top": [{"label": label, "probability": p} for label, p in self.top]}


def image_files(paths: Sequence[Path]) -> Iterator[Path]:
    """These files, and the images in these folders and their subfolders, in order.

    Raises:
        DataError: a folder without images.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        files = [file for file in sorted(path.rglob("*")) if file.suffix.lower() in SUFFIXES]
        if not files:
            raise DataError(path, 0, "a folder with images", "none below it", f"Looked for {', '.join(SUFFIXES)}.")
        yield from files


def recognize_each(recogniser: ExportedRecogniser, files: Iterable[Path], top: int) -> Iterator[Answer]:
    """Classify images one by one; the graph resizes them to the network's input."""
    for file in files:
        try:
            image = native_character(file, recogniser.channels)
        except (DataError, OSError) as error:
            yield _error_answer(file, error)
        else:
            yield _answer(file, recogniser.classify(image[None])[0], recogniser.labels, top)


def recognize_batches(
    recogniser: ExportedRecogniser, files: Iterable[Path], top: int, threads: int
) -> Iterator[Answer]:
    """The same answers at full speed, in order: this thread reads and resizes, ``threads`` others classify batches.

    The recogniser must be opened for batches and for as many threads, normally the number of cores. A single thread
    reads, because two take 0.94 ms of CPU time per image instead of 0.42: Python runs one at a time.
    """
    from concurrent.futures import ThreadPoolExecutor

    cv2.setNumThreads(0)  # batches run in parallel; threads within a batch would compete for the cores
    size, remaining = BATCH if recogniser.several else 1, iter(files)
    waiting: deque[Future[list[Answer]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        while batch := list(itertools.islice(remaining, size)):
            waiting.append(pool.submit(_answers, recogniser, top, *_read_batch(recogniser, batch)))
            if len(waiting) > 2 * threads:  # one more per thread is ready, and not the whole folder in memory
                yield from waiting.popleft().result()
        for future in waiting:
            yield from future.result()


def native_character(file: Path, channels: int) -> NDArray[np.uint8]:
    """Read an image file: uint8 (h, w), the character cut out of its photo or scan, or (h, w, 3), the whole image.

    Raises:
        DataError: not an image, blank, or, if it is grey, more than one character.
        OSError: no such file.
    """
    return _cut(_read(file, channels), file)


def _read(file: Path, channels: int) -> NDArray[np.uint8]:
    return with_channels(decode_photo(file.read_bytes(), str(file)), channels)


def _cut(image: NDArray[np.uint8], file: Path) -> NDArray[np.uint8]:
    if image.ndim == 2:
        return find_character(image, str(file))
    refuse_blank(image, str(file))  # photographs may show anything
    return image


def _read_batch(recogniser: ExportedRecogniser, files: Sequence[Path]) -> tuple[list[Path | Answer], list[Any]]:
    """For every file, the file or its error; and the images at input size, uint8 (S, S) each.

    Each step runs on all images before the next step: measured to take a fifth less time than image after image.
    """
    channels, size = recogniser.channels, recogniser.size
    errors: dict[int, Answer] = {}

    def each(step: Callable[[Path, Any], Any], inputs: Mapping[int, Any]) -> dict[int, Any]:
        outputs = {}
        for index, value in inputs.items():
            try:
                outputs[index] = step(files[index], value)
            except (DataError, OSError) as error:
                errors[index] = _error_answer(files[index], error)
        return outputs

    images = each(lambda file, _: _read(file, channels), dict.fromkeys(range(len(files))))
    characters = each(lambda file, image: _cut(image, file), images)
    resized = [resample(one, fit_matrix(one.shape[0], one.shape[1], size), size) for one in characters.values()]
    return [errors.get(index, file) for index, file in enumerate(files)], resized


def _answers(
    recogniser: ExportedRecogniser, top: int, files: Sequence[Path | Answer], resized: list[Any]
) -> list[Answer]:
    """Classify a batch from ``_read_batch``; answers in the order of its files."""
    classified = iter(recogniser.classify(np.stack(resized)) if resized else ())
    return [one if isinstance(one, Answer) else _answer(one, next(classified), recogniser.labels, top) for one in files]


def _answer(file: Path, probabilities: NDArray[np.float32], labels: Sequence[str], top: int) -> Answer:
    likely = np.argpartition(probabilities, -top)[
        -top:
    ]  # sorting thousands of classes would take longer than a small network
    best = likely[np.argsort(-probabilities[likely], kind="stable")]
    return Answer(str(file), tuple((labels[index], float(probabilities[index])) for index in best))


def _error_answer(file: Path, error: DataError | OSError) -> Answer:
    if isinstance(error, OSError):
        return Answer(str(file), error=f"{file}: {error.strerror or error}")
    return Answer(str(file), error=str(error))
