"""What a user may write after ``--input``: /dev/videoN | a by-id path | file:PATH | test:WxH@FPS."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from vcam.errors import ConfigError
from vcam.frame import Size
from vcam.words import SIDE_PX, expanded

_SCENE = re.compile(r"(?P<width>\d+)[xX](?P<height>\d+)(?:@(?P<fps>\d+(?:\.\d+)?))?")
_MAX_FPS = 240.0
_SCENE_SIZE, _SCENE_FPS = Size(1280, 720), 30.0


class SourceKind(StrEnum):
    CAMERA = "camera"
    FILE = "file"
    SCENE = "test"


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """Where frames come from. text: as the user wrote it. path: of cameras and files; size, fps: of the test scene."""

    text: str
    kind: SourceKind
    path: Path | None = None
    size: Size | None = None
    fps: float | None = None


def parse_source(text: str) -> SourceSpec:
    """Read one SRC. Raises ConfigError; whether the device or file exists is found out on opening."""
    scheme, colon, rest = text.partition(":")
    if colon and scheme == "test":
        return _scene(text, rest)
    if colon and scheme == "file":
        if not rest:
            raise _wrong(text, "there is no path after file:")
        return SourceSpec(text, SourceKind.FILE, expanded(rest))
    if text.startswith("/dev/"):
        return SourceSpec(text, SourceKind.CAMERA, Path(text))
    if text.isdigit():
        raise ConfigError(f"`{text}` is not a source", hint=f"Write --input /dev/video{text}.")
    if text and "://" not in text and Path(text).suffix:
        raise ConfigError(f"`{text}` is not a source", hint=f"Write --input file:{text} to play a file.")
    raise _wrong(text, "it names neither a camera, a file nor the test scene")


def _scene(text: str, rest: str) -> SourceSpec:
    if not rest:
        return SourceSpec(text, SourceKind.SCENE, size=_SCENE_SIZE, fps=_SCENE_FPS)
    found = _SCENE.fullmatch(rest)
    if found is None:
        raise _wrong(text, "the test scene is written test:WIDTHxHEIGHT@FPS")
    size = Size(int(found["width"]), int(found["height"]))
    fps = float(found["fps"] or _SCENE_FPS)
    if size.width not in SIDE_PX or size.height not in SIDE_PX:
        raise _wrong(text, f"sides may have {SIDE_PX.start} to {SIDE_PX.stop - 1} pixels")
    if not 0.0 < fps <= _MAX_FPS:
        raise _wrong(text, f"the rate may be at most {_MAX_FPS:g} frames per second")
    return SourceSpec(text, SourceKind.SCENE, size=size, fps=fps)


def _wrong(text: str, reason: str) -> ConfigError:
    return ConfigError(
        f"`{text}` is not a source: {reason}",
        hint="Use --input /dev/videoN (see `vcam devices`), file:PATH, or test:1280x720@30.",
    )
