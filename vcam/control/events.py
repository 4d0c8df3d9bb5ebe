"""State and figures as server-sent events: at once when something changes, else once a second."""

import asyncio
import time
from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse

from vcam.control.endpoint import EVENT_STREAM
from vcam.control.state import Teller
from vcam.control.streams import Audience

MOST_LISTENERS = 16
EVERY_S = 1.0
_LOOK_S = 0.1


class Events:
    """Used in one event loop; ``close`` by any thread."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._audience = Audience(MOST_LISTENERS)

    @property
    def listeners(self) -> int:
        return self._audience.count

    def stream(self) -> StreamingResponse:
        """An answer without an end. Raises RefusedError (429)."""
        return self._audience.admit(self._pieces(), EVENT_STREAM)

    def close(self) -> None:
        """End all streams, within a tenth of a second."""
        self._audience.close()

    async def texts(self) -> AsyncIterator[str]:
        """Events in their wire format."""
        last_key, last_s = None, -EVERY_S
        while not self._audience.closed:
            key, now_s = self._teller.key(), time.monotonic()
            if key != last_key or now_s - last_s >= EVERY_S:
                last_key, last_s = key, now_s
                yield f"event: state\ndata: {self._teller.state().model_dump_json()}\n\n"
            await asyncio.sleep(_LOOK_S)

    async def _pieces(self) -> AsyncIterator[bytes]:
        async for text in self.texts():
            yield text.encode()
