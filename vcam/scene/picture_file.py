"""Reading a picture file from the user, who may name anything."""

import stat
import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from vcam.errors import MediaError
from vcam.scene.hidden import forbidden

KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
"""Pillow's names. It knows many more, some of which run other programs (EPS)."""

_MOST_PIXELS = 100_000_000
"""A larger picture is refused by its header: even a JPEG, which is decoded smaller, would take 300 MB on the way."""

_MOST_DECODED_PIXELS = 64_000_000
"""Of what cannot be decoded smaller; each takes four bytes, and four more while a transparent one is made smaller."""

DAMAGE = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError, struct.error)
"""What Pillow's readers raise on damaged files."""

_LONGEST_SIDE_PX = 4096
"""Larger pictures are kept at this size: enough for any output."""

_HINT = "for PATH of image:PATH, give a whole JPEG, PNG, WebP, TIFF, BMP or GIF file"


def load_picture(path: Path, fill: tuple[int, int, int]) -> Pillow.Image:
    """The picture in RGB, turned upright by its EXIF orientation, transparent parts over ``fill``.

    Grey, 16-bit, palette and CMYK pictures are converted; of an animation it is the first picture.
    Raises MediaError when the file is missing, of an unknown kind, damaged, or above 100 megapixels.
    """
    return _flattened(_read(path), fill)


def load_rgba(path: Path) -> Pillow.Image:
    """The picture with its alpha, straight, 255 where it has none; else as ``load_picture``."""
    picture = _read(path)
    return (_eight_bit(picture) if _is_deep(picture) else picture).convert("RGBA")


def _read(path: Path) -> Pillow.Image:
    """Turned upright, not larger than it may be, in whatever mode it has. Raises MediaError."""
    try:
        upright = _decoded(path)
    except UnidentifiedImageError as error:
        raise MediaError(f"{path} is not a picture of a known kind", hint=_HINT, path=str(path)) from error
    except FileNotFoundError as error:
        raise MediaError(f"there is no file {path}", hint=_HINT, path=str(path)) from error
    except PermissionError as error:
        raise forbidden(path) from error
    except Pillow.DecompressionBombError as error:
        raise _too_large(path, str(error)) from error
    except DAMAGE as error:
        raise MediaError(f"{path} cannot be read: {error}", hint=_HINT, path=str(path)) from error
    return upright


def _decoded(path: Path) -> Pillow.Image:
    """Turned upright. Pillow's warnings are about broken metadata, and about sizes that are checked here."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError("it is no regular file")  # opening a pipe would wait for ever
    with warnings.catch_warnings(action="ignore"), Pillow.open(path, formats=KINDS) as opened:
        _check_size(opened, path, _MOST_PIXELS)
        share = min(1.0, _LONGEST_SIDE_PX / max(opened.size))
        opened.draft("RGB", (int(share * opened.width), int(share * opened.height)))
        _check_size(opened, path, _MOST_DECODED_PIXELS)
        opened.load()
        opened.thumbnail((_LONGEST_SIDE_PX, _LONGEST_SIDE_PX), Pillow.Resampling.LANCZOS)
        return ImageOps.exif_transpose(opened)


def _check_size(picture: Pillow.Image, path: Path, limit: int) -> None:
    if picture.width * picture.height > limit:
        raise _too_large(path, f"{picture.width}x{picture.height}", limit)


def _too_large(path: Path, size: str, limit: int = _MOST_PIXELS) -> MediaError:
    return MediaError(
        f"{path} is too large: {size}, the limit is {limit // 1_000_000} megapixels",
        hint="scale the picture down, for instance with `convert PATH -resize 3840x2160 smaller.jpg`",
        path=str(path),
    )


def _flattened(picture: Pillow.Image, fill: tuple[int, int, int]) -> Pillow.Image:
    if _is_deep(picture):
        picture = _eight_bit(picture)
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    rgba = picture.convert("RGBA")
    below = Pillow.new("RGBA", rgba.size, fill)
    return Pillow.alpha_composite(below, rgba).convert("RGB")


def _is_deep(picture: Pillow.Image) -> bool:
    return picture.mode.startswith(("I", "F"))


def _eight_bit(picture: Pillow.Image) -> Pillow.Image:
    """Grey of 16 or 32 bits, or of floats, whose own conversion clips at 255 instead of scaling."""
    values = np.asarray(picture).astype(np.float64)
    white = 65535.0 if picture.mode.startswith("I") else 1.0
    return Pillow.fromarray(np.rint(np.clip(values / white, 0.0, 1.0) * 255.0).astype(np.uint8))
