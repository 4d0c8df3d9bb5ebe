"""A backdrop with a look: brightness, contrast, saturation, a colour map, a colour mixed in, a hologram."""

from dataclasses import dataclass, replace

import numpy as np

from vcam import native
from vcam.color import look_matrix, tinted
from vcam.frame import AffineMatte, Image, Planes, Stamp, Tensor, VideoFormat, allocate_planes
from vcam.looks import ColorMap, RoomLook
from vcam.native.look import look_numbers, set_lines
from vcam.scene.picture import STILL
from vcam.stages import Backdrop


@dataclass(frozen=True, slots=True)
class BackdropLook:
    """room: in its linear part. hologram: 0..1, which moves. In this order: brightness, contrast, saturation (none
    with a map), map, tint, hologram."""

    room: RoomLook = RoomLook()
    colormap: ColorMap = ColorMap.NONE
    hologram: float = 0.0

    @property
    def changes(self) -> bool:
        return self.room.changes or self.colormap != ColorMap.NONE or self.hologram > 0.0


def with_look(backdrop: Backdrop, look: BackdropLook) -> Backdrop:
    """The backdrop as the look shows it; one that has a look gets this one instead."""
    plain = backdrop.plain if isinstance(backdrop, LookedBackdrop) else backdrop
    return LookedBackdrop(plain, look) if look.changes else plain


class LookedBackdrop:
    """Satisfies Backdrop. What stands still is computed once per target; with a hologram, each time.

    plain: the backdrop without a look. It is the one that is closed, where it is a film.
    """

    def __init__(self, plain: Backdrop, look: BackdropLook) -> None:
        self.plain = plain
        self._look = look
        self._numbers = _numbers(look)
        self._shown: dict[VideoFormat, tuple[Image, Image]] = {}

    def render(self, target: VideoFormat, pts_ns: int) -> Image:
        """See stages.Backdrop."""
        wanted = target.resized(target.size)
        plain = self.plain.render(wanted, pts_ns)
        before, shown = self._shown.get(wanted, (None, None))
        if shown is None or before is not plain or self._look.hologram > 0.0:
            shown = Image(self._drawn(plain, wanted, pts_ns), wanted, STILL)
            self._shown[wanted] = plain, shown
        return shown

    def _drawn(self, plain: Image, target: VideoFormat, pts_ns: int) -> Planes:
        numbers = self._numbers
        if self._look.hologram > 0.0:
            numbers = numbers.copy()
            set_lines(numbers, self._look.hologram, target.height, pts_ns, cover=False)
        _, planes = allocate_planes(target)
        native.Look(numbers).compose(replace(plain, stamp=_WHOLE.stamp), _WHOLE, plain, planes)
        return planes


def _numbers(look: BackdropLook) -> Tensor:
    room, mapped = look.room, look.colormap != ColorMap.NONE
    grade = look_matrix(
        brightness=room.brightness, contrast=room.contrast, saturation=0.0 if mapped else room.saturation
    )
    if not mapped:
        return look_numbers(tinted(grade, room.tint, room.color), hologram=look.hologram)
    tint = tinted(np.eye(3, 4, dtype=np.float32), room.tint, room.color)
    return look_numbers(grade, tint=tint, colormap=look.colormap, hologram=look.hologram)


def _opaque() -> AffineMatte:
    """Everything is the picture: alpha 1 and its own colours."""
    a, b = np.zeros((2, 4, 2, 2), np.float32)
    b[3] = 1.0
    for array in (a, b):
        array.flags.writeable = False
    return AffineMatte(a, b, Stamp(pts_ns=0, sequence=0))


_WHOLE = _opaque()
