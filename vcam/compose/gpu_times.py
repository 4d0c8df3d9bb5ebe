"""How long the GPU took for each stage, by events: nothing waits for them but the frame itself."""

from enum import IntEnum, auto

from vcam.cuda.device import Device
from vcam.stages import Stage, StageTimes


class Mark(IntEnum):
    """Moments of a frame, in the order in which the stream passes them.

    LAUNCHED: the graph begins, which waits for nothing but its own launch.
    """

    BEGUN = 0
    UPLOADED = auto()
    LAUNCHED = auto()
    SAMPLED = auto()
    INFERRED = auto()
    COMPOSED = auto()
    DOWNLOADED = auto()


_ALWAYS = ((Stage.UPLOAD, Mark.BEGUN, Mark.UPLOADED), (Stage.DOWNLOAD, Mark.COMPOSED, Mark.DOWNLOADED))

MATTED = (
    *_ALWAYS,
    (Stage.SAMPLE, Mark.LAUNCHED, Mark.SAMPLED),
    (Stage.INFER, Mark.SAMPLED, Mark.INFERRED),
    (Stage.COMPOSE, Mark.INFERRED, Mark.COMPOSED),
)
"""Stages of a frame with a matte, each between two moments."""

ROOM = (*_ALWAYS, (Stage.COMPOSE, Mark.LAUNCHED, Mark.COMPOSED))
"""Stages of a frame that shows the room."""


class FrameClock:
    """One event for each Mark. To be read after the frame's one synchronisation."""

    def __init__(self, device: Device) -> None:
        self._stream = device.cuda_stream
        self._events = tuple(device.event() for _ in Mark)

    def mark(self, moment: Mark) -> None:
        """Queue taking the time."""
        self._events[moment].record(cuda_stream=self._stream)

    def add_to(self, times: StageTimes, spans: tuple[tuple[Stage, Mark, Mark], ...]) -> None:
        """Add what each stage took. Raises GpuError."""
        for stage, since, until in spans:
            times.add(stage, self._events[until].elapsed_s(self._events[since]))
