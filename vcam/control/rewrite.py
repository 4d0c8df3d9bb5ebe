"""Writing anew what a stranger sent; the code of a process of its own, whose limits vcam.control.picture sets.

A picture becomes a JPEG, or a PNG where parts of it are transparent, of at most 4096 pixels a side. What moves becomes
an MP4 of at most a minute, or an animated WebP where parts are transparent. No metadata is kept (where it was taken),
no sound, no trailing data, nothing that is also something else.
"""

import itertools
import json
import os
import resource
import sys
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from vcam.errors import MediaError

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from vcam.frame import Size
    from vcam.scene.clip import Timed

MOST_PIXELS = 50_000_000
MOST_SECONDS = 60
REFUSED = 3
HINT = (
    "upload a JPEG, PNG, WebP, TIFF, BMP or GIF file of at most 50 megapixels, or an MP4, WebM or MKV video of at most "
    "10 megapixels"
)

_FILE_LIMIT_BYTES = 64 << 20
_NICENESS = 10
_QUALITY = 92
_THUMBNAIL_PX = (320, 180)
_GREY = (128, 128, 128)
_OPAQUE = 255
_NS_PER_S = 1_000_000_000

_FILM_PX = (1280, 720)
_FILM_RATE = 30
_FILM_OPTIONS = {"preset": "veryfast", "crf": "23", "maxrate": "6M", "bufsize": "6M"}
_STICKER_PX = 640
_STICKER_PICTURES = 300
_STICKER_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Limits:
    """memory_bytes: of addresses, of which the interpreter and NumPy take some 300 MB."""

    memory_bytes: int
    cpu_s: int


STILL_LIMITS = Limits(2 << 30, 10)
"""The largest picture takes 150 MB, twice."""
MOVING_LIMITS = Limits(3 << 30, 100)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the uploaded file was, in pixels, and the suffix of what became of it."""

    kind: str
    width: int
    height: int
    suffix: str


def may_move(path: Path) -> bool:
    """By its first bytes: MP4 and its kin, Matroska, GIF, WebP. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(12)
    return head[4:8] == b"ftyp" or head.startswith((b"\x1a\x45\xdf\xa3", b"GIF8")) or head[8:] == b"WEBP"


def main(upload: Path, result: Path, thumbnail: Path) -> int:
    """The process: prints facts, or the problem."""
    os.nice(_NICENESS)  # viewers must not notice
    limits = MOVING_LIMITS if may_move(upload) else STILL_LIMITS
    for what, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_FSIZE, _FILE_LIMIT_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    try:
        told: dict[str, object] = asdict(_rewritten(upload, result, thumbnail))
        code = 0
    except MediaError as error:
        told, code = {"problem": error.problem}, REFUSED
    sys.stdout.write(json.dumps(told))
    return code


def _rewritten(upload: Path, result: Path, thumbnail: Path) -> Facts:
    with upload.open("rb") as file:
        video = may_move(upload) and not file.read(4).startswith((b"GIF8", b"RIFF"))
    if video:
        from vcam.scene.clip import read_clip

        return _film(read_clip(upload), result, thumbnail, "VIDEO")
    facts, pictures = _look(upload)
    if pictures == 1:
        return _still(upload, result, thumbnail, facts)
    from vcam.scene.animation import read_animation, read_layers

    if not all(_is_opaque(picture) for picture, _ in _begun(read_layers(upload))):
        return _sticker(_begun(read_layers(upload)), result, thumbnail, facts)
    return _film(read_animation(upload, (0, 0, 0)), result, thumbnail, facts.kind)


def _look(upload: Path) -> tuple[Facts, int]:
    """What it says it is, and how many pictures."""
    from PIL import Image as Pillow

    from vcam.scene.picture_file import KINDS

    try:
        with warnings.catch_warnings(action="ignore"), Pillow.open(upload, formats=KINDS) as opened:
            facts = Facts(opened.format or "", opened.width, opened.height, "")
            pictures = getattr(opened, "n_frames", 1) if opened.format in ("GIF", "WEBP") else 1
    except (OSError, ValueError, SyntaxError, EOFError, Pillow.DecompressionBombError) as error:
        raise MediaError(f"{upload} is not a picture of a known kind, nor a video", hint=HINT) from error
    if facts.width * facts.height > MOST_PIXELS:
        raise MediaError(f"{upload} is too large: {facts.width}x{facts.height} pixels", hint=HINT)
    return facts, pictures


