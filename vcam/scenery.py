"""What a scene is made of: the joints between those who draw pictures and those who compose them with the person."""

from dataclasses import dataclass
from typing import Protocol

from vcam.frame import Image, Overlay, VideoFormat
from vcam.looks import Framing, MatteControls, PersonLook, RoomLook


class Backdrop(Protocol):
    """The picture behind the person. It never holds a camera pixel, so it is also what SAFE shows."""

    def render(self, target: VideoFormat, pts_ns: int) -> Image:
        """Planes in the layout of one output, borrowed until the next call for that target.

        The same object as long as the picture is the same: a still backdrop renders once per target. pts_ns: of the
        camera's frame; what moves goes on by its differences, and not at all by a leap.
        """
        ...


class Film(Protocol):
    """What works for a scene in a thread of its own."""

    def close(self) -> None:
        """End it; what it showed last stays. Any thread; harmless when called again."""
        ...


class Layer(Protocol):
    """A picture before the person: a podium, a logo, a name. It never holds a camera pixel."""

    def render(self, target: VideoFormat, pts_ns: int) -> Overlay | None:
        """What to paint onto one output; None where nothing of it is to be seen.

        The same object until the picture changes. Everything is drawn when a target first asks, and never again.
        """
        ...


@dataclass(frozen=True, slots=True)
class Scene:
    """What the viewer sees behind the person. Replaced as a whole, between two frames.

    blur: 0 shows the backdrop; above 0 shows the room, blurred with the person weighted out, 1..100.
    show_room: pass the camera through untouched; only ever set by the explicit background ``none``.
    layers: before everything else, the last one on top. SAFE does not show them.
    room: how the blurred room looks; backdrops have theirs in their pictures.
    films: what moves in it, running since it was first rendered.
    """

    backdrop: Backdrop
    blur: float = 0.0
    show_room: bool = False
    matte: MatteControls = MatteControls()
    person: PersonLook = PersonLook()
    framing: Framing = Framing()
    layers: tuple[Layer, ...] = ()
    room: RoomLook = RoomLook()
    films: tuple[Film, ...] = ()

    def close(self, following: "Scene | None" = None) -> None:
        """End its films but those that the following scene has, too. A frame may still be made of it."""
        for film in self.films:
            if following is None or all(film is not other for other in following.films):
                film.close()
