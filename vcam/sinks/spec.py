"""What a user may write after ``--output``: /dev/videoN | file:PATH | null:, then ,size=WxH and ,format=FOURCC."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from vcam.errors import ConfigError
from vcam.frame import PixelFormat, Size
from vcam.words import SIDE_PX, expanded

_SIZE = re.compile(r"(\d+)[xX](\d+)")
_FORMATS = (PixelFormat.YUYV, PixelFormat.NV12, PixelFormat.I420, PixelFormat.RGB24)
_OPTION = re.compile(r",(size|format)=([^,]*)$")
_LIKE_OPTION = re.compile(r",([A-Za-z_-]+)=([^,/]*)$")

DEFAULT_DEVICE_FORMAT = PixelFormat.YUYV
"""Every application reads it, on every version of v4l2loopback."""


class SinkKind(StrEnum):
    DEVICE = "device"
    FILE = "file"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class SinkSpec:
    """Where frames go. text: as the user wrote it; path: of devices and files; None: as the source and sink have it."""

    text: str
    kind: SinkKind
    path: Path | None = None
    size: Size | None = None
    pixel_format: PixelFormat | None = None


def parse_sink(text: str) -> SinkSpec:
    """Read one SINK. Raises ConfigError; whether the device exists is found out on opening."""
    target, options = _split(text)
    size = _size(text, options["size"]) if "size" in options else None
    pixel_format = _format(text, options["format"]) if "format" in options else None
    if target == "null:":
        return SinkSpec(text, SinkKind.NULL, None, size, pixel_format)
    if target.startswith("/dev/"):
        return SinkSpec(text, SinkKind.DEVICE, Path(target), size, pixel_format)
    scheme, colon, path = target.partition(":")
    if colon and scheme == "file" and path:
        if pixel_format is not None:
            raise _wrong(text, "a file chooses its own format")
        return SinkSpec(text, SinkKind.FILE, expanded(path), size)
    if target.isdigit():
        raise ConfigError(f"`{text}` is not a sink", hint=f"Write --output /dev/video{target}.")
    if target and not colon and Path(target).suffix:
        raise ConfigError(f"`{text}` is not a sink", hint=f"Write --output file:{target} to write a file.")
    raise _wrong(text, "it names neither a device, a file nor null:")


def unfinished(path: Path) -> Path:
    """What a file is called while it is written."""
    return path.with_name(f"{path.stem}.part{path.suffix}")


def _split(text: str) -> tuple[str, dict[str, str]]:
    """Take known options from the end; a comma elsewhere belongs to the path."""
    options: dict[str, str] = {}
    target = text
    while found := _OPTION.search(target):
        option, value = found.groups()
        if option in options:
            raise _wrong(text, f"{option}= is given twice")
        options[option] = value
        target = target[: found.start()]
    unknown = _LIKE_OPTION.search(target)
    if unknown:
        raise _wrong(text, f"there is no option {unknown[1]}=")
    return target, options


def _size(text: str, value: str) -> Size:
    found = _SIZE.fullmatch(value)
    if found is None:
        raise _wrong(text, "size= is written WIDTHxHEIGHT")
    size = Size(int(found[1]), int(found[2]))
    if size.width not in SIDE_PX or size.height not in SIDE_PX:
        raise _wrong(text, f"sides may have {SIDE_PX.start} to {SIDE_PX.stop - 1} pixels")
    return size


def _format(text: str, value: str) -> PixelFormat:
    for pixel_format in _FORMATS:
        if pixel_format.value == value.upper():
            return pixel_format
    raise _wrong(text, f"format= may be {', '.join(pixel_format.value for pixel_format in _FORMATS)}")


def _wrong(text: str, reason: str) -> ConfigError:
    return ConfigError(
        f"`{text}` is not a sink: {reason}",
        hint="Use --output /dev/videoN (see `vcam devices`), file:out.mp4 or null:, "
        "then ,size=1280x720 or ,format=YUYV as you need them.",
    )
