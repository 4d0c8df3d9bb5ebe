"""A connection that has an end, whatever the other side does or leaves undone.

uvicorn's own clock starts with an answer: who never asks, asks byte by byte or does not read would keep a descriptor,
and asyncio spins where there are none left to accept with.
"""

import asyncio
import math
import socket

from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE_S = 10.0
"""So long a question may take to arrive (its body has a limit of its own), and so long an answer may lie unread."""
MOST_CONNECTIONS = 128
_UNREAD_BYTES = 1 << 15


class Connection(H11Protocol):
    """One of a server. uvicorn makes it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.silence, self._stall = _Limit(self.loop, transport), _Limit(self.loop, transport)
        # So that we are told, and soon, of what is not read: the kernel alone would take minutes of small pictures.
        transport.set_write_buffer_limits(high=0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNREAD_BYTES)
        self.silence.start()
        if len(self.connections) > MOST_CONNECTIONS:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:  # type: ignore[redundant-expr]  # None before the first
            self.silence.start()
        else:
            self.silence.stop()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall.start()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stall.stop()

    def connection_lost(self, exc: Exception | None) -> None:
        self.silence.stop()
        self._stall.stop()
        super().connection_lost(exc)

    def _make_room(self) -> None:
        """Whoever has said nothing for longest goes: a crowd of them must not keep out who asks at once."""
        gone = min((each for each in self.connections if isinstance(each, Connection)), key=_silent_until_s)
        gone.transport.abort()
        self.connections.discard(gone)  # as it does itself in a moment: until then it must not be chosen again


def _silent_until_s(each: Connection) -> float:
    return each.silence.ends_s


class _Limit:
    """Cuts the connection off when its time is over; one that runs is not started anew."""

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        self._loop = loop
        self._transport = transport
        self._timer: asyncio.TimerHandle | None = None

    @property
    def ends_s(self) -> float:
        """By the loop's clock; never, where it does not run."""
        return math.inf if self._timer is None else self._timer.when()

    def start(self) -> None:
        self._timer = self._timer or self._loop.call_later(PATIENCE_S, self._transport.abort)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
