"""State and figures as server-sent events: at once when something changes, else once a second."""

import asyncio
import time
from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from vcam.control.refusal import busy
from vcam.control.state import Teller

MOST_LISTENERS = 16
EVERY_S = 1.0
_LOOK_S = 0.1


class Events:
    """Used in one event loop; ``close`` by any thread."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._closed = False
        self.listeners = 0

    def stream(self) -> StreamingResponse:
        """An answer without an end. Raises RefusedError (429)."""
        if self.listeners >= MOST_LISTENERS:
            raise busy(f"{MOST_LISTENERS} others listen already", hint="close a page that shows vcam", wait_s=5.0)
        return _Stream(self)

    def close(self) -> None:
        """End all streams, within a tenth of a second."""
        self._closed = True

    async def texts(self) -> AsyncIterator[str]:
        """Events in their wire format."""
        last_key, last_s = None, -EVERY_S
        while not self._closed:
            key, now_s = self._teller.key(), time.monotonic()
            if key != last_key or now_s - last_s >= EVERY_S:
                last_key, last_s = key, now_s
                yield f"event: state\ndata: {self._teller.state().model_dump_json()}\n\n"
            await asyncio.sleep(_LOOK_S)


class _Stream(StreamingResponse):
    """Counts itself among the listeners as long as it lasts, however it ends."""

    def __init__(self, events: Events) -> None:
        super().__init__(events.texts(), media_type="text/event-stream")
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._events.listeners += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._events.listeners -= 1