def _still(upload: Path, result: Path, thumbnail: Path, facts: Facts) -> Facts:
    import numpy as np
    from PIL import Image as Pillow

    from vcam.scene.picture_file import load_rgba

    # From an array: pixels and nothing else, no comment, no place.
    rgba = Pillow.fromarray(np.asarray(load_rgba(upload)))
    opaque = _is_opaque(rgba)
    if opaque:
        rgba.convert("RGB").save(result, "JPEG", quality=_QUALITY, subsampling=0)
    else:
        rgba.save(result, "PNG")
    _thumbnail(rgba, thumbnail)
    return replace(facts, suffix=".jpg" if opaque else ".png")


def _film(pictures: Iterator["Timed"], result: Path, thumbnail: Path, kind: str) -> Facts:
    """An MP4 without sound: pictures at their own times, at most 30 a second."""
    from PIL import Image as Pillow

    from vcam.frame import Image, PixelFormat, VideoFormat
    from vcam.media_writer import ContainerWriter
    from vcam.scene.fit import Fit, Placing
    from vcam.scene.picture import STILL, as_rgb, drawn

    first = next(pictures)
    size = _inside(first.picture.shown, _FILM_PX)
    fmt = VideoFormat(PixelFormat.I420, size.width, size.height)
    placing = Placing(Fit.STRETCH)
    _thumbnail(Pillow.fromarray(as_rgb(first.picture)).resize((size.width, size.height)), thumbnail)
    with closing(ContainerWriter(result, "mp4", fmt, Fraction(_FILM_RATE), _FILM_OPTIONS)) as writer:
        for timed, at_ns in _at_times(itertools.chain([first], pictures)):
            writer.write(Image(drawn(timed.picture, fmt, placing), fmt, STILL), at_ns)
    shown = first.picture.image.format.size
    return Facts(kind, shown.width, shown.height, ".mp4")


def _at_times(pictures: Iterator["Timed"]) -> Iterator[tuple["Timed", int]]:
    """Those that are written, with their times in ns, to the end or to the most that is kept."""
    at_ns = next_ns = 0
    for timed in pictures:
        if at_ns >= MOST_SECONDS * _NS_PER_S:
            return
        if at_ns >= next_ns:
            yield timed, at_ns
            next_ns = at_ns + _NS_PER_S // _FILM_RATE - _NS_PER_S // 1000
        at_ns += timed.duration_ns


def _begun(pictures: Iterator[tuple["Picture", int]]) -> Iterator[tuple["Picture", int]]:
    """So many as are kept."""
    return itertools.islice(pictures, _STICKER_PICTURES)


def _sticker(pictures: Iterator[tuple["Picture", int]], result: Path, thumbnail: Path, facts: Facts) -> Facts:
    """An animation that keeps its transparency."""
    kept: list[tuple[Picture, int]] = []
    for picture, duration_ns in pictures:
        picture.thumbnail((_STICKER_PX, _STICKER_PX))
        kept.append((picture, duration_ns))
    first, *others = [picture for picture, _ in kept]
    first.save(
        result,
        "WEBP",
        save_all=True,
        append_images=others,
        duration=[max(1, duration_ns // 1_000_000) for _, duration_ns in kept],
        loop=0,
        quality=_STICKER_QUALITY,
        method=0,
        kmax=1,  # each by itself: the encoder's differences lose the transparency of a still ground
    )
    _thumbnail(first, thumbnail)
    return replace(facts, suffix=".webp")


def _is_opaque(rgba: "Picture") -> bool:
    return rgba.getchannel("A").getextrema()[0] == _OPAQUE


def _inside(size: "Size", most: tuple[int, int]) -> "Size":
    """The same shape, with even sides, no larger."""
    from vcam.frame import Size

    scale = min(1.0, most[0] / size.width, most[1] / size.height)
    return Size(*(max(16, round(side * scale / 2) * 2) for side in (size.width, size.height)))


def _thumbnail(picture: "Picture", path: Path) -> None:
    """Transparent parts are grey."""
    from PIL import Image as Pillow
    from PIL import ImageOps

    rgba = ImageOps.fit(picture.convert("RGBA"), _THUMBNAIL_PX)
    below = Pillow.new("RGBA", rgba.size, (*_GREY, 255))
    Pillow.alpha_composite(below, rgba).convert("RGB").save(path, "JPEG", quality=_QUALITY)


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
