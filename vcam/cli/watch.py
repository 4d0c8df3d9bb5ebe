"""What the main thread does while a pipeline runs: keep the display."""

from vcam.cli.display import Display
from vcam.pipeline.snapshot import Outcome, Snapshot
from vcam.pipeline.supervisor import Pipeline


class Watch:
    """Shows how far a pipeline is. total_frames: None for one without an end."""

    def __init__(self, pipeline: Pipeline, display: Display, total_frames: int | None) -> None:
        self._pipeline = pipeline
        self._display = display
        self.total_frames = total_frames

    def tick(self) -> Snapshot:
        """To be called some ten times a second; what it saw."""
        now = self._pipeline.snapshot()
        done = now.frames[Outcome.LIVE]
        if now.engine is not None:
            self._display.quiet()
        self._display.plan(now.plan_build_share)
        if self.total_frames is not None and done:
            self._display.frames(done, self.total_frames, now.fps)
        return now
