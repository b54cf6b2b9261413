"""Decodes image files strictly: other files and truncated images are errors."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from datamodules._errors import DataError

LARGEST = 4096  # pixels a side: more is a page, not a character
LARGEST_PHOTO = 16384  # pixels a side of a photo, which is shrunk while it is decoded
MOST_PIXELS = 178_956_970  # of a photo: Pillow's own limit against bombs, half a gigabyte in three channels
_PHOTO = 1024  # pixels a side of a shrunk photo; a character that fills a tenth of it is still larger than any input
_WHITE = 255

# Pillow warns above a limit, by default half of ours, and raises above twice that limit. With our limit it accepts all
# that we accept, and both its warning and its error become our DataError.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def decode_image(content: bytes, name: str) -> NDArray[np.uint8]:
    """Decode a grey, RGB or RGBA image; transparency becomes white paper, equal channels become grey.

    Returns: uint8 (h, w), or (h, w, 3) in colour.

    Raises:
        DataError: no image, a truncated one (the offset is the end of the bytes), or one larger than LARGEST.
    """
    return _decoded(content, name, photo=False)


def decode_photo(content: bytes, name: str) -> NDArray[np.uint8]:
    """Decode a photo or scan: turned upright by its EXIF orientation, shrunk to at most 1,024 pixels a side.

    Transparency becomes white paper, around light ink black paper.

    Returns: uint8 (h, w), or (h, w, 3) in colour.

    Raises:
        DataError: no image, a truncated one (the offset is the end of the bytes), or one larger than LARGEST_PHOTO or
            MOST_PIXELS.
    """
    return _decoded(content, name, photo=True)


def decode_middle(content: bytes, name: str, shorter: int, side: int) -> NDArray[np.uint8]:
    """Decode, resize and centre-crop a photograph, as in the evaluation of ImageNet networks.

    The bilinear, anti-aliased resize gives the shorter side ``shorter`` pixels; the crop is ``side`` pixels a side.

    Returns: uint8 (side, side, 3), RGB.

    Raises:
        DataError: as for ``decode_photo``.
    """
    with _opened(content, name, photo=True) as opened:
        colour = _in_eight_bits(opened, name).convert("RGB")
        width, height = (int(shorter * length / min(colour.size)) for length in colour.size)
        if width * height > MOST_PIXELS:
            raise _too_large(name, True, f"{opened.width:,} × {opened.height:,}, which is enlarged beyond it")
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
    """Open an image that is not too large; converts decoding errors into a DataError."""
    largest = LARGEST_PHOTO if photo else LARGEST
    try:
        with _identified(content) as opened:
            if max(opened.size) > largest or opened.width * opened.height > MOST_PIXELS:
                raise _too_large(name, photo, f"{opened.width:,} × {opened.height:,}")
            yield opened
    except DataError:
        raise
    except UnidentifiedImageError as error:
        raise DataError(name, 0, "an image", f"{len(content)} bytes that are no image") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(name, photo, f"more than {MOST_PIXELS:,} pixels") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(name, len(content), "a whole image", f"{error}", "Restore this file.") from error


def _identified(content: bytes) -> Image.Image:
    """``Image.open`` without the import of five decoders, a twentieth of the start of ``recognize``, for a PNG."""
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return Image.open(io.BytesIO(content))
    from PIL.PngImagePlugin import PngImageFile

    return PngImageFile(io.BytesIO(content))


def _too_large(name: str, photo: bool, got: str) -> DataError:
    if photo:
        wanted = f"a photo of at most {LARGEST_PHOTO:,} pixels a side and {MOST_PIXELS:,} pixels in all"
        return DataError(name, 0, wanted, got, "Make it smaller, or cut out the character.")
    return DataError(name, 0, f"a character of at most {LARGEST:,} pixels a side", got, "Make it smaller.")


def _shrunk(image: Image.Image) -> Image.Image:
    if max(image.size) > _PHOTO:
        image.draft(None, (_PHOTO, _PHOTO))  # JPEG alone decodes to a half, a quarter or an eighth at once
        image.thumbnail((_PHOTO, _PHOTO), Image.Resampling.BOX)
    if "exif" not in image.info and image.format != "TIFF":
        return image
    from PIL import ImageOps  # imported only where it is needed, to start faster

    return ImageOps.exif_transpose(image)


def _in_eight_bits(image: Image.Image, name: str) -> Image.Image:
    """Scale deeper greys to 8 bits, because Pillow clips them at 255."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image).astype(np.uint32) // 257).astype(np.uint8))  # 65,535 / 257 = 255
    if image.mode in ("I", "F"):
        raise DataError(name, 0, "8 or 16 bits a channel", f"pixels of mode {image.mode}", "Convert it to 8 bits.")
    return image


def _ink_is_light(rgba: NDArray[np.uint8]) -> bool:
    """Whether the ink on a transparent background is light: on white paper it would vanish."""
    opaque = rgba[rgba[..., 3] > _WHITE // 2]
    return bool(opaque.size and opaque[:, :3].min() > _WHITE // 2)


def _on_paper(rgba: NDArray[np.uint8], paper: int) -> NDArray[np.uint8]:
    alpha = rgba[..., 3:].astype(np.uint16)
    return ((rgba[..., :3] * alpha + paper * (_WHITE - alpha) + 127) // _WHITE).astype(np.uint8)


def _grey_where_equal(colour: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if colour.ndim == 2:
        return colour
    return np.ascontiguousarray(colour[..., 0] if (colour == colour[..., :1]).all() else colour)
