"""A drawn scene with a known matte: a person before a room, the same on every machine and at every run."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import ClassVar, Self, TypeAlias

import numpy as np

from vcam.color import encode_matrix
from vcam.errors import DeviceError, EndOfStreamError
from vcam.frame import (
    EncodedFrame,
    Matrix,
    PixelFormat,
    Plane,
    Planes,
    Range,
    Size,
    Tensor,
    VideoFormat,
    allocate_planes,
)
from vcam.sources.body import HALF_WIDTH, draw_forearm, draw_torso
from vcam.sources.canvas import Rgb
from vcam.sources.head import draw_head
from vcam.sources.motion import pose
from vcam.sources.pace import Pace, Pacer
from vcam.sources.room import draw_room
from vcam.sources.sprite import Sprite
from vcam.stages import Losses

_LOWEST, _HIGHEST = 8, 247
"""Levels that the drawing keeps to, so that noise is added without saturation."""

_NOISE_LEVELS = 1.2
"""Standard deviation of the sensor noise, the same on R, G and B; never above 4."""

_NOISE_MARGIN_PX = 61
_HEAD_TILTS = np.linspace(-0.055, 0.055, 7)
_ARM_ANGLES = np.linspace(-0.21, 0.21, 9)

_TO_YUV = encode_matrix(Matrix.BT601, Range.FULL)


_Window: TypeAlias = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class _Box:
    """Part of the picture; left and top are even, right and bottom are even or those of the picture."""

    left: int
    top: int
    right: int
    bottom: int


class TestScene:
    """Pictures of any moment of the scene, each with its exact alpha.

    The figure is absent for the first two seconds, walks in, sways, waves, moves to both sides, leaves; then again.
    Making one draws everything (2 s at 1280x720); a frame then costs some milliseconds. For use by one thread.

    room: replaces the room by one flat colour, without noise, that tests can look for.
    """

    __test__: ClassVar[bool] = False  # or pytest takes it for a test, because of its name

    def __init__(self, size: Size, fps: float, *, seed: int = 0, room: Rgb | None = None) -> None:
        self.size = size
        self.fps = fps
        self.format = VideoFormat(PixelFormat.I420, size.width, size.height, range=Range.FULL, matrix=Matrix.BT601)
        h, w = size.height, size.width
        self._room = np.empty((3, h, w), np.float32)
        self._room[:] = draw_room(size, seed).clip(_LOWEST, _HIGHEST) if room is None else np.reshape(room, (3, 1, 1))
        self._out_x = 0.5 * w / h + HALF_WIDTH
        self._heads = [draw_head(h, float(angle), seed) for angle in _HEAD_TILTS]
        self._torso = draw_torso(h)
        self._arms = [draw_forearm(h, float(angle)) for angle in _ARM_ANGLES]
        self._noise = _noise(size, seed) if room is None else None
        self._room_rgb = _levels(self._room)
        self._room_i420, planes = allocate_planes(self.format)
        _encode(self._room, planes, _Box(0, 0, w, h))

    def room(self) -> Plane:
        """(H, W, 3) uint8: the empty room without noise. Owned."""
        return self._room_rgb.copy()

    def picture(self, sequence: int) -> Plane:
        """(H, W, 3) uint8 RGB. Owned."""
        rgb = self._room_rgb.copy()
        composed = self._composed(sequence)
        if composed is not None:
            box, patch = composed
            rgb[box.top : box.bottom, box.left : box.right] = _levels(patch)
        noise = self._noise_of(sequence)
        if noise is not None:
            rgb += noise[..., None]
        return rgb

    def i420(self, sequence: int) -> Plane:
        """The picture as one packed raw buffer in ``format``. Owned."""
        buffer, planes = allocate_planes(self.format)
        buffer[:] = self._room_i420
        composed = self._composed(sequence)
        if composed is not None:
            box, patch = composed
            _encode(patch, planes, box)
        noise = self._noise_of(sequence)
        if noise is not None:
            planes[0][:] += noise
        return buffer

    def alpha(self, sequence: int) -> Tensor:
        """(H, W) float32 in [0, 1]: how much of each pixel is figure. Owned."""
        clear = np.ones((self.size.height, self.size.width), np.float32)
        for sprite, left, top in self._parts(sequence):
            whole, part = _overlap(clear.shape, sprite, left, top)
            clear[whole] *= sprite.clear[part]
        return np.float32(1.0) - clear

    def _composed(self, sequence: int) -> tuple[_Box, Tensor] | None:
        """The part of the picture where the figure is, (3, h, w) RGB levels without noise; None in an empty room."""
        parts = self._parts(sequence)
        box = self._bounds(parts)
        if box is None:
            return None
        patch = self._room[:, box.top : box.bottom, box.left : box.right].copy()
        for sprite, left, top in parts:
            whole, part = _overlap(patch.shape[1:], sprite, left - box.left, top - box.top)
            view = patch[:, *whole]
            view *= sprite.clear[part]
            view += sprite.rgb[:, *part]
        return box, patch

    def _parts(self, sequence: int) -> list[tuple[Sprite, int, int]]:
        """(sprite, left, top) from back to front."""
        at = pose(sequence / self.fps, self._out_x)
        if at is None:
            return []
        h = self.size.height
        x = round(self.size.width / 2 + at.x * h)
        bob = round(at.bob * h)
        head = _nearest(self._heads, at.tilt)
        parts = [
            (head, x + head.x, head.y + bob),
            (self._torso, x + self._torso.x, self._torso.y + round(at.bob * h * 0.5)),
        ]
        if at.lift > 0.0:
            arm = _nearest(self._arms, at.wave)
            parts.append((arm, x + arm.x, arm.y + round((1.0 - at.lift) * 0.7 * h)))
        return parts

    def _bounds(self, parts: list[tuple[Sprite, int, int]]) -> _Box | None:
        left = min((left for _, left, _ in parts), default=self.size.width)
        top = min((top for _, _, top in parts), default=self.size.height)
        right = max((left + sprite.clear.shape[1] for sprite, left, _ in parts), default=0)
        left, top = max(0, left) & ~1, max(0, top) & ~1
        right = min(self.size.width, right + right % 2)
        return _Box(left, top, right, self.size.height) if left < right else None

    def _noise_of(self, sequence: int) -> Plane | None:
        """A cut of the noise sheet: modulo 256, so that adding it also subtracts."""
        if self._noise is None:
            return None
        x, y = (sequence * 37) % _NOISE_MARGIN_PX, (sequence * 23) % _NOISE_MARGIN_PX
        return self._noise[y : y + self.size.height, x : x + self.size.width]


class TestSource:
    """Delivers the scene as a camera would, in raw I420, from its first moment at every opening.

    frames: ends after so many (None: never). clock, wait: see Pacer.
    """

    __test__: ClassVar[bool] = False

    def __init__(
        self,
        scene: TestScene,
        *,
        pace: Pace = Pace.REALTIME,
        frames: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._scene = scene
        self._frames = frames
        self._make_pacer = partial(Pacer, pace, 1.0 / scene.fps, clock, wait)
        self._pacer: Pacer | None = None

    @property
    def format(self) -> VideoFormat:
        return self._scene.format

    @property
    def frame_interval_s(self) -> float:
        return 1.0 / self._scene.fps

    @property
    def losses(self) -> Losses:
        return Losses()

    def __enter__(self) -> Self:
        self._pacer = self._make_pacer()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._pacer = None

    def read(self, timeout_s: float) -> EncodedFrame:
        """The frame that is due next; owned. Waits at most one frame interval, whatever ``timeout_s``.

        Raises EndOfStreamError after the last, DeviceError when the source is not open.
        """
        if self._pacer is None:
            raise DeviceError("the test scene is not open", hint="open the source with `with` before reading from it")
        stamp = self._pacer.next()
        if self._frames is not None and stamp.sequence >= self._frames:
            raise EndOfStreamError
        return EncodedFrame(self._scene.i420(stamp.sequence), self.format, stamp)


def _noise(size: Size, seed: int) -> Plane:
    shape = (size.height + _NOISE_MARGIN_PX, size.width + _NOISE_MARGIN_PX)
    levels = np.random.default_rng(seed).standard_normal(shape, np.float32) * np.float32(_NOISE_LEVELS)
    noise: Plane = np.rint(levels.clip(-4.0, 4.0)).astype(np.int8).view(np.uint8)
    return noise


def _nearest(sprites: list[Sprite], position: float) -> Sprite:
    """The sprite for -1 (first) .. 1 (last)."""
    return sprites[round((position + 1.0) / 2.0 * (len(sprites) - 1))]


def _overlap(shape: tuple[int, ...], sprite: Sprite, left: int, top: int) -> tuple[_Window, _Window]:
    """Where the sprite at (left, top) meets an area of that shape: the window in the area, and in the sprite."""
    h, w = sprite.clear.shape
    x, y = max(left, 0), max(top, 0)
    right, bottom = max(min(shape[1], left + w), x), max(min(shape[0], top + h), y)
    return (slice(y, bottom), slice(x, right)), (slice(y - top, bottom - top), slice(x - left, right - left))


def _levels(rgb: Tensor) -> Plane:
    """(3, h, w) levels, rounded to (h, w, 3)."""
    levels: Plane = (rgb + np.float32(0.5)).astype(np.uint8)
    return np.ascontiguousarray(levels.transpose(1, 2, 0))


def _encode(rgb: Tensor, planes: Planes, box: _Box) -> None:
    """Write RGB levels, (3, h, w), into I420 planes at ``box``; chroma is averaged before it is rounded."""
    planes[0][box.top : box.bottom, box.left : box.right] = _weighted(rgb, _TO_YUV[0])
    h, w = rgb.shape[1:]
    if h % 2 or w % 2:
        rgb = np.pad(rgb, ((0, 0), (0, h % 2), (0, w % 2)), mode="edge")
    rows = rgb[:, 0::2] + rgb[:, 1::2]
    mean = (rows[:, :, 0::2] + rows[:, :, 1::2]) * np.float32(0.25)
    chroma = (slice(box.top // 2, (box.bottom + 1) // 2), slice(box.left // 2, (box.right + 1) // 2))
    planes[1][chroma] = _weighted(mean, _TO_YUV[1])
    planes[2][chroma] = _weighted(mean, _TO_YUV[2])


def _weighted(rgb: Tensor, row: Tensor) -> Plane:
    """One row of the encoding matrix applied to RGB levels, rounded."""
    weights = row[:3] / np.float32(255.0)
    total = rgb[0] * weights[0]
    total += rgb[1] * weights[1]
    total += rgb[2] * weights[2]
    total += row[3] + np.float32(0.5)
    levels: Plane = total.astype(np.uint8)
    return levels
