"""Endpoints of uploaded backgrounds, and of the pictures that leave."""

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from vcam.control.answers import answer, chunks, in_time, query
from vcam.control.desk import Desk
from vcam.control.endpoint import JPEG, MOTION_JPEG, Endpoint, Schema
from vcam.control.media import BackgroundView, MediaFolder, unwritable
from vcam.control.preview import Preview
from vcam.control.rates import Rate, Rates
from vcam.control.refusal import RefusedError, busy
from vcam.control.scenes import PICTURE

MOST_UPLOAD_BYTES = 32 << 20
UPLOAD_KINDS = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp", "image/tiff")

_UPLOADS = Rate(burst=20, per_s=0.5)
_EVERYBODY = "everybody"
_AT_ONCE = 2
_LONGEST_NAME = 200

_NAMES: dict[str, Schema] = {"name": {"type": "string", "pattern": f"^{PICTURE}$"}}
_FLAG: Schema = {"type": "string", "enum": ["0", "1"]}
_FILE_NAME: Schema = {"type": "string", "maxLength": _LONGEST_NAME}


class BackgroundList(BaseModel):
    """All uploaded pictures, by name."""

    backgrounds: list[BackgroundView]


class MediaApi:
    """Backgrounds: list, get, upload, delete. And the snapshot."""

    def __init__(self, desk: Desk, media: MediaFolder, preview: Preview) -> None:
        self._desk = desk
        self._media = media
        self._preview = preview
        self._rates = Rates(_UPLOADS)
        self._uploading = 0

    def endpoints(self) -> list[Endpoint]:
        one = "/backgrounds/{name}"
        return [
            Endpoint("GET", "/backgrounds", "All uploaded pictures.", self.list_all, BackgroundList),
            Endpoint(
                *("POST", "/backgrounds", "Upload a picture. It is decoded and written anew.", self.upload),
                BackgroundView,
                takes=UPLOAD_KINDS,
                query={"name": _FILE_NAME},
                status=HTTPStatus.CREATED,
                also=HTTPStatus.OK,
            ),
            Endpoint("GET", one, "The picture.", self.get, JPEG, query={"thumbnail": _FLAG}, names=_NAMES),
            Endpoint("DELETE", one, "Delete it.", self.delete, None, names=_NAMES, status=HTTPStatus.NO_CONTENT),
            Endpoint(
                *("GET", "/snapshot.jpg", "What viewers see now; or the matte, white is the person."),
                self.snapshot,
                JPEG,
                query={"matte": _FLAG},
            ),
            Endpoint(
                *("GET", "/preview.mjpg", "The same, moving: one JPEG after another, without an end."),
                self.motion,
                MOTION_JPEG,
                query={"matte": _FLAG},
            ),
        ]

    async def list_all(self, request: Request) -> Response:
        query(request)
        return answer(
            BackgroundList(backgrounds=await run_in_threadpool(self._media.views, self._desk.config.background))
        )

    async def get(self, request: Request) -> Response:
        small = _flag(request, "thumbnail")
        find = self._media.thumbnail if small else self._media.find
        return FileResponse(find(request.path_params["name"]), media_type=JPEG)

    async def delete(self, request: Request) -> Response:
        query(request)
        await run_in_threadpool(self._media.delete, request.path_params["name"], self._desk.config.background)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def snapshot(self, request: Request) -> Response:
        return Response(await self._preview.jpeg(matte=_flag(request, "matte")), media_type=JPEG)

    async def motion(self, request: Request) -> Response:
        return self._preview.motion(matte=_flag(request, "matte"))

    async def upload(self, request: Request) -> Response:
        wanted = query(request, "name").get("name", "")
        self._check_upload(request, wanted)
        self._uploading += 1
        try:
            path, new = await self._received(request, wanted)
        finally:
            self._uploading -= 1
        view = self._media.view(path, self._desk.config.background)
        return answer(view, HTTPStatus.CREATED if new else HTTPStatus.OK)

    def _check_upload(self, request: Request, wanted: str) -> None:
        """Raises RefusedError."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in UPLOAD_KINDS:
            raise RefusedError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                f"the body is {kind or 'of no kind'}, no picture",
                hint=f"send the file itself, with a Content-Type of {', '.join(UPLOAD_KINDS)}",
            )
        if len(wanted) > _LONGEST_NAME:
            raise RefusedError(
                HTTPStatus.UNPROCESSABLE_ENTITY, "the name is too long", hint=f"take {_LONGEST_NAME} letters at most"
            )
        wait_s = self._rates.take(_EVERYBODY)
        if wait_s or self._uploading >= _AT_ONCE:
            raise busy("too many uploads", hint="send one after the other", wait_s=wait_s)

    async def _received(self, request: Request, wanted: str) -> tuple[Path, bool]:
        upload, file = await run_in_threadpool(self._media.upload)
        try:
            with file:
                await in_time(_store(request, file))
            return await run_in_threadpool(self._media.add, upload, wanted)
        except OSError as error:
            raise unwritable(self._media.folder, error, setting="media_dir") from error
        finally:
            await asyncio.shield(run_in_threadpool(self._media.discard, upload))


async def _store(request: Request, file: BinaryIO) -> None:
    async for chunk in chunks(request, MOST_UPLOAD_BYTES):
        await run_in_threadpool(file.write, chunk)


def _flag(request: Request, name: str) -> bool:
    """Raises RefusedError (422)."""
    value = query(request, name).get(name, "0")
    if value not in ("0", "1"):
        raise RefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"{name}={value} means nothing", hint=f"write {name}=1, or leave it out"
        )
    return value == "1"
