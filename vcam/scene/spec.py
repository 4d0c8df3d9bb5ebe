"""The background as the user names it: green, color, blur, image, video, slides, none."""

import difflib
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from vcam.errors import ConfigError
from vcam.scene.backdrops import PictureBackdrop, SolidBackdrop
from vcam.scene.film import video_backdrop
from vcam.scene.fit import Rgb
from vcam.scene.media_spec import MediaKind, parse_media
from vcam.scene.slides import slides_backdrop
from vcam.stages import Scene

GREEN: Rgb = (0, 255, 0)

NEUTRAL: Rgb = (38, 41, 46)
"""Behind the card of SAFE where the background is made of the room itself."""

DEFAULT_BLUR = 50.0

_FORMS = "green, color, color:R,G,B, blur, blur:1..100, image:PATH, video:PATH, slides:FOLDER, none"
_TRIPLE = re.compile(r"\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*")
_HEX = re.compile(r"\s*#([0-9a-fA-F]{6})\s*")
_HIGHEST = 255


def parse_color(text: str) -> Rgb:
    """``R,G,B`` with 0..255 each, or ``#rrggbb``. Raises ConfigError."""
    if match := _HEX.fullmatch(text):
        red, green, blue = bytes.fromhex(match[1])
        return red, green, blue
    match = _TRIPLE.fullmatch(text)
    if match is None or any(int(part) > _HIGHEST for part in match.groups()):
        raise ConfigError(
            f"{text!r} is not a colour", hint="write -c R,G,B with 0 to 255 each, as in -c 0,255,0, or #rrggbb"
        )
    return int(match[1]), int(match[2]), int(match[3])


def build_scene(spec: str, color: Rgb) -> Scene:
    """The scene for a background SPEC; ``color`` is what ``color`` without its own colour shows.

    Raises ConfigError on an unknown or malformed SPEC, MediaError when a picture cannot be used.
    """
    kind, colon, rest = spec.strip().partition(":")
    build = _KINDS.get(kind)
    if build is None:
        raise ConfigError(f"background {spec!r} is unknown{_nearest(kind)}", hint=f"use -b with one of: {_FORMS}")
    return build(rest.strip() if colon else None, color)


def _green(rest: str | None, color: Rgb) -> Scene:
    _takes_nothing("green", rest)
    return Scene(SolidBackdrop(GREEN))


def _color(rest: str | None, color: Rgb) -> Scene:
    return Scene(SolidBackdrop(color if rest is None else parse_color(rest)))


def _blur(rest: str | None, color: Rgb) -> Scene:
    strength = DEFAULT_BLUR if rest is None else _strength(rest)
    return Scene(SolidBackdrop(NEUTRAL), blur=strength)


def _image(rest: str | None, color: Rgb) -> Scene:
    media = parse_media(MediaKind.IMAGE, rest)
    return Scene(PictureBackdrop(media.path, media.placing))


def _video(rest: str | None, color: Rgb) -> Scene:
    media = parse_media(MediaKind.VIDEO, rest)
    film = video_backdrop(media.path, media.placing)
    return Scene(film, films=(film,))


def _slides(rest: str | None, color: Rgb) -> Scene:
    media = parse_media(MediaKind.SLIDES, rest)
    film = slides_backdrop(media.path, media.placing, media.pace)
    return Scene(film, films=(film,))


def _none(rest: str | None, color: Rgb) -> Scene:
    _takes_nothing("none", rest)
    return Scene(SolidBackdrop(NEUTRAL), show_room=True)


_KINDS: Mapping[str, Callable[[str | None, Rgb], Scene]] = MappingProxyType(
    {
        "green": _green,
        "color": _color,
        "blur": _blur,
        "image": _image,
        "video": _video,
        "slides": _slides,
        "none": _none,
    }
)
"""What stands before the colon, and what makes a scene of the rest (None without a colon)."""


def _strength(text: str) -> float:
    try:
        strength = float(text)
    except ValueError:
        strength = 0.0
    if not 1.0 <= strength <= 100.0:  # noqa: PLR2004 - the range that the user reads
        raise ConfigError(f"{text!r} is no strength of blur", hint="write -b blur:STRENGTH with 1 to 100")
    return strength


def _takes_nothing(kind: str, rest: str | None) -> None:
    if rest is not None:
        raise ConfigError(f"background {kind} takes nothing after it, got {rest!r}", hint=f"write -b {kind}")


def _nearest(kind: str) -> str:
    near = difflib.get_close_matches(kind, _KINDS, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""
