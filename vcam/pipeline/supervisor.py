"""The supervisor: starts and ends the threads, and is the dead man's switch of the output.

The rule of SAFE: when no live frame has left for ``safe_after_s`` (for three frames, where they are slower), the SAFE
card leaves at the frame rate, whatever the cause. What is known at once (a camera unplugged) is not waited for.
"""

import logging
import threading
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from vcam.errors import EngineError
from vcam.pipeline import overdue
from vcam.pipeline.attention import Attention
from vcam.pipeline.condition import Condition
from vcam.pipeline.loops import Loops
from vcam.pipeline.outputs import Outputs
from vcam.pipeline.rewiring import Refused, Rewiring, nothing
from vcam.pipeline.runner import Control
from vcam.pipeline.snapshot import SafeReason, Snapshot, State
from vcam.pipeline.statistics import Observed, Statistics
from vcam.pipeline.tap import Tap
from vcam.pipeline.wiring import Wiring
from vcam.stages import Scene, Sink
from vcam.v4l2.wanted_controls import WantedControls

_log = logging.getLogger(__name__)


class Pipeline:
    """A running virtual camera. ``run`` blocks; every other method may be called from any thread."""

    def __init__(self, wiring: Wiring) -> None:
        self._rewiring = Rewiring(wiring)
        self._scene = wiring.scene
        self._clock = wiring.policy.clock
        self._wake = threading.Event()
        self._stopping = False
        self._paused = False
        self._attention = Attention(self._clock)
        self._overdue = overdue.Overdue(self._clock)
        self.ended = False
        self._reason: SafeReason | None = SafeReason.STARTING
        self.statistics = Statistics(self._clock)
        self._outputs = Outputs(wiring.sinks, clock=self._clock)
        self._loops = self._make_loops()

    def __enter__(self) -> Self:
        """Open the outputs: from here on applications see the SAFE card. Raises SinkError."""
        self._outputs.__enter__()
        if self._wiring.policy.live:
            self._write_safe(SafeReason.STARTING)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loops.end()
        self._scene.close()
        self._outputs.__exit__(kind, error, trace)

    def run(self) -> None:
        """Start the threads and supervise them until ``stop``, the end of the source, or an error beyond repair.

        Raises the error that ended a thread for good.
        """
        try:
            self._supervise()
        finally:
            self.ended = True
        if self._loops.failure is not None:
            raise self._loops.failure

    def _supervise(self) -> None:
        self._loops.start()
        while not self._stopping:
            self._wake.wait(self._attention.tick_s(self._wiring.policy.frame_interval_s))
            self._wake.clear()
            if self._rewiring.turn(self._loops.failure):
                self._rewire()
            if self._loops.over() and not (self._loops.failure and self._rewiring.can_turn()):
                break
            self._tick()
            self._check_threads()
            self._check_outputs()
        self._loops.end()

    def stop(self) -> None:
        """Ask ``run`` to return; clean within a second."""
        self._stopping = True
        self._wake.set()

    def pause(self, *, paused: bool) -> None:
        """Show the SAFE card instead of the person, or stop doing so. After this no picture of the person leaves."""
        if self._paused and not paused:
            self._loops.frames.last_live_s = None  # as nothing was to leave, nothing is missed yet
        self._paused = paused
        self._outputs.settle()

    @property
    def changing(self) -> AbstractContextManager[object]:
        """See the lock of Rewiring."""
        return self._rewiring.lock

    @property
    def total_frames(self) -> int | None:
        """See Wiring."""
        return self._wiring.total_frames

    @property
    def sinks(self) -> tuple[Sink, ...]:
        return self._wiring.sinks

    @property
    def camera_controls(self) -> WantedControls:
        """See Wiring."""
        return self._rewiring.latest.camera_controls

    @property
    def scene(self) -> Scene:
        return self._scene

    def change_scene(self, scene: Scene) -> None:
        """Replace the scene between two frames; nothing is interrupted. After this no picture shows the room, unless
        ``scene`` does."""
        with self.changing:
            old, self._scene = self._scene, scene
            old.close(following=scene)
        self._outputs.settle()

    def reload(self, wiring: Wiring, *, refused: Refused = nothing) -> None:
        """Close camera and engine and open those of ``wiring``, under the SAFE card. It has the same sinks.

        Where one of them turns out to be beyond repair before it showed a live frame, those from before are opened
        again, under the scene that there is then, and ``refused`` is told why.
        """
        with self.changing:
            self._rewiring.ask(wiring, refused, sound=self._loops.frames.engine is not None)
            self.change_scene(wiring.scene)
        self._wake.set()

    @property
    def tap(self) -> Tap:
        """For looking at what viewers see."""
        return self._outputs.tap

    @property
    def paused(self) -> bool:
        return self._paused

    def learn(self) -> bool:
        """Learn the empty room anew, which the person should leave; False where the engine needs no such thing."""
        return self._loops.frames.learn()

    def snapshot(self) -> Snapshot:
        """What is true now; immutable."""
        state, reason = self._state()
        return self.statistics.snapshot(
            Observed(
                state=state,
                safe_reason=reason,
                camera_up=self._loops.capture.camera_up,
                engine=self._loops.frames.engine,
                engine_reason=self._loops.frames.engine_reason,
                outputs=self._outputs.status(),
                last_live_age_s=self._loops.live_age_s(),
                last_write_age_s=self._outputs.last_write_age_s(),
                source=self._wiring.source_name,
                fps_target=1.0 / self._wiring.policy.frame_interval_s,
                plan_build_share=self._loops.frames.plan_build_share,
                takeover=self._loops.frames.takeover,
                decoder=self._loops.frames.decoder,
                gpu_graph=self._loops.frames.gpu_graph,
            )
        )

    def _make_loops(self) -> Loops:
        # What was asked for outlives the loops: a reload must neither end a pause nor wake an idle camera.
        self._attention.asleep = self._attention.asleep and self._wiring.policy.idle_after_s is not None
        control = Control(self._covered, lambda: self._scene, self._write_safe)
        loops = Loops(
            self._wiring,
            self._outputs,
            self.statistics,
            control,
            patient=self._rewiring.proving,
            on_change=self._wake.set,
        )
        loops.capture.idle(asleep=self._attention.asleep)
        return loops

    def _rewire(self) -> None:
        _log.info("pipeline.reloading")
        self._loops.end()
        self._write_safe(SafeReason.RELOAD)
        self._loops = self._make_loops()
        self._loops.start()

    def _tick(self) -> None:
        if self._outputs.tend():
            self._attention.cover()
        self._watch_consumers()
        state, reason = self._state()
        if state is State.LIVE:
            self._rewiring.proved()
        elif reason is not None and self._wiring.policy.live:
            self._write_safe(reason)
        elif self._attention.owes_card():
            self._write_safe(SafeReason.STARTING)
        if reason is not self._reason:
            _log.info("pipeline.state", extra={"state": str(state), "reason": str(reason or "")})
            self._reason = reason

    @property
    def _wiring(self) -> Wiring:
        return self._rewiring.now

    def _covered(self) -> bool:
        """Whether viewers see no pictures now, by somebody's wish or for lack of viewers."""
        return self._paused or self._attention.asleep

    def _state(self) -> tuple[State, SafeReason | None]:
        frames = self._loops.frames
        now = Condition(
            asleep=self._attention.asleep,
            paused=self._paused,
            reloading=self._rewiring.proving,
            camera_lost=self._loops.capture.worker.last_error is not None,
            engine_up=frames.engine is not None,
            building=frames.plan_build_share is not None,
            failing=frames.failing,
            live_age_s=self._loops.live_age_s(),
            busy_s=self._loops.busy_s(),
            typical_s=frames.typical_s,
        )
        return now.state(self._wiring.policy)

    def _check_threads(self) -> None:
        """An engine that hangs ends the process, whose manager starts it anew. A camera is opened by another thread."""
        self._overdue.look()
        if self._overdue.is_so(self._loops.busy_s()):
            raise EngineError(
                f"the engine has not returned a matte for {overdue.LIMIT_S:.0f} s",
                hint="restart vcam; if it happens again choose another engine with --engine",
            )
        if self._overdue.is_so(self._loops.capture.silent_s()):
            self._loops.replace_capture()

    def _check_outputs(self) -> None:
        """An output may need what only a new process gets, as the device nodes of a container: the manager's turn."""
        if not self._attention.asleep:
            self._outputs.check(self._wiring.policy.give_up_after_s)

    def _write_safe(self, reason: SafeReason) -> None:
        backdrop = self._scene.backdrop
        self._outputs.write([self._wiring.card(backdrop, target, reason) for target in self._outputs.formats])
        self.statistics.safe(reason)

    def _watch_consumers(self) -> None:
        limit = self._wiring.policy.idle_after_s
        if limit is None or not self._attention.look(watched=self._outputs.watched(), limit_s=limit):
            return
        asleep = self._attention.asleep
        self._loops.capture.idle(asleep=asleep)
        # What was live before is not missed after it: the camera is only being opened again.
        self._loops.frames.last_live_s = None
        _log.info("pipeline.idle" if asleep else "pipeline.awake")
