"""A backdrop that moves: its pictures are made ahead in a thread, and shown by the clock of the output."""

import atexit
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from vcam.errors import MediaError
from vcam.frame import Image, Planes, VideoFormat
from vcam.scene.picture import STILL

_log = logging.getLogger(__name__)

AHEAD = 3
"""So many pictures wait to be shown, and one more is being made."""

_LEAP_NS = 1_000_000_000
"""Between two pictures of one camera there is less. More is another camera, or a pause: the film did not go on."""

_EVEN = 0.02
_WHOLE, _PART = 1.0 - _EVEN, 0.5
"""Of a film that is faster than the output, a picture stands for some that are not drawn: for as many as fill the
output's interval where they do so within _EVEN of it; else for at most half of it, so that the film runs evenly."""

_IN_ADVANCE_NS = 20_000_000
"""A film begins so much later than its first picture, at most in the middle of it: where film and output have the same
rate, each picture is then asked for in the middle of its time, and no jitter of the camera's stamps shows one twice."""

_PATIENCE_S = 10.0
"""A file on a network that does not answer for so long is gone on without."""

_RETRY_S = 1.0
_CLOSE_LIMIT_S = 0.5


class Moment(Protocol):
    """Something that is shown for a while."""

    @property
    def duration_ns(self) -> int: ...

    def draw(self, target: VideoFormat) -> Planes:
        """New planes of that format, packed. Any thread. Raises MediaError where it is read again."""
        ...


Play: TypeAlias = Callable[[], Iterator[Moment]]
"""One pass over the film. The iterator raises MediaError; it is closed when no more is wanted."""


@dataclass(slots=True)
class _Drawn:
    moment: Moment
    pictures: dict[VideoFormat, Image]
    duration_ns: int


class MovingBackdrop:
    """Satisfies Backdrop and Film. The film begins when it is first rendered, and begins again at its end.

    It goes on by the differences of the stamps that it is rendered for; where its pictures come too late, it goes
    slower. patient: it is waited for instead, as no output shows pictures in their own time. After a fault, and once
    closed, the last picture stays. Memory: a few pictures, as they were read and for each target. Raises MediaError
    when there is no first picture.
    """

    def __init__(self, name: str, play: Play) -> None:
        self._name = name
        self._play = play
        self._moments = play()
        first = next(self._moments, None)
        if first is None:
            raise MediaError(f"{name} has no picture", hint="give a background that has one", path=name)
        self._first = first
        self._changed = threading.Condition()
        self._targets: tuple[VideoFormat, ...] = ()
        self._now = _Drawn(first, {}, first.duration_ns)
        self._left_ns = _begun_ns(first.duration_ns)
        self._ahead: deque[_Drawn] = deque()
        self._last_pts_ns: int | None = None
        self._step_ns = 0
        self._thread: threading.Thread | None = None
        self._closed = self._over = False
        self._problem = ""
        self.patient = False

    def render(self, target: VideoFormat, pts_ns: int) -> Image:
        """See stages.Backdrop. Any thread. The same object while its picture is shown."""
        wanted = target.resized(target.size)
        with self._changed:
            self._go_on(pts_ns)
            image = self._now.pictures.get(wanted)
            if image is not None:
                return image
            if wanted not in self._targets:
                self._targets = (*self._targets, wanted)
            self._start()
            now = self._now
        image = Image(self._planes(now.moment, wanted), wanted, STILL)
        with self._changed:
            return now.pictures.setdefault(wanted, image)

    def close(self) -> None:
        """See stages.Film."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        thread = self._thread
        if thread is None:
            _end(self._moments)
        elif thread is not threading.current_thread():
            thread.join(_CLOSE_LIMIT_S)

    def _planes(self, moment: Moment, target: VideoFormat) -> Planes:
        """For a target that nothing was drawn for: the film has just begun, or an output came later."""
        try:
            return moment.draw(target)
        except MediaError:
            return self._first.draw(target)

    def _go_on(self, pts_ns: int) -> None:
        step_ns = 0 if self._last_pts_ns is None else pts_ns - self._last_pts_ns
        self._last_pts_ns = pts_ns
        if not 0 < step_ns < _LEAP_NS:
            return
        self._step_ns = step_ns
        if self._left_ns <= 0 and self._ahead:  # it came late, and goes on from here
            self._now = self._ahead.popleft()
            self._left_ns = _begun_ns(self._now.duration_ns)
        else:
            self._left_ns -= step_ns
            while self._left_ns <= 0 and self._has_next():
                self._now = self._ahead.popleft()
                self._left_ns += self._now.duration_ns
        self._changed.notify_all()

    def _has_next(self) -> bool:
        if self.patient and not self._ahead:
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._ahead or self._stands_still, _PATIENCE_S)
        return bool(self._ahead)

    @property
    def _stands_still(self) -> bool:
        return self._thread is None or self._closed or self._over or bool(self._problem)

    def _start(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._run, name="vcam-backdrop", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        # A daemon that is inside a library when Python ends can bring the process down.
        atexit.register(self.close)
        shown = 1
        try:
            while not self._closed:
                before, shown = shown, self._pass(shown)
                if before == shown == 1:
                    return  # one picture does not move
                self._moments, shown = self._play(), 0
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()
            atexit.unregister(self.close)

    def _pass(self, shown: int) -> int:
        """Show the film to its end; how many pictures it had with those before. A fault is told, and waited after."""
        problem, skipped_ns = "", 0
        try:
            for moment in self._moments:
                shown += 1
                duration_ns = skipped_ns + moment.duration_ns
                if duration_ns < self._least_ns(moment.duration_ns):
                    skipped_ns = duration_ns
                    continue
                skipped_ns = 0
                drawn = {target: Image(moment.draw(target), target, STILL) for target in self._targets}
                if not self._put(_Drawn(moment, drawn, duration_ns)):
                    return shown
        except MediaError as error:
            problem = error.problem
        finally:
            _end(self._moments)
        self._tell(problem if shown or problem else "it has no picture")
        return shown

    def _least_ns(self, duration_ns: int) -> float:
        """How long a picture must be shown to be drawn at all."""
        ratio = self._step_ns / duration_ns
        return self._step_ns * (_WHOLE if abs(ratio - round(ratio)) <= _EVEN * ratio else _PART)

    def _tell(self, problem: str) -> None:
        """Of a fault, once as long as it stays the same, and then wait: it may pass, as a network's do."""
        if problem and problem != self._problem:
            _log.warning("backdrop.fault", extra={"path": self._name, "problem": problem})
        with self._changed:
            self._problem = problem
            if problem:
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._closed, _RETRY_S)

    def _put(self, drawn: _Drawn) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._ahead) < AHEAD)
            if not self._closed:
                self._ahead.append(drawn)
                self._changed.notify_all()
            return not self._closed


def _begun_ns(duration_ns: int) -> int:
    """What is left of a picture's time when a film begins with it."""
    return duration_ns - min(duration_ns // 2, _IN_ADVANCE_NS)


def _end(moments: Iterator[Moment]) -> None:
    close = getattr(moments, "close", None)
    if close is not None:
        close()
