"""Layers: pictures, animations and name plates, drawn for each output when it first asks."""

from collections.abc import Sequence

import numpy as np
from PIL import Image as Pillow

from vcam.frame import Overlay, Size, VideoFormat
from vcam.scene.layer_encode import encode_overlay
from vcam.scene.layer_frames import Frames, load_frames
from vcam.scene.layer_plate import check_font, draw_plate
from vcam.scene.layer_spec import LayerKind, LayerSpec, Placement, parse_layer
from vcam.stages import Layer

_HIGHEST = 4
"""A picture is not drawn higher than so many outputs, however narrow it is."""


def build_layers(texts: Sequence[str]) -> tuple[Layer, ...]:
    """In the same order; files are read here and not again. Raises ConfigError, MediaError."""
    return tuple(_build(parse_layer(text)) for text in texts)


def _build(spec: LayerSpec) -> Layer:
    if spec.kind is LayerKind.TEXT:
        check_font(spec.lines, spec.font)
        return PlateLayer(spec)
    return PictureLayer(load_frames(spec.path, spec.mask), spec.placement, spec.opacity)


class PlateLayer:
    """A name, and maybe a second line."""

    def __init__(self, spec: LayerSpec) -> None:
        self._spec = spec
        self._drawn: dict[VideoFormat, Overlay | None] = {}

    def render(self, target: VideoFormat, pts_ns: int) -> Overlay | None:
        """See stages.Layer."""
        if target not in self._drawn:
            place = self._spec.placement
            plate, shadow = draw_plate(self._spec.lines, self._spec.font, target.size, place.width)
            left, top = place.corner(Size(plate.width - 2 * shadow, plate.height - 2 * shadow), target.size)
            self._drawn[target] = _encoded(plate, self._spec.opacity, (left - shadow, top - shadow), target)
        return self._drawn[target]


class PictureLayer:
    """A picture with transparent parts, or an animation, which moves by the time of the camera's frames."""

    def __init__(self, frames: Frames, placement: Placement, opacity: float) -> None:
        self._frames = frames
        self._placement = placement
        self._opacity = opacity
        self._drawn: dict[VideoFormat, list[Overlay | None]] = {}

    def render(self, target: VideoFormat, pts_ns: int) -> Overlay | None:
        """See stages.Layer."""
        if target not in self._drawn:
            self._drawn[target] = [self._draw(picture, target) for picture in self._frames.pictures]
        return self._drawn[target][self._frames.at(pts_ns)]

    def _draw(self, picture: Pillow.Image, target: VideoFormat) -> Overlay | None:
        size = _size(self._frames.size, self._placement.width, target.size)
        if picture.size != (size.width, size.height):
            picture = picture.resize((size.width, size.height), Pillow.Resampling.LANCZOS)
        return _encoded(picture, self._opacity, self._placement.corner(size, target.size), target)


def _encoded(picture: Pillow.Image, opacity: float, corner: tuple[int, int], target: VideoFormat) -> Overlay | None:
    rgba = np.array(picture)
    rgba[..., 3] = np.rint(rgba[..., 3] * opacity)
    return encode_overlay(rgba, *corner, target)


def _size(own: Size, width: float | None, target: Size) -> Size:
    """Without a width: its own size, made smaller where it does not fit."""
    if width is None:
        scale = min(1.0, target.width / own.width, target.height / own.height)
    else:
        scale = min(width * target.width / own.width, _HIGHEST * target.height / own.height)
    return Size(max(1, round(scale * own.width)), max(1, round(scale * own.height)))
