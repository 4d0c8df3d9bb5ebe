"""How log records leave: one line each to stderr, for people or for machines, and no event more than once a second.

A record's message is a constant event (``camera.opened``); what is special about it stands in ``extra``.
"""

import json
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from types import MappingProxyType

_OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; all else is a fact from ``extra``."""

_TEXT_OF_ERRORS = frozenset({"problem", "hint"})
_STATE_EVENT = "pipeline.state"
_EVENTS_LIMIT = 256

OUR_LOGGER = "vcam"

_COLOURS = MappingProxyType({"WARNING": "\033[33m", "ERROR": "\033[31m", "CRITICAL": "\033[31m"})
_PLAIN = "\033[0m"


def configure(level: str, style: str) -> None:
    """Send all records to stderr. level: of vcam's own, others' from WARNING on; style: console or json.

    May be called again to change either.
    """
    handler = StderrHandler()
    handler.setFormatter(JsonFormatter() if style == "json" else ConsoleFormatter(colour=sys.stderr.isatty()))
    handler.addFilter(RateLimit())
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each, StderrHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    logging.getLogger(OUR_LOGGER).setLevel(level.upper())


class StderrHandler(logging.Handler):
    """Writes to whatever sys.stderr is at that moment, so that a progress bar can stay below the lines."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except OSError:  # whoever read our stderr is gone; there is nobody left to tell
            return


class RateLimit(logging.Filter):
    """Lets the same event through once per interval; the next one bears the count of ``suppressed`` ones.

    Events are the same when their names and the facts that identify a thing (texts, but for those of errors) are: two
    outputs that fail are two events, a thousand corrupt frames are one. A change of state is never held back: the last
    that the log tells is the one that is so. clock: seconds, monotonic.
    """

    def __init__(self, interval_s: float = 1.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._interval_s = interval_s
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, ...], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.msg == _STATE_EVENT:
            return True
        key = (record.name, record.levelname, str(record.msg), *_identity(record))
        with self._lock:
            suppressed = self._let_through(key, self._clock())
        if suppressed:
            record.suppressed = suppressed
        return suppressed is not None

    def _let_through(self, key: tuple[str, ...], now_s: float) -> int | None:
        """How many like it were held back before; None when this one is, too."""
        last_s, suppressed = self._seen.pop(key, (now_s - self._interval_s, 0))
        if now_s - last_s < self._interval_s:
            self._seen[key] = (last_s, suppressed + 1)
            return None
        if len(self._seen) >= _EVENTS_LIMIT:
            del self._seen[next(iter(self._seen))]
        self._seen[key] = (now_s, 0)
        return suppressed


class ConsoleFormatter(logging.Formatter):
    """``12:00:00.123 INFO  camera.opened  device=/dev/video0 mode="MJPG 1280x720"``"""

    def __init__(self, *, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S.%f")[:-3]
        level = f"{record.levelname:<7}"
        if self._colour and record.levelname in _COLOURS:
            level = f"{_COLOURS[record.levelname]}{level}{_PLAIN}"
        facts = " ".join(f"{key}={_quoted(value)}" for key, value in facts_of(record).items())
        return "  ".join(part for part in (f"{at} {level} {record.getMessage()}", facts) if part) + _trace(record, "\n")


class JsonFormatter(logging.Formatter):
    """One object a line: time (UTC, ISO 8601), level, event, logger, the facts, and ``exception`` if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
            **facts_of(record),
        }
        if trace := _trace(record):
            line["exception"] = trace
        return json.dumps(line, default=str, ensure_ascii=False)


def facts_of(record: logging.LogRecord) -> dict[str, object]:
    """What was given as ``extra``, in its order."""
    return {key: value for key, value in vars(record).items() if key not in _OWN_FIELDS}


def _identity(record: logging.LogRecord) -> tuple[str, ...]:
    facts = facts_of(record).items()
    return tuple(f"{key}={value}" for key, value in facts if isinstance(value, str) and key not in _TEXT_OF_ERRORS)


def _trace(record: logging.LogRecord, before: str = "") -> str:
    if not record.exc_info or record.exc_info[1] is None:
        return ""
    return before + "".join(traceback.format_exception(record.exc_info[1])).rstrip()


def _quoted(value: object) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return json.dumps(text, ensure_ascii=False) if not text or any(c in text for c in ' "=\n') else text
