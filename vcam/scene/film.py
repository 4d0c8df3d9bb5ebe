"""What moves behind the person, as moments of a MovingBackdrop: videos and animations."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vcam.frame import Planes, VideoFormat
from vcam.scene.clip import Timed, check_file, read_clip, unreadable
from vcam.scene.fit import Placing
from vcam.scene.hidden import forbidden
from vcam.scene.moving import Moment, MovingBackdrop
from vcam.scene.picture import drawn


def video_backdrop(path: Path, placing: Placing) -> MovingBackdrop:
    """A video (MP4, WebM, MKV) or an animated GIF or WebP. Raises MediaError."""
    return MovingBackdrop(str(path), lambda: _play(path, placing))


def _play(path: Path, placing: Placing) -> Iterator[Moment]:
    for timed in _pictures(path, placing):
        yield _Shown(timed, placing)


def _pictures(path: Path, placing: Placing) -> Iterator[Timed]:
    from vcam.scene.animation import is_animation, read_animation

    check_file(path)
    try:
        animated = is_animation(path)
    except PermissionError as error:
        raise forbidden(path) from error
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from error
    return read_animation(path, placing.fill) if animated else read_clip(path)


@dataclass(frozen=True, slots=True)
class _Shown:
    timed: Timed
    placing: Placing

    @property
    def duration_ns(self) -> int:
        return self.timed.duration_ns

    def draw(self, target: VideoFormat) -> Planes:
        return drawn(self.timed.picture, target, self.placing)
