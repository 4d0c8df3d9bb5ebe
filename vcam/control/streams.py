"""Answers without an end: how many there may be, and how they all end when the server does."""

from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from vcam.control.refusal import busy


class Audience:
    """Who listens or looks. Used in one event loop; ``close`` by any thread. most: more are refused."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.closed = False
        self.count = 0

    def admit(self, pieces: AsyncIterator[bytes], kind: str) -> StreamingResponse:
        """An answer that counts as long as it lasts, however it ends. Raises RefusedError (429)."""
        if self.count >= self._most:
            raise busy(f"{self._most} others look already", hint="close a page that shows vcam", wait_s=5.0)
        return _Stream(self, pieces, kind)

    def close(self) -> None:
        """Whoever makes the pieces looks at ``closed`` and ends."""
        self.closed = True


class _Stream(StreamingResponse):
    def __init__(self, audience: Audience, pieces: AsyncIterator[bytes], kind: str) -> None:
        super().__init__(pieces, media_type=kind)
        self._audience = audience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._audience.count += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._audience.count -= 1
