"""The person drawn with a look, on the CPU: over the background, after their ghosts."""

from dataclasses import replace

import numpy as np

from vcam import native
from vcam.compose.look import LookNumbers, haunted
from vcam.compose.post import ShapedMatte
from vcam.compose.view import View
from vcam.frame import Image, Planes, Window
from vcam.stages import PersonLook


class PersonPainter:
    """Shows the person as a PersonLook says; keeps the numbers of the last one."""

    def __init__(self) -> None:
        self._numbers = LookNumbers(PersonLook())

    def ask(self, person: PersonLook) -> None:
        """From the next picture on."""
        if person != self._numbers.person:
            self._numbers = LookNumbers(person)

    def gather(self, view: View, picture: Image, matte: ShapedMatte, window: Window) -> None:
        """What a view's pictures need before they are painted: once a frame."""
        if self._numbers.person.blur > 0.0:
            strength = self._numbers.person.blur
            view.person.gather(picture, matte.matte, strength, levels=matte.levels, window=window, person=True)

    def paint(
        self, view: View, picture: Image, matte: ShapedMatte, window: Window, background: Image, out: Planes
    ) -> None:
        """The person of ``picture`` over ``background`` into ``out``, planes in the background's format."""
        if self._numbers.plain:
            return matte.compose(picture, background, out, window=window)
        size, pts_ns = picture.format.size, picture.stamp.pts_ns
        numbers = self._numbers.at(size, pts_ns)
        wraps, blurs = self._numbers.person.light_wrap > 0.0, self._numbers.person.blur > 0.0
        light = view.light.gather(picture, background, matte.matte, matte.levels, window) if wraps else None
        own = native.Look(numbers, light, view.person if blurs else None)
        for ghost in self._numbers.ghosts(size, pts_ns):
            background = _in_place(background, out)
            look = replace(own, numbers=haunted(numbers, ghost), shift=ghost.pairs)
            matte.compose(picture, background, out, window=window, look=look)
        return matte.compose(picture, background, out, window=window, look=own)


def _in_place(background: Image, out: Planes) -> Image:
    """The background in the planes of ``out``, to be painted over."""
    if background.planes is not out:
        for plane, target in zip(background.planes, out, strict=True):
            np.copyto(target, plane)
    return Image(out, background.format, background.stamp)
