"""What a terminal shows while vcam works: steps of the model's preparation, frames of a conversion, log lines above."""

import logging
import threading
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.text import Text

from vcam.model.progress import Progress as ModelProgress
from vcam.model.progress import Step

_log = logging.getLogger(__name__)

_BYTES_PER_MB = 1e6
_TOLD_PARTS = 10
"""The log hears of a download each time that another tenth of it is there."""

_DOING = {
    Step.FETCH: "fetching the network",
    Step.READ: "reading it",
    Step.CUT: "cutting it",
    Step.SPECIALISE: "making it static",
    Step.SIMPLIFY: "simplifying it",
    Step.HALF: "converting it to half precision",
    Step.VERIFY: "comparing it with the original",
    Step.STORE: "storing it",
}


class Display:
    """Progress on stderr. Any thread may call it; without a terminal the steps are logged, frames are not shown.

    The bar appears with the first thing to show and is gone at the end, so that only log lines stay.
    """

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), _Amount(), console=console, transient=True
        )
        self.console = console
        self.seen = console.is_terminal
        self._lock = threading.Lock()
        self._step: Step | None = None
        self._told = 0
        self._model_task: TaskID | None = None
        self._frames_task: TaskID | None = None
        self._plan_task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.seen:  # rich would print an empty line
            self._progress.stop()

    def model(self, progress: ModelProgress) -> None:
        """A step of the model's preparation began or went on."""
        with self._lock:
            began = progress.step is not self._step
            self._step = progress.step
            if self.seen:
                self._show_model(progress)
            else:
                self._log_model(progress, began=began)

    def frames(self, done: int, total: int, fps: float) -> None:
        """So many frames of a conversion are written."""
        if not self.seen:
            return
        with self._lock:
            self._end_model()
            if self._frames_task is None:
                self._frames_task = self._progress.add_task("frames", total=total)
                self._progress.start()
            self._progress.update(self._frames_task, completed=done, fps=fps)

    def plan(self, share: float | None) -> None:
        """So much of a plan is built, 0 to 1; None: none is being built. The log has it from whoever builds."""
        if not self.seen:
            return
        with self._lock:
            if share is None:
                self._end_plan()
                return
            if self._plan_task is None:
                self._plan_task = self._progress.add_task("", total=1.0, share=True)
                self._progress.start()
            self._progress.update(self._plan_task, description=f"building plan {share:.0%}", completed=share)

    def quiet(self) -> None:
        """Preparation is over; take its line away."""
        with self._lock:
            self._end_model()
            self._rest()

    def _log_model(self, progress: ModelProgress, *, began: bool) -> None:
        if began:
            self._told = 0
            _log.info("model.step", extra={"step": str(progress.step)})
        share = progress.done / progress.total if progress.total else 0.0
        tenth = int(share * _TOLD_PARTS)
        if tenth != self._told:
            self._told = tenth
            _log.info("model.progress", extra={"step": str(progress.step), "share": round(share, 2)})

    def _show_model(self, progress: ModelProgress) -> None:
        if self._model_task is None:
            self._model_task = self._progress.add_task("", total=None)
            self._progress.start()
        self._progress.update(
            self._model_task,
            description=_DOING[progress.step],
            total=progress.total or None,
            completed=progress.done,
            bytes=bool(progress.total),
        )

    def _end_plan(self) -> None:
        if self._plan_task is not None:
            self._progress.remove_task(self._plan_task)
            self._plan_task = None
            self._rest()

    def _rest(self) -> None:
        """Take the display away when there is nothing to show."""
        if self.seen and not any(task is not None for task in (self._model_task, self._frames_task, self._plan_task)):
            self._progress.stop()

    def _end_model(self) -> None:
        if self._model_task is not None:
            self._progress.remove_task(self._model_task)
            self._model_task = None


class _Amount(ProgressColumn):
    """How much is done, and how fast."""

    def render(self, task: Task) -> Text:
        if task.total is None or task.fields.get("share"):
            return Text("")
        if task.fields.get("bytes"):
            done, total = (value / _BYTES_PER_MB for value in (task.completed, task.total))
            rate = f"{task.speed / _BYTES_PER_MB:5.1f} MB/s" if task.speed else ""
            return Text(f"{done:.1f}/{total:.1f} MB {rate}")
        left_s = task.time_remaining
        left = f", {left_s:.0f} s left" if left_s is not None else ""
        return Text(f"{task.completed:.0f}/{task.total:.0f}  {task.fields.get('fps', 0.0):.1f} fps{left}")
