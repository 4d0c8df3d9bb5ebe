"""The frame thread: newest frame in, matted picture out, or the SAFE card. Never anything between.

A frame is written as LIVE only when the processor returned it without an error and it is not late; the processor in
turn composes only with a finite matte of that very frame.
"""

import logging
from collections.abc import Callable
from contextlib import ExitStack

from vcam.errors import DecodeError, EngineError, MatteInvalidError, SlotClosedError
from vcam.frame import EncodedFrame, Stamp, VideoFormat
from vcam.pipeline.capture import Captured
from vcam.pipeline.outputs import Outputs
from vcam.pipeline.snapshot import DropReason, Outcome, SafeReason
from vcam.pipeline.statistics import Statistics
from vcam.pipeline.wiring import Wiring
from vcam.pipeline.worker import RetryPolicy, Worker
from vcam.slot import LatestSlot
from vcam.stages import Decoder, EngineInfo, FrameProcessor, Scene, Stage, StageTimes

_log = logging.getLogger(__name__)

_TAKE_TIMEOUT_S = 0.2
_ENGINE_BACKOFF_LIMIT_S = 8.0
_OPENINGS_LIMIT = 5
"""An engine that fails this often without one good frame between will not recover: the process ends."""
_FAILURES_BEFORE_REBUILD = 3
"""An engine that fails this often in a row is closed and opened anew."""
_TYPICAL_WEIGHT = 0.3
"""Of the newest frame in the running mean of how long a frame takes."""
_GAP_S = 0.5
"""A pause longer than this makes the recurrent state worthless: people move on in half a second."""


