"""A pipeline at work: it runs in a thread of its own while the main thread waits for signals and keeps the display."""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from vcam.cli.signals import NEXT_PROFILE, PAUSE, RELOAD, SignalBox

SEEN_S, UNSEEN_S = 0.1, 1.0
"""How often a display is kept that somebody sees, or nobody."""


class Runnable(Protocol):
    """What a session needs of a Pipeline."""

    def run(self) -> None: ...

    def stop(self) -> None: ...


def _nothing() -> None:
    """What is not asked for does not happen."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """Called in the main thread. tick: each ``every_s`` seconds. The others on SIGHUP (but see SignalBox), SIGUSR1 and
    SIGUSR2."""

    tick: Callable[[], object]
    reload: Callable[[], None]
    next_profile: Callable[[], None] = _nothing
    pause: Callable[[], None] = _nothing
    every_s: float = SEEN_S


def supervise(pipeline: Runnable, signals: SignalBox, hooks: Hooks) -> signal.Signals | None:
    """Run until the source ends, an error, or a signal, which is returned. Raises what ``pipeline.run`` raises."""
    stopped_by: signal.Signals | None = None
    asked = {RELOAD: hooks.reload, NEXT_PROFILE: hooks.next_profile, PAUSE: hooks.pause}
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="vcam-supervisor") as threads:
        running = threads.submit(pipeline.run)
        running.add_done_callback(lambda _: signals.wake())
        try:
            while not running.done():
                arrived = signals.wait(hooks.every_s)
                if signals.stops(arrived):
                    stopped_by = arrived
                    pipeline.stop()
                    signals.kill_next_time()
                elif arrived in asked:
                    asked[arrived]()
                hooks.tick()
        finally:
            pipeline.stop()
    running.result()
    return stopped_by
