"""Auto-framing: a frame processor around another one, which looks where the person is and frames the next pictures."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from vcam.compose.auto_frame import AutoFrame
from vcam.compose.auto_frame import Stage as Camera
from vcam.compose.wrapped import WrappedProcessor
from vcam.frame import Image, Plane, Size, Stamp
from vcam.looks import Framing
from vcam.stages import FrameProcessor, Scene, Stage, StageTimes

LOOK_EVERY_NS = 200_000_000


class Director:
    """The framing of one camera. Any thread: an engine that takes over goes on with the shot of the one before.

    shape: of the output that is framed for; others show what that leads to.
    """

    def __init__(self, shape: Size) -> None:
        self._shape = shape
        self._lock = threading.Lock()
        self._auto: AutoFrame | None = None
        self._looked: Stamp | None = None

    def framing(self, image: Image, turned: Framing, begin: Framing | None) -> Framing:
        """For the frame at hand; mirrored and flipped as ``turned``, whose zoom and pan do not count.

        begin: what was shown of this camera before, where there is no shot to go on with (None: nothing).
        """
        with self._lock:
            auto = self._auto
            if auto is None or auto.stage.picture != image.format.size:
                camera = Camera(image.format.size, self._shape)
                auto = self._auto = AutoFrame(camera, camera.shot(begin or Framing()))
            auto.advance(image.stamp)
            return auto.stage.framing(auto.shot, turned)

    def look(self, stamp: Stamp, alpha: Callable[[], Plane]) -> None:
        """A few times a second, ask for the frame's alpha and mind where the person is."""
        with self._lock:
            last = self._looked
            if last is not None and last.epoch == stamp.epoch and abs(stamp.pts_ns - last.pts_ns) < LOOK_EVERY_NS:
                return
            self._looked = stamp
        seen = alpha()
        with self._lock:
            if self._auto is not None:
                self._auto.see(seen)

    def rest(self) -> None:
        """Begin anew when asked again."""
        with self._lock:
            self._auto = None


class DirectedProcessor(WrappedProcessor):
    """Satisfies FrameProcessor: where the scene asks for it, its framing follows the person."""

    def __init__(self, inside: FrameProcessor, director: Director) -> None:
        super().__init__(inside)
        self._director = director
        self._directed = False
        self._shown: Framing | None = None

    def process(self, image: Image, scene: Scene, times: StageTimes) -> Sequence[Image]:
        """See FrameProcessor. The matte of a frame moves the frames after it."""
        if not scene.framing.auto or scene.show_room:
            if self._directed:  # one that never was, as an engine on trial, leaves the shot of another alone
                self._director.rest()
            self._directed, self._shown = False, scene.framing
            return super().process(image, scene, times)
        framing = self._director.framing(image, scene.framing, self._shown)
        self._directed, self._shown = True, None
        results = super().process(image, replace(scene, framing=framing), times)
        with times.measure(Stage.COMPOSE):
            self._director.look(image.stamp, self.last_alpha)
        return results