class FrameLoop:
    """Owns decoder and processor; lives in its Worker's thread.

    write_safe: puts the SAFE card on every output.
    """

    def __init__(
        self,
        wiring: Wiring,
        slot: LatestSlot[Captured],
        outputs: Outputs,
        statistics: Statistics,
        *,
        write_safe: Callable[[SafeReason], None],
        on_end: Callable[[], None],
    ) -> None:
        self._wiring = wiring
        self._slot = slot
        self._outputs = outputs
        self._statistics = statistics
        self._write_safe = write_safe
        self._times = StageTimes()
        self._decoder: Decoder | None = None
        self._decoder_format: VideoFormat | None = None
        self._last: Stamp | None = None
        self._engine_failures = 0
        self._clock = wiring.policy.clock
        self.scene: Scene = wiring.scene
        self.paused = False
        self.engine: EngineInfo | None = None
        self.engine_reason = ""
        self.busy_since_s: float | None = None
        self.typical_s = 0.0
        self.last_live_s: float | None = None
        self.failing: SafeReason | None = None
        retry = RetryPolicy(wiring.policy.engine_retry_s, _ENGINE_BACKOFF_LIMIT_S, failures_limit=_OPENINGS_LIMIT)
        self.worker = Worker("vcam-frame", self._session, retry, on_end=on_end, on_failure=self._crashed)

    def _session(self) -> None:
        self.engine, self._last, self._engine_failures = None, None, 0
        try:
            opened = self._wiring.open_processor()
            with ExitStack() as stack:
                processor = stack.enter_context(opened.processor)
                self._decoder, self._decoder_format = None, None
                stack.callback(self._close_decoder)
                self.engine, self.engine_reason = processor.info, opened.reason
                _log.info("engine.ready", extra=_engine_facts(processor.info, opened.reason))
                self._pump(processor)
        finally:
            self.engine, self.busy_since_s = None, None

    def _pump(self, processor: FrameProcessor) -> None:
        left = self._wiring.policy.frames
        while not self.worker.stopping and left != 0:
            try:
                captured = self._take()
            except TimeoutError:
                continue
            except SlotClosedError:
                return
            if self.paused:
                continue
            began_s = self.busy_since_s = self._clock()
            shown = self._one_frame(captured, processor)
            self.busy_since_s = None
            weight = _TYPICAL_WEIGHT if self.typical_s else 1.0
            self.typical_s += weight * (self._clock() - began_s - self.typical_s)
            if shown and left is not None:
                left -= 1

    def _take(self) -> Captured:
        self._times.clear()
        with self._times.measure(Stage.CAPTURE_WAIT):
            return self._slot.take(_TAKE_TIMEOUT_S)

    def _one_frame(self, captured: Captured, processor: FrameProcessor) -> bool:
        """Show one frame, as LIVE or SAFE; False when it was dropped."""
        try:
            outcome = self._live(captured, processor)
        except DecodeError as error:
            _log.warning("frame.corrupt", extra={"problem": error.problem})
            self._statistics.dropped(DropReason.CORRUPT)
            outcome = Outcome.DROPPED
        except EngineError as error:
            outcome = Outcome.SAFE
            self._engine_failed(error, processor)
        if outcome is Outcome.LIVE:
            self._engine_failures, self.failing = 0, None
            self.last_live_s = self._clock()
            self.worker.succeeded()
        latency_s = self._clock() - self._captured_s(captured)
        self._statistics.frame_done(outcome, self._times.seconds(), latency_s)
        return outcome is not Outcome.DROPPED

    def _live(self, captured: Captured, processor: FrameProcessor) -> Outcome:
        policy = self._wiring.policy
        frame = captured.frame
        self._forget_after_gap(frame.stamp, processor)
        decoder = self._decoder_for(frame)
        with self._times.measure(Stage.DECODE):
            image = decoder.decode(frame)
        images = processor.process(image, self.scene, self._times)
        if self._wiring.observer is not None:
            self._wiring.observer(image, processor, images)
        if self.worker.stopping or self.paused:
            return Outcome.DROPPED
        if policy.live and self._clock() - captured.received_s > policy.max_latency_s:
            self._statistics.dropped(DropReason.LATE)
            self.failing = SafeReason.LATE
            self._write_safe(SafeReason.LATE)
            return Outcome.SAFE
        with self._times.measure(Stage.WRITE):
            self._outputs.write(images)
        return Outcome.LIVE

    def _engine_failed(self, error: EngineError, processor: FrameProcessor) -> None:
        self.failing = SafeReason.MATTE_INVALID if isinstance(error, MatteInvalidError) else SafeReason.ENGINE_ERROR
        self._write_safe(self.failing)
        self._engine_failures += 1
        _log.warning("engine.failed", extra={"problem": error.problem, "hint": error.hint, "reason": self.failing})
        if self._engine_failures >= _FAILURES_BEFORE_REBUILD or not error.retryable:
            raise error
        processor.reset()

    def _crashed(self, error: Exception) -> None:
        """The session ended by an error: cover the output at once, before anything is opened again."""
        if self.failing is None:
            self.failing = SafeReason.ENGINE_ERROR if isinstance(error, EngineError) else SafeReason.INTERNAL_ERROR
            if self._wiring.policy.live:  # in a file, a frame that failed is left out
                self._write_safe(self.failing)

    def _forget_after_gap(self, stamp: Stamp, processor: FrameProcessor) -> None:
        last, self._last = self._last, stamp
        if last is not None and (stamp.epoch != last.epoch or stamp.pts_ns - last.pts_ns > _GAP_S * 1e9):
            processor.reset()

    def _decoder_for(self, frame: EncodedFrame) -> Decoder:
        """The decoder of this format; a camera may come back with another one."""
        if self._decoder is None or frame.format != self._decoder_format:
            self._close_decoder()
            self._decoder = self._wiring.make_decoder(frame.format).__enter__()
            self._decoder_format = frame.format
        return self._decoder

    def _close_decoder(self) -> None:
        if self._decoder is not None:
            self._decoder.__exit__(None, None, None)
            self._decoder = None

    def _captured_s(self, captured: Captured) -> float:
        """When the light fell on the sensor, if the source keeps the clock's time; else when the frame reached us."""
        pts_s = captured.frame.stamp.pts_ns / 1e9
        plausible = self._wiring.policy.live and 0 <= captured.received_s - pts_s < _GAP_S
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
