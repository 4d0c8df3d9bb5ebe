"""What viewers see, as JPEG: taken when somebody asks, encoded once for all who ask at the same time."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from io import BytesIO
from typing import Generic, TypeVar

from PIL import Image as Pillow
from starlette.concurrency import run_in_threadpool

from vcam import native
from vcam.control.refusal import RefusedError, conflict
from vcam.frame import Image, PixelFormat, Plane, VideoFormat, allocate_planes
from vcam.pipeline.supervisor import Pipeline
from vcam.pipeline.tap import Tray

T = TypeVar("T")

WAIT_S = 2.0
_QUALITY = 85


class Preview:
    """Used in one event loop."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._pictures = _Shots(pipeline.tap.pictures, picture_jpeg)
        self._mattes = _Shots(pipeline.tap.mattes, matte_jpeg)

    async def jpeg(self, *, matte: bool) -> bytes:
        """The next picture that leaves, or the next matte. Raises RefusedError: none comes, or the room is shown."""
        if self._pipeline.scene.show_room:
            raise conflict(
                "the room is shown as it is, and the camera's own picture is never given out here",
                hint="show another background than `none`",
            )
        try:
            return await (self._mattes.next() if matte else self._pictures.next())
        except TimeoutError:
            raise RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"no {'matte' if matte else 'picture'} was made within {WAIT_S:g} s",
                hint="GET /api/v1/state says why: paused, idle, no camera, or still starting",
            ) from None


class _Shots(Generic[T]):
    def __init__(self, tray: Tray[T], encode: Callable[[T], bytes]) -> None:
        self._tray = tray
        self._encode = encode
        self._taking: asyncio.Task[bytes] | None = None

    async def next(self) -> bytes:
        """Raises TimeoutError. One who goes away spoils nothing for those who wait for the same shot."""
        if self._taking is None or self._taking.done():
            self._taking = asyncio.create_task(self._take())
            self._taking.add_done_callback(_noticed)
        return await asyncio.shield(self._taking)

    async def _take(self) -> bytes:
        item = await asyncio.wait_for(asyncio.wrap_future(self._tray.ask()), WAIT_S)
        return await run_in_threadpool(self._encode, item)


def _noticed(task: asyncio.Task[bytes]) -> None:
    """Those who waited may all have gone; then nobody else asks how it ended."""
    if not task.cancelled():
        task.exception()


def picture_jpeg(image: Image) -> bytes:
    """Of an output's picture."""
    rgb = VideoFormat(PixelFormat.RGB24, image.format.width, image.format.height)
    _, planes = allocate_planes(rgb)
    native.convert(image, planes, rgb)
    return _jpeg(planes[0].reshape(rgb.height, rgb.width, 3))


def matte_jpeg(alpha: Plane) -> bytes:
    """White is the person. alpha: (H, W)."""
    return _jpeg(alpha)


def _jpeg(levels: Plane) -> bytes:
    out = BytesIO()
    Pillow.fromarray(levels).save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
