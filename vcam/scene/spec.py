"""The background as the user names it: green, color, blur, image, video, slides, none."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from vcam.errors import ConfigError
from vcam.scene.backdrops import PictureBackdrop, SolidBackdrop
from vcam.scene.film import video_backdrop
from vcam.scene.fit import Rgb
from vcam.scene.media_spec import parse_media
from vcam.scene.moving import MovingBackdrop
from vcam.scene.named import Named, divided_background, nearest
from vcam.scene.slides import slides_backdrop
from vcam.stages import Scene

GREEN: Rgb = (0, 255, 0)

NEUTRAL: Rgb = (38, 41, 46)
"""Behind the card of SAFE where the background is made of the room itself."""

DEFAULT_BLUR = 50.0

Build: TypeAlias = Callable[[Rgb], Scene]
"""Given what background ``color`` shows. Raises MediaError."""

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
        raise ConfigError(f"{text!r} is not a colour", hint="write R,G,B with 0 to 255 each, as in 0,255,0, or #rrggbb")
    return int(match[1]), int(match[2]), int(match[3])


def build_scene(spec: str, color: Rgb) -> Scene:
    """The scene for a background SPEC; ``color`` is what ``color`` without its own colour shows.

    Raises ConfigError on an unknown or malformed SPEC, MediaError when a picture cannot be used.
    """
    return parse_background(spec)(color)


def parse_background(spec: str) -> Build:
    """What makes the scene. Opens nothing. Raises ConfigError on an unknown or malformed SPEC."""
    named = divided_background(spec)
    parse = _KINDS.get(named.kind)
    if parse is None:
        raise ConfigError(
            f"background {spec!r} is unknown{nearest(named.kind, tuple(_KINDS))}", hint=f"write one of: {_FORMS}"
        )
    return parse(named)


def _green(named: Named) -> Build:
    _takes_nothing(named)
    return lambda _: Scene(SolidBackdrop(GREEN))


def _color(named: Named) -> Build:
    own = None if named.head is None else parse_color(named.head)
    return lambda color: Scene(SolidBackdrop(own or color))


def _blur(named: Named) -> Build:
    strength = DEFAULT_BLUR if named.head is None else _strength(named.head)
    return lambda _: Scene(SolidBackdrop(NEUTRAL), blur=strength)


def _image(named: Named) -> Build:
    media = parse_media(named)
    return lambda _: Scene(PictureBackdrop(media.path, media.placing))


def _video(named: Named) -> Build:
    media = parse_media(named)
    return lambda _: _moving(video_backdrop(media.path, media.placing))


def _slides(named: Named) -> Build:
    media = parse_media(named)
    return lambda _: _moving(slides_backdrop(media.path, media.placing, media.pace))


def _none(named: Named) -> Build:
    _takes_nothing(named)
    return lambda _: Scene(SolidBackdrop(NEUTRAL), show_room=True)


def _moving(film: MovingBackdrop) -> Scene:
    return Scene(film, films=(film,))


_KINDS: Mapping[str, Callable[[Named], Build]] = MappingProxyType(
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


def _strength(text: str) -> float:
    try:
        strength = float(text)
    except ValueError:
        strength = 0.0
    if not 1.0 <= strength <= 100.0:  # noqa: PLR2004 - the range that the user reads
        raise ConfigError(f"{text!r} is no strength of blur", hint="write blur:STRENGTH with 1 to 100")
    return strength


def _takes_nothing(named: Named) -> None:
    if named.head is not None:
        raise ConfigError(
            f"background {named.kind} takes nothing after it, got {named.head!r}", hint=f"write {named.kind}"
        )
