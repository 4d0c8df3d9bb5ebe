"""The frame thread: newest frame in, matted picture out, or the SAFE card. Never anything between.

A frame is written as LIVE only when the processor returned it without an error and it is not late; the processor in
turn composes only with a finite matte of that very frame.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from vcam.errors import DecodeError, EngineError, MatteInvalidError, SlotClosedError, VcamError
from vcam.pipeline.capture import Captured
from vcam.pipeline.intake import Intake, IntakePolicy, count_corrupt, open_intake
from vcam.pipeline.line import GAP_S, Line
from vcam.pipeline.outputs import Outputs
from vcam.pipeline.preparation import Preparation
from vcam.pipeline.snapshot import DropReason, EngineReason, Outcome, SafeReason, TakeoverState
from vcam.pipeline.statistics import Statistics
from vcam.pipeline.succession import Succession
from vcam.pipeline.wiring import Wiring
from vcam.pipeline.worker import RetryPolicy, Worker
from vcam.slot import LatestSlot
from vcam.stages import EngineInfo, FrameProcessor, Scene, Stage, StageTimes

_log = logging.getLogger(__name__)

_TAKE_TIMEOUT_S = 0.2
_ENGINE_BACKOFF_LIMIT_S = 8.0
_OPENINGS_LIMIT = 5
"""An engine that fails this often without one good frame between will not recover: the process ends."""
_FAILURES_BEFORE_REBUILD = 3
"""An engine that fails this often in a row is closed and opened anew."""
_TYPICAL_WEIGHT = 0.3
"""Of the newest frame in the running mean of how long a frame takes."""


@dataclass(frozen=True, slots=True)
class Control:
    """How the frame thread learns what is asked of it, at each moment anew: a copy could be older than what it copies.

    paused: no picture is to leave now. scene: the present one. write_safe: puts the SAFE card on every output.
    """

    paused: Callable[[], bool]
    scene: Callable[[], Scene]
    write_safe: Callable[[SafeReason], None]


class FrameLoop:
    """Owns decoders and processor; lives in its Worker's thread."""

    def __init__(
        self,
        wiring: Wiring,
        slot: LatestSlot[Captured],
        outputs: Outputs,
        statistics: Statistics,
        control: Control,
        *,
        on_end: Callable[[], None],
    ) -> None:
        self._wiring = wiring
        self._slot = slot
        self._outputs = outputs
        self._statistics = statistics
        self._control = control
        self._times = StageTimes()
        self._engine_failures = 0
        self._clock = wiring.policy.clock
        self.engine: EngineInfo | None = None
        self.engine_reason = EngineReason()
        self._preparation = Preparation()
        self._succession: Succession | None = None
        self._intake: Intake | None = None
        self._frame_since_s: float | None = None
        self._left = wiring.policy.frames
        self.typical_s = 0.0
        self.last_live_s: float | None = None
        self.failing: SafeReason | None = None
        self._learn_asked = False
        retry = RetryPolicy(wiring.policy.engine_retry_s, _ENGINE_BACKOFF_LIMIT_S, failures_limit=_OPENINGS_LIMIT)
        self.worker = Worker("vcam-frame", self._session, retry, on_end=on_end, on_failure=self._crashed)

    @property
    def busy_since_s(self) -> float | None:
        """Since when a thread is at its present frame; None while there is none."""
        intake = self._intake
        ahead_s = None if intake is None else intake.busy_since_s
        return min((since_s for since_s in (self._frame_since_s, ahead_s) if since_s is not None), default=None)

    @property
    def complete(self) -> bool:
        """Whether as many pictures were made as there were to be."""
        return self._left == 0

    @property
    def decoder(self) -> str | None:
        """See Snapshot, as the next three."""
        intake = self._intake
        return None if intake is None else intake.decoder

    @property
    def gpu_graph(self) -> bool | None:
        succession = self._succession
        return None if succession is None else succession.line.opened.gpu_graph()

    @property
    def takeover(self) -> TakeoverState:
        succession = self._succession
        return TakeoverState.NONE if succession is None else succession.state

    @property
    def plan_build_share(self) -> float | None:
        return self._preparation.plan_build_share

    def learn(self) -> bool:
        """Let the engine learn the empty room before the next frame; whether it is one that does."""
        succession = self._succession
        self._learn_asked = succession is not None and succession.line.opened.learn is not None
        return self._learn_asked

    def _session(self) -> None:
        policy, make_decoder = self._wiring.policy, self._wiring.make_decoder
        self._preparation = Preparation(lambda: self.worker.stopping, self._statistics.plan_built, clock=self._clock)
        try:
            line = Line(self._wiring.open_processor(self._preparation), make_decoder)
            with Succession(line, self._preparation, self._statistics, policy, make_decoder) as succession:
                self._succession = succession
                while self._work(succession):
                    succession.swap()
        finally:
            self.engine, self._succession, self._intake, self._frame_since_s = None, None, None, None

    def _work(self, succession: Succession) -> bool:
        """With the line that there is now, until a better one is ready (True) or all is done."""
        line, policy = succession.line, self._wiring.policy
        self._engine_failures = 0
        self.engine = line.processor.info
        self.engine_reason = EngineReason(line.opened.reason, line.opened.last_resort)
        _log.info("engine.ready", extra=_engine_facts(line.processor.info, line.opened.reason))
        how = IntakePolicy(every_frame=not policy.live, wanted=lambda: not self._control.paused(), clock=self._clock)
        with open_intake(line, self._slot, self._statistics, how) as intake:
            self._intake = intake
            return self._pump(succession, intake)

    def _pump(self, succession: Succession, intake: Intake) -> bool:
        while not self.worker.stopping and self._left != 0:
            if succession.ready:
                return True
            try:
                captured = self._take(intake)
            except TimeoutError:
                continue
            except SlotClosedError:
                return False
            if self._control.paused():
                continue
            scene = self._control.scene()
            began_s = self._frame_since_s = self._clock()
            outcome = self._one_frame(captured, scene, succession.line, intake)
            self._frame_since_s = None
            weight = _TYPICAL_WEIGHT if self.typical_s else 1.0
            self.typical_s += weight * (self._clock() - began_s - self.typical_s)
            if outcome is Outcome.LIVE:
                succession.shown(captured.frame, scene, self.typical_s)
            if outcome is not Outcome.DROPPED and self._left is not None:
                self._left -= 1
        return False

    def _take(self, intake: Intake) -> Captured:
        self._times.clear()
        with self._times.measure(Stage.CAPTURE_WAIT):
            return intake.take(_TAKE_TIMEOUT_S)

    def _one_frame(self, captured: Captured, scene: Scene, line: Line, intake: Intake) -> Outcome:
        """Show one frame, as LIVE or SAFE, or drop it."""
        if self._learn_asked:
            self._learn_asked = False
            if line.opened.learn is not None:
                line.opened.learn()
        try:
            outcome = self._live(captured, scene, line, intake)
        except DecodeError as error:
            count_corrupt(error, self._statistics)
            outcome = Outcome.DROPPED
        except EngineError as error:
            outcome = Outcome.SAFE
            self._engine_failed(error, line.processor)
        if outcome is Outcome.LIVE:
            self._engine_failures, self.failing = 0, None
            self.last_live_s = self._clock()
            self.worker.succeeded()
        latency_s = self._clock() - self._captured_s(captured)
        self._statistics.frame_done(outcome, self._times.seconds(), latency_s)
        return outcome

    def _live(self, captured: Captured, scene: Scene, line: Line, intake: Intake) -> Outcome:
        policy = self._wiring.policy
        line.follow(captured.frame.stamp)
        image = intake.picture(captured, self._times)
        if policy.preview_source:
            self._outputs.tap.source(image)
        images = line.processor.process(image, scene, self._times)
        if self._wiring.observer is not None:
            self._wiring.observer(image, line.processor, images)
        if not self._wanted(scene):
            return Outcome.DROPPED
        if policy.live and self._clock() - captured.received_s > policy.max_latency_s:
            self._statistics.dropped(DropReason.LATE)
            self.failing = SafeReason.LATE
            self._control.write_safe(SafeReason.LATE)
            return Outcome.SAFE
        with self._times.measure(Stage.WRITE):
            left = self._outputs.write(images, shows_room=scene.show_room, wanted=lambda: self._wanted(scene))
        if not left:
            return Outcome.DROPPED
        if not scene.show_room:
            self._outputs.tap.matte(line.processor.last_alpha)
        return Outcome.LIVE

    def _wanted(self, scene: Scene) -> bool:
        """Whether a picture with this scene may leave now; one that shows the room only while that is asked for."""
        hides_room = scene.show_room and not self._control.scene().show_room
        return not (self.worker.stopping or self._control.paused() or hides_room)

    def _engine_failed(self, error: EngineError, processor: FrameProcessor) -> None:
        self.failing = SafeReason.MATTE_INVALID if isinstance(error, MatteInvalidError) else SafeReason.ENGINE_ERROR
        self._control.write_safe(self.failing)
        self._engine_failures += 1
        _log.warning("engine.failed", extra={"problem": error.problem, "hint": error.hint, "reason": self.failing})
        if self._engine_failures >= _FAILURES_BEFORE_REBUILD or not error.retryable:
            raise error
        processor.reset()

    def _crashed(self, error: Exception) -> None:
        """The session ended by an error: cover the output at once, before anything is opened again."""
        if self.failing is None:
            self.failing = SafeReason.ENGINE_ERROR if isinstance(error, VcamError) else SafeReason.INTERNAL_ERROR
            if self._wiring.policy.live:  # in a file, a frame that failed is left out
                self._control.write_safe(self.failing)

    def _captured_s(self, captured: Captured) -> float:
        """When the light fell on the sensor, if the source keeps the clock's time; else when the frame reached us."""
        pts_s = captured.frame.stamp.pts_ns / 1e9
        plausible = self._wiring.policy.live and 0 <= captured.received_s - pts_s < GAP_S
        return pts_s if plausible else captured.received_s


def _engine_facts(info: EngineInfo, reason: str) -> dict[str, str]:
    return {
        "engine": info.engine,
        "model": info.model,
        "precision": info.precision,
        "size": str(info.size),
        "device": info.device,
        "reason": reason,
    }
