"""Layers: pictures, animations and name plates, drawn for each output when it first asks."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from vcam.frame import Overlay, Size, VideoFormat
from vcam.scene.faces import faces_for
from vcam.scene.layer_encode import encode_overlay
from vcam.scene.layer_frames import Frames, load_frames
from vcam.scene.layer_plate import draw_plate
from vcam.scene.layer_spec import LayerSpec, Placement, parse_layer, scaled
from vcam.scene.layer_video import VideoLayer
from vcam.scene.named import LayerKind
from vcam.stages import Film, Layer


def build_layers(texts: Sequence[str]) -> tuple[Layer, ...]:
    """In the same order. Pictures are read here and not again; videos are open. Raises ConfigError, MediaError."""
    specs = [parse_layer(text) for text in texts]
    layers: list[Layer] = []
    with ExitStack() as stack:
        for spec in specs:
            layers.append(_build(spec))
            for film in films_of(layers[-1:]):
                stack.callback(film.close)
        stack.pop_all()
    return tuple(layers)


def films_of(layers: Sequence[Layer]) -> tuple[Film, ...]:
    """Those that are to be closed."""
    return tuple(layer for layer in layers if isinstance(layer, VideoLayer))


def _build(spec: LayerSpec) -> Layer:
    if spec.kind is LayerKind.TEXT:
        return PlateLayer(spec, faces_for(spec.lines, spec.font))
    if spec.kind is LayerKind.VIDEO:
        return VideoLayer(spec)
    return PictureLayer(load_frames(spec.path, spec.mask), spec.placement, spec.opacity)


class PlateLayer:
    """A name, and maybe a second line. faces: the font file of each."""

    def __init__(self, spec: LayerSpec, faces: tuple[Path, ...]) -> None:
        self._spec = spec
        self._faces = faces
        self._drawn: dict[VideoFormat, Overlay | None] = {}

    def render(self, target: VideoFormat, pts_ns: int) -> Overlay | None:
        """See stages.Layer."""
        if target not in self._drawn:
            place = self._spec.placement
            plate, shadow = draw_plate(self._spec.lines, self._faces, target.size, place.width)
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
        size = scaled(self._frames.size, self._placement.width, target.size)
        if picture.size != (size.width, size.height):
            picture = picture.resize((size.width, size.height), Pillow.Resampling.LANCZOS)
        return _encoded(picture, self._opacity, self._placement.corner(size, target.size), target)


def _encoded(picture: Pillow.Image, opacity: float, corner: tuple[int, int], target: VideoFormat) -> Overlay | None:
    rgba = np.array(picture)
    rgba[..., 3] = np.rint(rgba[..., 3] * opacity)
    return encode_overlay(rgba, *corner, target)
