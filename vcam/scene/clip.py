"""Reading a video file from the user, who may name anything: bounded in pixels, and in time to the first picture."""

import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vcam.errors import MediaError
from vcam.frame import Image, Size
from vcam.media import as_planar, plane_views
from vcam.scene.hidden import forbidden
from vcam.scene.picture import STILL, Picture, as_rgb, rgb_picture
from vcam.scene.wholeness import ends_early
from vcam.words import SIDE_PX

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

MOST_PIXELS = 10_000_000
"""4096x2304 and what is near it. A decoder keeps up to sixteen pictures, of one and a half bytes a pixel."""

_LONGEST_SIDE_PX = SIDE_PX[-1]

_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm"
"""FFmpeg's names. It reads many more, some of which name other files and addresses (playlists)."""

_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}
_IO_LIMIT_S = 5.0
_FIRST_PICTURE_LIMIT_S = 5.0
_THREADS = 2
_DEFAULT_RATE = 30.0
_SLOWEST_RATE = 1.0 / 60.0
_NS_PER_S = 1_000_000_000
_QUARTER_TURN = 90

HINT = "give -b video:PATH a whole MP4, WebM or MKV video, or an animated GIF or WebP"


@dataclass(frozen=True, slots=True)
class Timed:
    """A picture and how long it is shown."""

    picture: Picture
    duration_ns: int


def read_clip(path: Path) -> Iterator[Timed]:
    """The pictures of a video, in the order of their display, once. The file is open until the iterator is closed.

    What is corrupt is left out. Raises MediaError: no video, too large, not whole, no picture within seconds.
    """
    import av

    began_s = time.monotonic()
    try:
        with av.open(
            str(path.absolute()), "r", container_options=_OPTIONS, metadata_errors="replace", timeout=_IO_LIMIT_S
        ) as container:
            stream = _prepared(container, path)
            last: tuple[VideoFrame, float] | None = None
            for frame, at_s in _frames(stream, container, path, began_s):
                check_size(path, Size(frame.width, frame.height))  # a stream may change
                if last is not None:
                    yield _timed(last[0], at_s - last[1], stream)
                last = frame, at_s
            if last is None:
                raise unreadable(path, "no picture in it can be decoded")
            yield _timed(last[0], float((last[0].duration or 0) * (stream.time_base or 0)), stream)
    except av.error.FFmpegError as error:
        raise unreadable(path, getattr(error, "strerror", None) or str(error)) from error
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from error


def unreadable(path: Path, reason: str) -> MediaError:
    """The error for a file that gives no moving picture."""
    return MediaError(f"{path} cannot be played: {reason}", hint=HINT, path=str(path))


def check_size(path: Path, size: Size) -> None:
    """Raises MediaError."""
    if size.width * size.height > MOST_PIXELS or max(size.width, size.height) > _LONGEST_SIDE_PX:
        raise MediaError(
            f"{path} is too large: {size}, the limit is {MOST_PIXELS // 1_000_000} megapixels",
            hint=f"scale it down, for instance with `ffmpeg -i {path.name} -vf scale=1920:-2 smaller.mp4`",
            path=str(path),
        )


def check_file(path: Path) -> None:
    """Raises MediaError unless it is a regular file: opening a pipe would wait for ever."""
    try:
        mode = path.stat().st_mode
    except PermissionError as error:
        raise forbidden(path) from error
    except OSError as error:
        raise MediaError(f"there is no file {path}", hint=HINT, path=str(path)) from error
    if not stat.S_ISREG(mode):
        raise unreadable(path, "it is no regular file")


def _prepared(container: "InputContainer", path: Path) -> "VideoStream":
    from av.video.stream import VideoStream

    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream):
        raise unreadable(path, "it has no video")
    codec: VideoCodecContext | None = stream.codec_context
    if codec is None:
        raise unreadable(path, "its codec is not known")
    check_size(path, Size(codec.width, codec.height))
    if ends_early(path, container.format.name):
        raise unreadable(path, "its end is missing")
    codec.options = {"max_pixels": str(MOST_PIXELS)}  # also of what the stream turns into later
    stream.thread_type = "AUTO"
    stream.thread_count = _THREADS
    return stream


def _frames(
    stream: "VideoStream", container: "InputContainer", path: Path, began_s: float
) -> Iterator[tuple["VideoFrame", float]]:
    """Whole pictures, each with its time in the file."""
    import av

    packets, at_s, found = container.demux(stream), 0.0, False
    while True:
        try:
            frames = next(packets).decode()
        except StopIteration:
            return
        except av.error.InvalidDataError:
            frames = []
        for frame in frames:
            if not frame.is_corrupt:
                found, at_s = True, frame.time if frame.pts is not None else at_s + 1.0 / _rate(stream)
                yield frame, at_s
        if not found and time.monotonic() - began_s > _FIRST_PICTURE_LIMIT_S:
            raise unreadable(path, f"no picture within {_FIRST_PICTURE_LIMIT_S:.0f} s")


def _rate(stream: "VideoStream") -> float:
    return float(stream.average_rate or stream.guessed_rate or _DEFAULT_RATE)


def _timed(frame: "VideoFrame", duration_s: float, stream: "VideoStream") -> Timed:
    """Stamps of torn files go back or leap: such a picture is shown as long as its neighbours."""
    if not 0.0 < duration_s <= 1.0 / _SLOWEST_RATE:
        duration_s = 1.0 / _rate(stream)
    planar, fmt = as_planar(frame)
    picture = Picture(Image(plane_views(planar, fmt), fmt, STILL), fmt.size)
    turns = round(frame.rotation / _QUARTER_TURN) % 4
    if turns:
        picture = rgb_picture(np.rot90(as_rgb(picture), turns))
    shown = _shape(picture.shown, stream, sideways=turns % 2 == 1)
    return Timed(replace(picture, shown=shown), round(duration_s * _NS_PER_S))


def _shape(size: Size, stream: "VideoStream", *, sideways: bool) -> Size:
    """What it is meant to look like where its pixels are not square."""
    aspect = float(stream.sample_aspect_ratio or 1.0)
    wide = Size(size.width, round(size.height * aspect)) if sideways else Size(round(size.width * aspect), size.height)
    sane = min(wide.width, wide.height) > 0 and max(wide.width, wide.height) <= _LONGEST_SIDE_PX
    return wide if sane else size
