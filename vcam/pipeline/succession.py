"""The line that works now, and the better one that is made ready beside it: opened, warmed, swapped in, or given up.

The newcomer lives in a thread of its own, "vcam-upgrade". It is given live frames, as encoded, and decodes and
processes them there; what it makes of them goes nowhere but into the rule of takeover. So however slow it is, and
whatever happens to it, the frame thread is not held up: it only computes its own alpha for those frames, after its
picture has left. Where the processor is short, the newcomer sees fewer frames, and viewers a lower rate for them.
"""

import logging
import math
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import cycle
from types import MappingProxyType, TracebackType
from typing import Self

from vcam.errors import DecodeError, SlotClosedError, VcamError
from vcam.frame import EncodedFrame, Image, Plane, Stamp, VideoFormat, allocate_planes
from vcam.pipeline.line import Line
from vcam.pipeline.preparation import Preparation
from vcam.pipeline.snapshot import TakeoverOutcome, TakeoverState
from vcam.pipeline.statistics import Statistics
from vcam.pipeline.takeover import Seen, TakeoverRule, Verdict, mean_alpha, mean_difference
from vcam.pipeline.wiring import DecoderFactory, Policy, ProcessorFactory
from vcam.pipeline.worker import RetryPolicy, Worker, fault, told
from vcam.slot import LatestSlot
from vcam.stages import EngineInfo, Scene, StageTimes

_log = logging.getLogger(__name__)

_TAKE_TIMEOUT_S = 0.2
_BACKOFF_LIMIT_S = 300.0
_ATTEMPTS = 6
_JOIN_LIMIT_S = 0.5
"""A build ends at once when it is cancelled; a library that is just being loaded cannot be stopped, and is left."""

_REFUSALS = MappingProxyType(
    {
        Verdict.DISAGREES: (
            "the matte of {engine} never came near that of the running engine, which goes on",
            "vcam model verify; then delete the plans in plan_dir, or set fp16 = false; engine = names one for good",
        ),
        Verdict.SLOWER: (
            "{engine} is slower than the running engine, which goes on",
            "see with nvidia-smi what else uses the GPU; vcam bench measures; engine = names one for good",
        ),
    }
)
"""Problem and hint."""


@dataclass(frozen=True, slots=True)
class _Sample:
    """A frame that the running line has shown. alpha: (H, W) uint8, None where mattes are not compared.

    limit_s: a newcomer that takes longer for it is no gain.
    """

    frame: EncodedFrame
    scene: Scene
    alpha: Plane | None
    limit_s: float


