"""What viewers see, as JPEG: taken when somebody asks, encoded once for all who ask at the same time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from io import BytesIO
from typing import Generic, TypeVar

from PIL import Image as Pillow
from starlette.responses import StreamingResponse

from vcam import native
from vcam.control.endpoint import MOTION_JPEG
from vcam.control.refusal import RefusedError, conflict
from vcam.control.streams import Audience
from vcam.frame import Image, PixelFormat, Plane, VideoFormat, allocate_planes
from vcam.pipeline.supervisor import Pipeline
from vcam.pipeline.tap import Tray
from vcam.service.threads import in_thread

T = TypeVar("T")

WAIT_S = 2.0
MOST_VIEWERS = 8
_QUALITY = 85
_MOVING_QUALITY = 80
_MOVING_EVERY_S = 1 / 15
"""A picture that moves is for aiming and for sliders: half the camera's rate costs half as much."""
_MOVING_WIDTH_PX = 1280
_BOUNDARY = b"--vcam\r\n"


class Preview:
    """Used in one event loop; ``close`` by any thread."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._audience = Audience(MOST_VIEWERS)
        self._stills = _Shots(pipeline.tap.pictures, picture_jpeg), _Shots(pipeline.tap.mattes, matte_jpeg)
        self._sources = _Shots(pipeline.tap.sources, picture_jpeg)
        self._moving = (
            _Shots(pipeline.tap.pictures, _moving_picture, _MOVING_EVERY_S),
            _Shots(pipeline.tap.mattes, _moving_matte, _MOVING_EVERY_S),
        )

    @property
    def viewers(self) -> int:
        """Of pictures that move."""
        return self._audience.count

    async def jpeg(self, *, matte: bool) -> bytes:
        """The next picture that leaves, or the next matte. Raises RefusedError: none comes, or the room is shown."""
        self._check_room()
        try:
            return await self._stills[matte].next()
        except TimeoutError:
            raise _none_came("matte" if matte else "picture") from None

    async def source_jpeg(self) -> bytes:
        """The camera's own picture, where the operator allows that. Raises RefusedError: none comes."""
        try:
            return await self._sources.next()
        except TimeoutError:
            raise _none_came("picture of the camera") from None

    def motion(self, *, matte: bool) -> StreamingResponse:
        """One JPEG after another, while there are any. Raises RefusedError."""
        self._check_room()
        return self._audience.admit(self._pieces(self._moving[matte]), f"{MOTION_JPEG}; boundary=vcam")

    def close(self) -> None:
        """End what has no end."""
        self._audience.close()

    async def _pieces(self, shots: "_Shots[Image] | _Shots[Plane]") -> AsyncIterator[bytes]:
        """Each part ends with the next one's boundary: only then does a browser show it."""
        yield _BOUNDARY
        while not self._audience.closed:
            try:
                jpeg = await shots.next()
            except TimeoutError:
                continue
            yield b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n%b" % (len(jpeg), jpeg, _BOUNDARY)

    def _check_room(self) -> None:
        if self._pipeline.scene.show_room:
            raise conflict(
                "the room is shown as it is, and the camera's own picture is never given out here",
                hint="show another background than `none`",
            )


class _Shots(Generic[T]):
    """every_s: there are no more than one in such a time, however many ask."""

    def __init__(self, tray: Tray[T], encode: Callable[[T], bytes], every_s: float = 0.0) -> None:
        self._tray = tray
        self._encode = encode
        self._every_s = every_s
        self._due_s = 0.0
        self._taking: asyncio.Task[bytes] | None = None

    async def next(self) -> bytes:
        """Raises TimeoutError. One who goes away spoils nothing for those who wait for the same shot."""
        if self._taking is None or self._taking.done():
            self._taking = asyncio.create_task(self._take())
            self._taking.add_done_callback(_noticed)
        return await asyncio.shield(self._taking)

    async def _take(self) -> bytes:
        now_s = asyncio.get_running_loop().time()
        if self._due_s > now_s:
            await asyncio.sleep(self._due_s - now_s)
        self._due_s = max(now_s, self._due_s) + self._every_s
        item = await asyncio.wait_for(asyncio.wrap_future(self._tray.ask()), WAIT_S)
        return await in_thread(self._encode, item)


def _none_came(what: str) -> RefusedError:
    return RefusedError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"no {what} was made within {WAIT_S:g} s",
        hint="GET /api/v1/state says why: paused, idle, no camera, or still starting",
    )


def _noticed(task: asyncio.Task[bytes]) -> None:
    """Those who waited may all have gone; then nobody else asks how it ended."""
    if not task.cancelled():
        task.exception()


def picture_jpeg(image: Image) -> bytes:
    """Of an output's picture."""
    return _jpeg(_rgb(image))


def matte_jpeg(alpha: Plane) -> bytes:
    """White is the person. alpha: (H, W)."""
    return _jpeg(alpha)


def _moving_picture(image: Image) -> bytes:
    return _jpeg(_rgb(image), _MOVING_QUALITY, _MOVING_WIDTH_PX)


def _moving_matte(alpha: Plane) -> bytes:
    return _jpeg(alpha, _MOVING_QUALITY, _MOVING_WIDTH_PX)


def _rgb(image: Image) -> Plane:
    """(H, W, 3)."""
    rgb = VideoFormat(PixelFormat.RGB24, image.format.width, image.format.height)
    _, planes = allocate_planes(rgb)
    native.convert(image, planes, rgb)
    return planes[0].reshape(rgb.height, rgb.width, 3)


def _jpeg(levels: Plane, quality: int = _QUALITY, most_px: int | None = None) -> bytes:
    """most_px: a wider one is halved until it is not."""
    out = BytesIO()
    picture = Pillow.fromarray(levels)
    if most_px is not None and picture.width > most_px:
        picture = picture.reduce(-(-picture.width // most_px))
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()
