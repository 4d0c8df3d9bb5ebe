"""A folder of pictures as a backdrop: one after the other by name, cross-faded, each read before its time."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vcam.errors import MediaError
from vcam.frame import Plane, Planes, VideoFormat, allocate_planes
from vcam.scene.backdrops import PictureBackdrop
from vcam.scene.fit import Placing
from vcam.scene.hidden import forbidden
from vcam.scene.moving import Moment, MovingBackdrop

_log = logging.getLogger(__name__)

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif"})
_FADE_RATE = 60.0
"""Steps of a fade per second; those that an output is too slow for are not made."""
_NS_PER_S = 1_000_000_000
_WHOLE = 256


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds from one picture to the next, and how many of them they are mixed for."""

    every_s: float = 10.0
    fade_s: float = 1.0


def slides_backdrop(folder: Path, placing: Placing, pace: Pace) -> MovingBackdrop:
    """Pictures that cannot be read are left out, with a warning. Raises MediaError when there is none that can."""
    return MovingBackdrop(str(folder), lambda: _play(folder, placing, pace))


def _play(folder: Path, placing: Placing, pace: Pace) -> Iterator[Moment]:
    """Without end, so that the first picture follows upon the last; the folder is looked into anew each time round."""
    before: _Slide | None = None
    for slide in _slides(folder, placing):
        if before is None:
            yield _Shown(slide, pace.every_s - pace.fade_s / 2.0)
        elif before.path == slide.path:
            yield _Shown(before, pace.every_s)
            continue
        else:
            yield from _faded(before, slide, pace.fade_s)
            yield _Shown(slide, pace.every_s - pace.fade_s)
            slide.settle()
        before = slide


def _slides(folder: Path, placing: Placing) -> Iterator["_Slide"]:
    warned: set[Path] = set()
    while True:
        usable = False
        for path in _pictures(folder):
            try:
                slide = _Slide(path, placing)
            except MediaError as error:
                if path not in warned:
                    warned.add(path)
                    _log.warning("slides.left_out", extra={"path": str(path), "problem": error.problem})
                continue
            usable = True
            yield slide
        if not usable:
            raise _unusable(folder, "it has no picture that can be read")


def _pictures(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES and path.is_file())
    except PermissionError as error:
        raise forbidden(folder) from error
    except OSError as error:
        raise _unusable(folder, error.strerror or str(error)) from error


def _unusable(folder: Path, reason: str) -> MediaError:
    hint = "give -b slides:FOLDER a folder with JPEG, PNG, WebP, TIFF, BMP or GIF files"
    return MediaError(f"the folder {folder} cannot be shown: {reason}", hint=hint, path=str(folder))


def _faded(before: "_Slide", after: "_Slide", fade_s: float) -> Iterator[Moment]:
    steps = round(fade_s * _FADE_RATE)
    for k in range(steps):
        yield _Mixed(before, after, round(_WHOLE * (k + 1) / (steps + 1)), fade_s / steps)


class _Slide:
    """One picture, drawn once per target. Raises MediaError."""

    def __init__(self, path: Path, placing: Placing) -> None:
        self.path = path
        self._placing = placing
        self._picture: PictureBackdrop | None = PictureBackdrop(path, placing)
        self._planes: dict[VideoFormat, Planes] = {}

    def planes(self, target: VideoFormat) -> Planes:
        if target not in self._planes:
            picture = self._picture or PictureBackdrop(self.path, self._placing)
            self._planes[target] = picture.render(target, 0).planes
        return self._planes[target]

    def settle(self) -> None:
        """Forget the picture as it was read, which is large; what was drawn of it stays."""
        self._picture = None


@dataclass(frozen=True, slots=True)
class _Shown:
    slide: _Slide
    seconds: float

    @property
    def duration_ns(self) -> int:
        return max(1, round(self.seconds * _NS_PER_S))

    def draw(self, target: VideoFormat) -> Planes:
        return self.slide.planes(target)


@dataclass(frozen=True, slots=True)
class _Mixed:
    """weight: of ``after``, in 256ths."""

    before: _Slide
    after: _Slide
    weight: int
    seconds: float

    @property
    def duration_ns(self) -> int:
        return round(self.seconds * _NS_PER_S)

    def draw(self, target: VideoFormat) -> Planes:
        _, planes = allocate_planes(target)
        for out, before, after in zip(planes, self.before.planes(target), self.after.planes(target), strict=True):
            _mix(before, after, self.weight, out)
        return planes


def _mix(before: Plane, after: Plane, weight: int, out: Plane) -> None:
    total = before.astype(np.uint16)
    total *= _WHOLE - weight
    total += after.astype(np.uint16) * np.uint16(weight)
    total += _WHOLE // 2
    total >>= 8
    out[:] = total