class Succession:
    """Owns the lines while entered. All but ``state`` is for the frame thread."""

    def __init__(
        self,
        line: Line,
        preparation: Preparation,
        statistics: Statistics,
        policy: Policy,
        make_decoder: DecoderFactory,
    ) -> None:
        self.line = line
        self.state = TakeoverState.NONE
        self._preparation = preparation
        self._statistics = statistics
        self._policy = policy
        self._make_decoder = make_decoder
        self._samples: LatestSlot[_Sample] = LatestSlot()
        self._wants_sample = False
        self._compares = False
        self._at_work: EngineInfo | None = None
        self._changed = threading.Condition()
        self._newcomer: Line | None = None
        self._retired: Line | None = None
        retry = RetryPolicy(policy.upgrade_retry_s, _BACKOFF_LIMIT_S, failures_limit=_ATTEMPTS)
        self._worker = Worker("vcam-upgrade", self._session, retry, on_end=self._ended, on_failure=self._failed)

    def __enter__(self) -> Self:
        """Open the first line. Raises what that raises."""
        self.line.__enter__()
        self._at_work = self.line.processor.info
        if self.line.opened.successor is not None:
            self.state = TakeoverState.PREPARING
            self._worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Give up what is being prepared, and close the line at work."""
        self._preparation.cancel()
        self._worker.stop()
        self._samples.close()
        with self._changed:
            self._changed.notify_all()
        if not self._worker.join(_JOIN_LIMIT_S):
            _log.warning("worker.left_behind", extra={"worker": self._worker.name})
        self.line.__exit__(kind, error, trace)

    @property
    def ready(self) -> bool:
        """Whether a newcomer waits for ``swap``. To be asked between two frames."""
        return self._newcomer is not None

    def swap(self) -> None:
        """Put the newcomer to work; the old line is closed by the thread that made the new one."""
        with self._changed:
            if self._newcomer is None:
                return
            self._retired, self.line, self._newcomer = self.line, self._newcomer, None
            self._at_work, self.state = self.line.processor.info, TakeoverState.DONE
            self._changed.notify_all()
        self._statistics.takeover(TakeoverOutcome.SWAPPED)

    def shown(self, frame: EncodedFrame, scene: Scene, typical_s: float) -> None:
        """The line has shown this frame, and takes ``typical_s`` for one. A newcomer that waits for one gets it; else
        this costs nothing.

        One that is to be compared waits longer while the room is shown: there is no matte then.
        """
        if not self._wants_sample or (self._compares and scene.show_room):
            return
        self._wants_sample = False
        alpha = self.line.processor.last_alpha() if self._compares else None
        self._samples.put(_Sample(frame, scene, alpha, max(self._policy.frame_interval_s, typical_s)))

    def _session(self) -> None:
        """As long as the line at work has a successor; again after a failure."""
        try:
            while (successor := self.line.opened.successor) is not None and self._prepare(successor):
                pass
        except (SlotClosedError, VcamError):
            if not self._preparation.cancelled:
                raise

    def _prepare(self, successor: ProcessorFactory) -> bool:
        """Whether it took over."""
        self._retired, self.state = None, TakeoverState.PREPARING
        with ExitStack() as stack:
            newcomer = stack.enter_context(Line(successor(self._preparation), self._make_decoder))
            if self._preparation.cancelled or not self._warm(newcomer):
                return False
            retired = self._hand_over(newcomer)
            if retired is None:
                return False
            stack.pop_all()  # the newcomer is the frame thread's now; what it left is ours
            stack.push(retired)
            self._worker.succeeded()
            return True

    def _warm(self, newcomer: Line) -> bool:
        """Let the newcomer see what viewers see, until it may take over (True) or is known to be no good."""
        new, old = newcomer.processor.info, self._at_work
        self._compares = old is not None and new.model == old.model
        self.state = TakeoverState.WARMING
        _log.info("takeover.warming", extra={"engine": new.engine, "compared": self._compares})
        rule, trial = TakeoverRule(self._policy.takeover), _Trial(newcomer, self._policy.clock)
        verdict = Verdict.WARMING
        while verdict is Verdict.WARMING:
            verdict = rule.judge(trial.see(self._next_sample()))
        facts = {"engine": new.engine, "frames": rule.frames}
        if rule.last_difference is not None:
            facts["difference"] = f"{rule.last_difference:.4f}"
        if verdict is Verdict.READY:
            _log.info("takeover.ready", extra=facts)
            return True
        self._give_up(TakeoverOutcome.DISAGREED)
        problem, hint = _REFUSALS[verdict]
        told = {"problem": problem.format(engine=new.engine), "hint": hint}
        _log.error("takeover.refused", extra={**told, **facts})
        return False

    def _next_sample(self) -> _Sample:
        """Raises SlotClosedError when nothing is to be prepared any more."""
        self._wants_sample = True
        while True:
            try:
                return self._samples.take(_TAKE_TIMEOUT_S)
            except TimeoutError:
                if self._worker.stopping:
                    raise SlotClosedError from None

    def _hand_over(self, newcomer: Line) -> Line | None:
        """Wait for the frame thread to take it; the line it replaced, None when the pipeline ends instead."""
        with self._changed:
            self._newcomer = newcomer
            self._changed.wait_for(lambda: self._retired is not None or self._worker.stopping)
            self._newcomer = None
            return self._retired

    def _give_up(self, outcome: TakeoverOutcome) -> None:
        self.state = TakeoverState.GIVEN_UP
        self._statistics.takeover(outcome)

    def _failed(self, error: Exception) -> None:
        """Told in the log by the Worker, but for the last time."""
        self._wants_sample = False
        if self._retired is None:
            self._statistics.takeover(TakeoverOutcome.FAILED)

    def _ended(self) -> None:
        error = self._worker.failure
        if error is None:
            return
        if self._retired is None:
            self.state = TakeoverState.GIVEN_UP
        facts = {**told(error), "goes_on": "" if self._at_work is None else self._at_work.engine}
        _log.error("takeover.failed", extra=facts, exc_info=fault(error))


class _Trial:
    """Shows frames to a newcomer. Its pictures are composed like real ones, before black."""

    def __init__(self, newcomer: Line, clock: Callable[[], float]) -> None:
        self._line = newcomer
        self._clock = clock
        self._decoders = cycle(newcomer.decoders)  # so that each has its memory before it counts
        self._backdrop = _Black()
        self._times = StageTimes()

    def see(self, sample: _Sample) -> Seen:
        """Show it the frame. Raises EngineError."""
        began_s = self._clock()
        self._times.clear()
        self._line.follow(sample.frame.stamp)
        try:
            image = next(self._decoders).decode(sample.frame)
        except DecodeError:  # the running line could decode it
            return Seen(math.inf)
        # Its matte is not trusted yet: it must not steer what viewers see.
        unseen = replace(sample.scene, show_room=False, framing=replace(sample.scene.framing, auto=False), layers=())
        self._line.processor.process(image, replace(unseen, backdrop=self._backdrop), self._times)
        if sample.alpha is None:
            return Seen(None)
        pace = (self._clock() - began_s) / sample.limit_s
        return Seen(mean_difference(sample.alpha, self._line.processor.last_alpha()), mean_alpha(sample.alpha), pace)


class _Black:
    """Satisfies Backdrop, for pictures that nobody sees: the scene's own serves one thread."""

    def __init__(self) -> None:
        self._pictures: dict[VideoFormat, Image] = {}

    def render(self, target: VideoFormat, pts_ns: int) -> Image:
        if target not in self._pictures:
            self._pictures[target] = Image(allocate_planes(target)[1], target, Stamp(pts_ns, 0))
        return self._pictures[target]
