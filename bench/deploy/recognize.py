"""Read the characters of image files with an exported recogniser. Imports neither torch nor onnx."""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.deploy.load import ExportedRecogniser
from datamodules._errors import DataError
from datamodules._image import fit_matrix, resample, with_channels
from datamodules.readers.decode import decode_photo
from datamodules.readers.photo import find_character, refuse_blank

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif")
BATCH = 32  # images at once; more are no faster on the networks of the suite, and answer later


@dataclass(frozen=True)
class Answer:
    """What is said of one image.

    Attributes:
        image: its path.
        top: the most probable classes and their probabilities, best first; empty where there is an error.
        error: why no answer is given; empty where there is one.
    """

    image: str
    top: tuple[tuple[str, float], ...] = ()
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        if self.error:
            return {"image": self.image, "error": self.error}
        return {"image": self.image, "top": [{"label": label, "probability": p} for label, p in self.top]}


def image_files(paths: Sequence[Path]) -> Iterator[Path]:
    """The images among these files and below these folders, in order.

    Raises:
        DataError: a folder without images.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = [file for file in sorted(path.rglob("*")) if file.suffix.lower() in SUFFIXES]
        if not found:
            raise DataError(path, 0, "a folder with images", "none below it", f"Looked for {', '.join(SUFFIXES)}.")
        yield from found


def recognize_each(recogniser: ExportedRecogniser, files: Iterable[Path], top: int) -> Iterator[Answer]:
    """Answers one by one; the resize to the network's input is part of the graph."""
    for file in files:
        try:
            image = native_character(file, recogniser.channels)
        except (DataError, OSError) as error:
            yield _refused(file, error)
        else:
            yield _answer(file, recogniser.classify(image[None])[0], recogniser.labels, top)


def recognize_batches(
    recogniser: ExportedRecogniser, files: Iterable[Path], top: int, threads: int
) -> Iterator[Answer]:
    """The same answers at full speed, in order: this thread reads and fits, all others classify a batch each.

    Two threads that read take 0.94 ms of an image's core instead of 0.42: Python lets one of them go on at a time.

    Args:
        recogniser: opened for batches.
        files: images.
        top: how many classes to name.
        threads: that classify; as many as there are cores to use.
    """
    cv2.setNumThreads(0)  # batches are the parallelism; threads within them only fight for cores
    size = BATCH if recogniser.several else 1
    waiting: deque[Future[list[Answer]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for batch in _batched(files, size):
            waiting.append(pool.submit(_answers, recogniser, top, *_read_batch(recogniser, batch)))
            if len(waiting) > 2 * threads:  # a batch ready for each and one more, and no folder of photos in memory
                yield from waiting.popleft().result()
        for future in waiting:
            yield from future.result()


def native_character(file: Path, channels: int) -> NDArray[np.uint8]:
    """An image file as a recogniser takes it: uint8 (h, w), cut out of its photo or scan, or (h, w, 3) as it is.

    Raises:
        DataError: no image, blank, or, where it is grey, more than one character.
        OSError: no such file.
    """
    return _cut(_read(file, channels), file)


def _read(file: Path, channels: int) -> NDArray[np.uint8]:
    return with_channels(decode_photo(file.read_bytes(), str(file)), channels)


def _cut(image: NDArray[np.uint8], file: Path) -> NDArray[np.uint8]:
    if image.ndim == 2:
        return find_character(image, str(file))
    refuse_blank(image, str(file))  # photographs need not look like a character; what they show is not ours to say
    return image


def _batched(files: Iterable[Path], size: int) -> Iterator[list[Path]]:
    rest = iter(files)
    while batch := list(itertools.islice(rest, size)):
        yield batch


def _read_batch(recogniser: ExportedRecogniser, files: Sequence[Path]) -> tuple[list[Path | Answer], list[Any]]:
    """The images as the network takes them, uint8 (S, S) each, and for every file itself or why there is none.

    One step for all images, then the next: measured to take a fifth less than one image after the other.
    """
    channels, size = recogniser.channels, recogniser.size
    refused: dict[int, Answer] = {}

    def each(step: Callable[[Path, Any], Any], given: Mapping[int, Any]) -> dict[int, Any]:
        made = {}
        for place, value in given.items():
            try:
                made[place] = step(files[place], value)
            except (DataError, OSError) as error:
                refused[place] = _refused(files[place], error)
        return made

    images = each(lambda file, _: _read(file, channels), dict.fromkeys(range(len(files))))
    characters = each(lambda file, image: _cut(image, file), images)
    fitted = [resample(one, fit_matrix(one.shape[0], one.shape[1], size), size) for one in characters.values()]
    return [refused.get(place, file) for place, file in enumerate(files)], fitted


def _answers(
    recogniser: ExportedRecogniser, top: int, files: Sequence[Path | Answer], fitted: list[Any]
) -> list[Answer]:
    """Of a batch that was read, in the order of its files."""
    classified = iter(recogniser.classify(np.stack(fitted)) if fitted else ())
    return [one if isinstance(one, Answer) else _answer(one, next(classified), recogniser.labels, top) for one in files]


def _answer(file: Path, probabilities: NDArray[np.float32], labels: Sequence[str], top: int) -> Answer:
    likely = np.argpartition(probabilities, -top)[-top:]  # sorting thousands takes longer than a small network
    best = likely[np.argsort(-probabilities[likely], kind="stable")]
    return Answer(str(file), tuple((labels[index], float(probabilities[index])) for index in best))


def _refused(file: Path, error: DataError | OSError) -> Answer:
    if isinstance(error, OSError):
        return Answer(str(file), error=f"{file}: {error.strerror or error}")
    return Answer(str(file), error=str(error))
