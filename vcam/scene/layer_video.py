"""A layer that is a video: it plays in a thread of its own, as one behind the person does."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vcam.frame import Image, Overlay, Patch, Plane, Planes, Size, VideoFormat, plane_shapes
from vcam.scene.clip import Timed, check_file, read_clip
from vcam.scene.fit import Fit, Placing
from vcam.scene.layer_encode import encode_overlay
from vcam.scene.layer_frames import cover_of
from vcam.scene.layer_spec import LayerSpec, scaled
from vcam.scene.moving import MovingBackdrop
from vcam.scene.picture import drawn
from vcam.scene.picture_file import load_rgba

_PLACING = Placing(fit=Fit.STRETCH)


@dataclass(slots=True)
class _Place:
    """Where the video lies in an output. box: its pictures' format there. left, top: even, of the box in the picture.
    cover: an overlay of that shape. shown, overlay: the last picture, and it as an overlay."""

    box: VideoFormat
    left: int
    top: int
    cover: Overlay | None
    shown: Image | None = None
    overlay: Overlay | None = None


class VideoLayer:
    """Satisfies Layer and Film. Raises MediaError: no video, or no mask, that can be read."""

    def __init__(self, spec: LayerSpec) -> None:
        self._spec = spec
        self._mask = None if spec.mask is None else load_rgba(spec.mask)
        check_file(spec.path)
        self._size = next(read_clip(spec.path)).picture.shown
        self._film = MovingBackdrop(str(spec.path), self._play)
        self._places: dict[VideoFormat, _Place] = {}

    def render(self, target: VideoFormat, pts_ns: int) -> Overlay | None:
        """See stages.Layer: another object only when the video shows another picture."""
        if target not in self._places:
            self._places[target] = self._place(target)
        place = self._places[target]
        image = self._film.render(place.box, pts_ns)
        if place.cover is not None and image is not place.shown:
            place.shown, place.overlay = image, _covered(image, place, target)
        return place.overlay

    def close(self) -> None:
        """See stages.Film."""
        self._film.close()

    def _play(self) -> Iterator["_Moment"]:
        for timed in read_clip(self._spec.path):
            yield _Moment(timed)

    def _place(self, target: VideoFormat) -> _Place:
        size = scaled(self._size, self._spec.placement.width, target.size)
        size = Size(max(2, size.width & ~1), max(2, size.height & ~1))
        left, top = (side & ~1 for side in self._spec.placement.corner(size, target.size))
        rgba = np.full((size.height, size.width, 4), 255, np.uint8)
        if self._mask is not None:
            rgba[..., 3] = np.asarray(cover_of(self._mask, (size.width, size.height)))
        rgba[..., 3] = np.rint(rgba[..., 3] * self._spec.opacity)
        return _Place(target.resized(size), left, top, encode_overlay(rgba, left, top, target))


@dataclass(frozen=True, slots=True)
class _Moment:
    timed: Timed

    @property
    def duration_ns(self) -> int:
        return self.timed.duration_ns

    def draw(self, target: VideoFormat) -> Planes:
        return drawn(self.timed.picture, target, _PLACING)


def _covered(image: Image, place: _Place, target: VideoFormat) -> Overlay | None:
    """The picture in the shape of the cover."""
    if place.cover is None:
        return None
    box = place.box
    patches = []
    for patch, plane, (rows, size) in zip(place.cover.patches, image.planes, plane_shapes(box), strict=True):
        row = patch.row - place.top * rows // box.height
        column = patch.column - place.left * size // box.width
        patches.append(Patch(patch.row, patch.column, _levels(plane, row, column, patch.keep), patch.keep))
    return Overlay(tuple(patches))


def _levels(plane: Plane, row: int, column: int, keep: Plane) -> "np.ndarray[tuple[int, int], np.dtype[np.uint16]]":
    rows, columns = keep.shape
    part = plane[row : row + rows, column : column + columns]
    return np.multiply(part, 255 - keep, dtype=np.uint16)
