"""Tells systemd how vcam fares: ready, what it shows, and a sign of life while pictures leave. See sd_notify(3).

Without systemd (no NOTIFY_SOCKET) nothing is sent and no thread runs.
"""

import logging
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Self

from vcam.pipeline.snapshot import Snapshot, State
from vcam.service.liveness import Liveness

_log = logging.getLogger(__name__)

_STATUS_EVERY_S = 5.0
_SIGNS_PER_LIMIT = 4
"""So often within systemd's limit: a busy machine may be late for one or two."""
_US_PER_S = 1e6
_STOP_LIMIT_S = 0.9


def notifier(snapshot: Callable[[], Snapshot], environ: Mapping[str, str]) -> AbstractContextManager[object]:
    """Reports while entered, where systemd waits for it; entering says that vcam is ready."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return nullcontext()
    limit = environ.get("WATCHDOG_USEC", "")
    watchdog_s = int(limit) / _US_PER_S if limit.isdigit() and int(limit) else None
    return Notifier(snapshot, Messages(address), watchdog_s=watchdog_s)


class Messages:
    """Datagrams to systemd. address: NOTIFY_SOCKET's; ``@`` stands for the abstract namespace's zero byte."""

    def __init__(self, address: str) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address

    def send(self, *lines: str) -> None:
        """A message that cannot be sent is logged: systemd will draw its own conclusion."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
                out.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            _log.warning("systemd.unreachable", extra={"problem": error.strerror or str(error)})


class Notifier:
    """A thread that reports now and then. watchdog_s: systemd kills vcam after so long without a sign of life."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        messages: Messages,
        *,
        watchdog_s: float | None = None,
        liveness: Liveness | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._messages = messages
        self._watched = watchdog_s is not None
        self._every_s = min(_STATUS_EVERY_S, (watchdog_s or _STATUS_EVERY_S) / _SIGNS_PER_LIMIT)
        self._liveness = liveness or Liveness()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._messages.send("READY=1")
        self._thread = threading.Thread(target=self._run, name="vcam-systemd", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stop.set()
            thread.join(_STOP_LIMIT_S)
            self._messages.send("STOPPING=1")

    def report(self) -> None:
        """One message: what viewers see, and the sign of life if pictures leave."""
        now = self._snapshot()
        sign = ("WATCHDOG=1",) if self._watched and self._liveness.well(now) else ()
        self._messages.send(f"STATUS={_status(now)}", *sign)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.report()
            self._stop.wait(self._every_s)


def _status(now: Snapshot) -> str:
    """The line that ``systemctl status`` shows."""
    engine = "no engine yet" if now.engine is None else f"{now.engine.engine} at {now.engine.size}"
    if now.state is State.LIVE:
        return f"live, {now.fps:.1f} fps, {engine}"
    return f"{now.state}{f' ({now.safe_reason})' if now.safe_reason else ''}, {engine}"
