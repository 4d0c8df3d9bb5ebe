"""Reading an animated GIF or WebP, which FFmpeg does not read or not with its transparency."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from vcam.frame import Size
from vcam.scene.clip import Timed, check_size, unreadable
from vcam.scene.fit import Rgb
from vcam.scene.picture import rgb_picture
from vcam.scene.picture_file import DAMAGE

_KINDS = ("GIF", "WEBP")
_MAGIC = (b"GIF8", b"RIFF")
_GIF_END = b";"
_PADDING_BYTES = 4096
"""Zeros behind the end that some programs leave."""

_MOST_BYTES = 64 << 20
"""The reader of WebP holds the whole file."""

_NS_PER_MS = 1_000_000
_SHORTEST_MS, _INSTEAD_MS = 20, 100
"""Shorter ones are an accident of old programs: browsers show them for a tenth of a second, too."""
_LONGEST_MS = 60_000


def is_animation(path: Path) -> bool:
    """By its first bytes. Raises OSError."""
    with path.open("rb") as file:
        return file.read(4).startswith(_MAGIC)


def read_animation(path: Path, fill: Rgb) -> Iterator[Timed]:
    """The pictures once, transparent parts over ``fill``. The file is open until the iterator is closed.

    Raises MediaError: not whole, too large.
    """
    below: Pillow.Image | None = None
    for rgba, duration_ns in read_layers(path):
        if below is None or below.size != rgba.size:
            below = Pillow.new("RGBA", rgba.size, fill)
        yield Timed(rgb_picture(np.asarray(Pillow.alpha_composite(below, rgba).convert("RGB"))), duration_ns)


def read_layers(path: Path) -> Iterator[tuple[Pillow.Image, int]]:
    """The pictures in RGBA, straight alpha, each with how long it is shown, in ns. As ``read_animation``."""
    try:
        _check_end(path)
        with warnings.catch_warnings(action="ignore"), Pillow.open(path, formats=_KINDS) as opened:
            check_size(path, Size(*opened.size))
            for k in range(getattr(opened, "n_frames", 1)):
                opened.seek(k)
                opened.load()
                yield opened.convert("RGBA"), _duration_ns(opened)
    except UnidentifiedImageError as error:
        raise unreadable(path, "it is no animation of a known kind") from error
    except Pillow.DecompressionBombError as error:
        raise unreadable(path, str(error)) from error
    except DAMAGE as error:
        raise unreadable(path, str(error)) from error


def _check_end(path: Path) -> None:
    """A torn GIF would be played up to the tear; WebP's reader looks itself. Raises MediaError, OSError."""
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise unreadable(path, f"it has {size >> 20} MB, the limit is {_MOST_BYTES >> 20}")
    with path.open("rb") as file:
        kind = file.read(4)
        file.seek(max(0, size - _PADDING_BYTES))
        if kind == _MAGIC[0] and not file.read().rstrip(b"\0").endswith(_GIF_END):
            raise unreadable(path, "its end is missing")


def _duration_ns(opened: Pillow.Image) -> int:
    told = opened.info.get("duration", _INSTEAD_MS)
    milliseconds = int(told) if isinstance(told, int | float) else _INSTEAD_MS
    if milliseconds < _SHORTEST_MS:
        milliseconds = _INSTEAD_MS
    return min(milliseconds, _LONGEST_MS) * _NS_PER_MS
