"""A supervised thread: its session is run again after a failure, until the failure is beyond repair."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from vcam.errors import VcamError

_log = logging.getLogger(__name__)

FAULT_HINT = "this is a fault in vcam: report it with its log"
_MOST_DOUBLINGS = 32
"""More never matter, and after a thousand the wait would be beyond what a float can hold."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How a failed session is repeated.

    backoff_s: wait before the next try; it doubles with each failure in a row up to backoff_limit_s.
    failures_limit: this many failures in a row, without a success between, are final (None: never).
    first_must_succeed: a failure before any success is final: at start-up the user wants the error, not a wait.
    """

    backoff_s: float
    backoff_limit_s: float
    failures_limit: int | None = None
    first_must_succeed: bool = False


class Worker:
    """Runs ``session`` in a named thread. A session that returns ends the worker; one that raises is repeated.

    Errors that are not retryable, and those beyond the policy, end the worker and are kept in ``failure``;
    ``last_error`` is the one that is being recovered from (None while it works). ``on_failure`` hears of each, in the
    worker's thread, ``on_end`` of the end; what ``on_failure`` raises ends the worker, too. What a session raises after
    ``stop`` is no failure: nobody waits for it. finished: a session returned.
    """

    def __init__(
        self,
        name: str,
        session: Callable[[], None],
        policy: RetryPolicy,
        *,
        on_end: Callable[[], None],
        on_failure: Callable[[Exception], None] = lambda error: None,
    ) -> None:
        self._session = session
        self._policy = policy
        self._on_end = on_end
        self._on_failure = on_failure
        self._stopping = threading.Event()
        self._nudged = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._failures = 0
        self._ever_succeeded = False
        self.finished = False
        self.failure: Exception | None = None
        self.last_error: Exception | None = None

    @property
    def name(self) -> str:
        return self._thread.name

    @property
    def stopping(self) -> bool:
        """The session should return soon."""
        return self._stopping.is_set()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def succeeded(self) -> None:
        """Called by the session once it works: failures are counted from here again."""
        self._failures = 0
        self._ever_succeeded = True
        self.last_error = None

    def stop(self) -> None:
        """Ask the session to end; returns at once."""
        self._stopping.set()
        self._nudged.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; False when the session did not return in time."""
        if self._thread.ident is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def wait(self, seconds: float) -> None:
        """Sleep inside the session, ended early by ``stop`` and ``nudge``, be it one that came before."""
        self._nudged.wait(seconds)
        if not self.stopping:
            self._nudged.clear()

    def nudge(self) -> None:
        """End the present ``wait``, or the next."""
        self._nudged.set()

    def _run(self) -> None:
        over = False
        try:
            while not over and not self._stopping.is_set():
                over = self._turn()
                if not over:
                    self._stopping.wait(self._backoff_s())
            over = True
        finally:
            if not over:  # by what is no Exception: a thread must not be gone without a word
                self.failure = VcamError(f"{self.name} has ended", hint=FAULT_HINT)
            self._on_end()

    def _turn(self) -> bool:
        """One session; whether it was the last."""
        error = _raised_by(self._session)
        if error is None:
            self.finished = True
            return True
        if self._stopping.is_set():
            _log.debug("worker.stopped", extra={"worker": self._thread.name, "problem": str(error)})
            return True
        if self._is_final(error):
            self.failure = error
        another = _raised_by(lambda: self._on_failure(error))
        if another is not None and self.failure is None:
            self.failure = another
        return self.failure is not None

    def _is_final(self, error: Exception) -> bool:
        self._failures += 1
        self.last_error = error
        final = (
            (isinstance(error, VcamError) and not error.retryable)
            or (self._policy.first_must_succeed and not self._ever_succeeded)
            or (self._policy.failures_limit is not None and self._failures >= self._policy.failures_limit)
        )
        facts: dict[str, str | int] = {"worker": self._thread.name, "problem": str(error), "failures": self._failures}
        if isinstance(error, VcamError):
            facts["hint"] = error.hint
        # A camera may be away for days: told at the 1st, 2nd, 4th, 8th ... failure. A final one is reported by whoever
        # ends the process.
        if not final and self._failures & (self._failures - 1) == 0:
            _log.warning("worker.retry", extra=facts, exc_info=fault(error))
        return final

    def _backoff_s(self) -> float:
        doublings = min(self._failures - 1, _MOST_DOUBLINGS)
        return min(self._policy.backoff_s * 2.0**doublings, self._policy.backoff_limit_s)


def told(error: Exception) -> dict[str, str]:
    """Problem and hint, as fields of the log."""
    return {"problem": str(error), "hint": error.hint if isinstance(error, VcamError) else FAULT_HINT}


def fault(error: Exception) -> Exception | None:
    """For a log's exc_info: where a fault in vcam happened is told, where a camera could not be opened is of no use."""
    return None if isinstance(error, VcamError) else error


def _raised_by(call: Callable[[], None]) -> Exception | None:
    try:
        call()
    except Exception as error:  # noqa: BLE001  the supervisor's one broad except: any fault becomes SAFE, then a retry
        return error
    return None
