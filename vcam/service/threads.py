"""Work of a request that takes its time, in a thread that nothing waits for when vcam ends."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Its result; raises what it raises. A request that is cancelled leaves it behind.

    Those of the standard library and of anyio are joined when the interpreter ends: a hung disk would keep it alive.
    There are no more threads than connections.
    """
    done: Future[T] = Future()

    def run() -> None:
        with _Told(done):
            done.set_result(work(*arguments, **named))

    done.set_running_or_notify_cancel()
    threading.Thread(target=run, name="vcam-request", daemon=True).start()
    return await asyncio.wrap_future(done)


class _Told(AbstractContextManager[None], Generic[T]):
    """What is raised in it is the result."""

    def __init__(self, done: "Future[T]") -> None:
        self._done = done

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is not None:
            self._done.set_exception(error)
        return error is not None
