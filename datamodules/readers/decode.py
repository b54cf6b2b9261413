"""Image files to pixels, strictly: what is no image, or only a part of one, is an error."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from datamodules._errors import DataError

LARGEST = 4096  # pixels a side: more is a page, not a character
LARGEST_PHOTO = 16384  # pixels a side of a photo, which is shrunk while it is decoded
MOST_PIXELS = 178_956_970  # of a photo: Pillow's own limit against bombs, half a gigabyte in three channels
# Pixels a side of what is left of a photo; a character that fills a tenth of it is still larger than any input.
_PHOTO = 1024
_WHITE = 255

# By default Pillow warns on stderr from half of its limit on. Here the limit is one: up to it nothing is said, and what
# is above is refused in our words, whichever of the two Pillow makes of it.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def decode_image(content: bytes, name: str) -> NDArray[np.uint8]:
    """Decode a grey, RGB or RGBA image; transparency becomes white paper, equal channels become grey.

    Returns: uint8 (h, w), or (h, w, 3) where there is colour.

    Raises:
        DataError: no image, cut short (the offset is where the bytes end), or larger than LARGEST.
    """
    return _decoded(content, name, photo=False)


def decode_photo(content: bytes, name: str) -> NDArray[np.uint8]:
    """Decode a photo or scan, upright as its camera was held and shrunk to 1,024 pixels a side where it is larger.

    Transparency becomes white paper, around light ink black paper.

    Returns: uint8 (h, w), or (h, w, 3) where there is colour.

    Raises:
        DataError: no image, cut short (the offset is where the bytes end), or larger than LARGEST_PHOTO or MOST_PIXELS.
    """
    return _decoded(content, name, photo=True)


def decode_middle(content: bytes, name: str, shorter: int, side: int) -> NDArray[np.uint8]:
    """Decode the middle of a photograph as networks of ImageNet are shown it: shrunk or grown, then cut out.

    Args:
        content: of the file.
        name: of the file, for errors.
        shorter: pixels of the photograph's shorter side before the cut; bilinear, over areas where it shrinks.
        side: of the square that is cut out, in pixels.

    Returns: uint8 (side, side, 3), red, green and blue.

    Raises:
        DataError: as for ``decode_photo``.
    """
    with _opened(content, name, photo=True) as opened:
        colour = _in_eight_bits(opened, name).convert("RGB")
        width, height = (int(shorter * length / min(colour.size)) for length in colour.size)
        if width * height > MOST_PIXELS:
            raise _too_large(name, True, f"{opened.width:,} × {opened.height:,}, which grow to more")
        left, top = round((width - side) / 2), round((height - side) / 2)
        resized = colour.resize((width, height), Image.Resampling.BILINEAR)
        return np.array(resized.crop((left, top, left + side, top + side)))


def _decoded(content: bytes, name: str, photo: bool) -> NDArray[np.uint8]:
    with _opened(content, name, photo) as opened:
        eight_bits = _in_eight_bits(_shrunk(opened) if photo else opened, name)
        if eight_bits.mode in ("L", "RGB") and "transparency" not in eight_bits.info:
            return _grey_where_equal(np.array(eight_bits))
        rgba = np.asarray(eight_bits.convert("RGBA"))
    if rgba[..., 3].min() == _WHITE:
        return _grey_where_equal(rgba[..., :3])
    return _grey_where_equal(_on_paper(rgba, 0 if photo and _ink_is_light(rgba) else _WHITE))


@contextmanager
def _opened(content: bytes, name: str, photo: bool) -> Iterator[Image.Image]:
    """An image that is not too large; what decoding it raises becomes a DataError."""
    largest = LARGEST_PHOTO if photo else LARGEST
    try:
        with Image.open(io.BytesIO(content)) as opened:
            if max(opened.size) > largest or opened.width * opened.height > MOST_PIXELS:
                raise _too_large(name, photo, f"{opened.width:,} × {opened.height:,}")
            yield opened
    except DataError:
        raise
    except UnidentifiedImageError as error:
        raise DataError(name, 0, "an image", f"{len(content)} bytes of another kind") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(name, photo, f"more than {MOST_PIXELS:,} pixels") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(name, len(content), "a whole image", f"{error}", "Restore this file.") from error


def _too_large(name: str, photo: bool, got: str) -> DataError:
    if photo:
        wanted = f"a photo of at most {LARGEST_PHOTO:,} pixels a side and {MOST_PIXELS:,} pixels in all"
        return DataError(name, 0, wanted, got, "Make it smaller, or cut out the character.")
    return DataError(name, 0, f"a character of at most {LARGEST:,} pixels a side", got, "Make it smaller.")


def _shrunk(image: Image.Image) -> Image.Image:
    if max(image.size) > _PHOTO:
        image.draft(None, (_PHOTO, _PHOTO))  # JPEG alone decodes to a half, a quarter or an eighth at once
        image.thumbnail((_PHOTO, _PHOTO), Image.Resampling.BOX)
    return ImageOps.exif_transpose(image) if "exif" in image.info or image.format == "TIFF" else image


def _in_eight_bits(image: Image.Image, name: str) -> Image.Image:
    """Pillow cuts deeper greys off at 255 instead of scaling them."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image).astype(np.uint32) // 257).astype(np.uint8))  # 65,535 / 257 = 255
    if image.mode in ("I", "F"):
        raise DataError(name, 0, "8 or 16 bits a channel", f"pixels of mode {image.mode}", "Convert it to 8 bits.")
    return image


def _ink_is_light(rgba: NDArray[np.uint8]) -> bool:
    """Whether light ink stands on nothing: on white paper it would vanish."""
    shown = rgba[rgba[..., 3] > _WHITE // 2]
    return bool(shown.size and shown[:, :3].min() > _WHITE // 2)


def _on_paper(rgba: NDArray[np.uint8], paper: int) -> NDArray[np.uint8]:
    alpha = rgba[..., 3:].astype(np.uint16)
    return ((rgba[..., :3] * alpha + paper * (_WHITE - alpha) + 127) // _WHITE).astype(np.uint8)


def _grey_where_equal(colour: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if colour.ndim == 2:
        return colour
    grey = colour[..., :1]
    return np.ascontiguousarray(grey[..., 0] if (colour == grey).all() else colour)
