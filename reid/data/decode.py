"""One image file as pixels. The file is not trusted."""

import stat
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageFile, UnidentifiedImageError

from reid.errors import InputError

# Part of every cache key: raise it when decoding or resizing changes.
DECODER = "pillow bilinear 2"
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM")  # others run decoders, or programs, nobody needs here
Pixels = NDArray[np.uint8]


def decode(path: Path, size: tuple[int, int]) -> Pixels:
    """One image as RGB uint8 (H, W, 3), resized bilinearly as the reference does.

    As there, alpha is dropped and an EXIF rotation is ignored; CMYK and palettes are converted. 16-bit grey keeps its
    upper 8 bits, where the reference would clip it to white. Of several frames or pages the first is taken. Raises
    InputError naming the file where it is not whole, of none of FORMATS, of fractions, or has more pixels than Pillow's
    limit of 89 million, before they are decoded.
    """
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        regular(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are about metadata
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            with Pillow.open(path, formats=FORMATS) as image:
                resized = _rgb(image).resize((size[1], size[0]), Pillow.Resampling.BILINEAR)
                return np.asarray(resized)
    except Exception as error:  # a broken file may raise nearly anything inside a decoder
        raise InputError(unreadable(path, error)) from error


def regular(path: Path) -> None:
    """Raise OSError where `path` is no regular file: reading a pipe would wait for ever."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError("not a regular file")


def unreadable(path: Path, error: Exception) -> str:
    """The line that says so."""
    if isinstance(error, UnidentifiedImageError):
        reason = f"not a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file"
    else:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return (
        f"{path}: cannot be read as an image ({' '.join(reason.split())}); "
        "replace it, or leave such images out with --skip-unreadable"
    )


def _rgb(image: Pillow.Image) -> Pillow.Image:
    if image.mode == "F":
        raise ValueError("its pixels are fractions, whose white is not known")
    if image.mode.startswith("I"):
        return Pillow.fromarray((np.asarray(image).clip(0, 65535) >> 8).astype(np.uint8)).convert("RGB")
    return image.convert("RGB")
