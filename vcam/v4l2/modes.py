"""Which of a camera's modes to use: pure arithmetic."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from vcam.errors import FormatRejectedError
from vcam.frame import PixelFormat, Size

READABLE: Mapping[str, PixelFormat] = MappingProxyType(
    {
        "YUYV": PixelFormat.YUYV,
        "NV12": PixelFormat.NV12,
        "YU12": PixelFormat.I420,
        "MJPG": PixelFormat.MJPG,
        "JPEG": PixelFormat.MJPG,
    }
)
"""Fourccs that vcam takes from a camera, the best first at equal size and rate: raw needs no decoding."""

_RANK = {fourcc: rank for rank, fourcc in enumerate(READABLE)}
_FALLS_SHORT = 2.0
_WRONG_ASPECT = 2.0
_SAME_RATE = 0.02
"""29.97 and 30 frames per second are the same."""

_UNKNOWN_RATE = 30.0


@dataclass(frozen=True, slots=True)
class Mode:
    """One way a camera can deliver. interval_s: seconds per frame; None where the driver does not tell."""

    fourcc: str
    size: Size
    interval_s: Fraction | None

    @property
    def fps(self) -> float:
        return float(1 / self.interval_s) if self.interval_s else _UNKNOWN_RATE

    def __str__(self) -> str:
        return f"{self.fourcc} {self.size} at {self.fps:g}"


def choose_mode(modes: Iterable[Mode], size: Size, fps: float) -> Mode:
    """The readable mode nearest to what is wanted: by size, then by rate, then by format.

    So a USB 2 webcam that gives YUYV 1080p at 5 fps is read as MJPG, and as YUYV where both give the wanted rate.
    Raises FormatRejectedError that lists what is offered.
    """
    offered = tuple(modes)
    readable = [mode for mode in offered if mode.fourcc in READABLE]
    if not readable:
        names = ", ".join(sorted({mode.fourcc for mode in offered})) or "no format"
        raise FormatRejectedError(
            f"the camera offers {names}; vcam reads {', '.join(READABLE)}",
            hint="Choose another camera, see `vcam devices`.",
            offered=names,
        )
    return min(readable, key=lambda mode: (_size_cost(mode.size, size), *_rate_cost(mode.fps, fps), _RANK[mode.fourcc]))


def _size_cost(offered: Size, wanted: Size) -> float:
    """0 for the wanted size. Octaves away from it; what is missing, or another aspect ratio, counts double."""
    wider = math.log2(offered.width / wanted.width)
    taller = math.log2(offered.height / wanted.height)
    sides = sum(side if side >= 0.0 else -side * _FALLS_SHORT for side in (wider, taller))
    return round(sides + _WRONG_ASPECT * abs(wider - taller), 6)


def _rate_cost(offered: float, wanted: float) -> tuple[float, float]:
    """(what is missing, what is too much), in octaves; equal within _SAME_RATE."""
    octaves = math.log2(offered / wanted)
    if abs(offered / wanted - 1.0) <= _SAME_RATE:
        octaves = 0.0
    return max(-octaves, 0.0), max(octaves, 0.0)
