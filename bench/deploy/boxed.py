"""Finds the recogniser that is part of this package: ``bench recognize`` uses it unless a file is named."""

from pathlib import Path

from datamodules._errors import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif")  # of images; other files are exported
BOXED = Path(__file__).parent / "recogniser" / "hanzi.onnx"


def boxed_file() -> Path:
    """The exported file that is part of this package.

    Raises:
        DataError: the installation lacks it.
    """
    if not BOXED.is_file():
        advice = "Install the package again, or name a file that bench export wrote."
        raise DataError(BOXED, 0, "the recogniser of this package", "nothing there", advice)
    return BOXED
