"""Endpoints of uploaded backgrounds, and of the pictures that leave."""

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from vcam.control.answers import answer, chunks, content_type, in_time, query
from vcam.control.desk import Desk
from vcam.control.endpoint import JPEG, MOTION_JPEG, Endpoint, Schema
from vcam.control.media import MEDIA, BackgroundView, MediaFolder, unwritable
from vcam.control.naming import shown
from vcam.control.preview import Preview
from vcam.control.rates import Rate, Rates
from vcam.control.refusal import RefusedError, busy
from vcam.control.rewrite import HINT
from vcam.scene_settings import scene_values
from vcam.service.threads import in_thread

MOST_UPLOAD_BYTES = 32 << 20
MOST_VIDEO_BYTES = 256 << 20
PICTURE_KINDS = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp", "image/tiff")
VIDEO_KINDS = ("video/mp4", "video/webm", "video/x-matroska", "video/quicktime")
_UNKNOWN = ("", "application/octet-stream")
_GIVEN = {".jpg": JPEG, ".png": "image/png", ".webp": "image/webp", ".mp4": "video/mp4"}
_GIVEN_KINDS = tuple(_GIVEN.values())

_UPLOADS = Rate(burst=20, per_s=0.5)
_EVERYBODY = "everybody"
_AT_ONCE = 2
_LONGEST_NAME = 200

_UPLOAD_TEXT = "Upload a picture, or a video (its first minute, without sound). It is decoded and written anew."
_SOURCE_TEXT = "The camera's own picture, if preview_source is set in vcam.toml; else nobody gets it (403)."
_NAMES: dict[str, Schema] = {"name": {"type": "string", "pattern": f"^{MEDIA}$"}}
_FLAG: Schema = {"type": "string", "enum": ["0", "1"]}
_FILE_NAME: Schema = {"type": "string", "maxLength": _LONGEST_NAME}


class BackgroundList(BaseModel):
    """All uploads, by name. configured: the background of the settings, which may be none of them."""

    backgrounds: list[BackgroundView]
    configured: str


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
            Endpoint("GET", "/backgrounds", "All uploads.", self.list_all, BackgroundList),
            Endpoint(
                *(
                    "POST",
                    "/backgrounds",
                    _UPLOAD_TEXT,
                    self.upload,
                ),
                BackgroundView,
                takes=(*PICTURE_KINDS, *VIDEO_KINDS),
                query={"name": _FILE_NAME},
                status=HTTPStatus.CREATED,
                also=HTTPStatus.OK,
            ),
            Endpoint("GET", one, "The file.", self.get, _GIVEN_KINDS, query={"thumbnail": _FLAG}, names=_NAMES),
            Endpoint("DELETE", one, "Delete it.", self.delete, None, names=_NAMES, status=HTTPStatus.NO_CONTENT),
            Endpoint(
                *("GET", "/snapshot.jpg", "What viewers see now; or the matte, white is the person."),
                self.snapshot,
                JPEG,
                query={"matte": _FLAG},
            ),
            Endpoint("GET", "/source.jpg", _SOURCE_TEXT, self.source, JPEG),
            Endpoint(
                *("GET", "/preview.mjpg", "The same, moving: one JPEG after another, without an end."),
                self.motion,
                MOTION_JPEG,
                query={"matte": _FLAG},
            ),
        ]

    async def list_all(self, request: Request) -> Response:
        query(request)
        views = await in_thread(self._media.views, scene_values(self._desk.config))
        configured = shown({"background": self._desk.settings.background})["background"]
        return answer(BackgroundList(backgrounds=views, configured=str(configured)))

    async def get(self, request: Request) -> Response:
        small = _flag(request, "thumbnail")
        find = self._media.thumbnail if small else self._media.find
        path = find(request.path_params["name"])
        return FileResponse(path, media_type=_GIVEN[path.suffix])

    async def delete(self, request: Request) -> Response:
        query(request)
        await in_thread(self._media.delete, request.path_params["name"], scene_values(self._desk.config))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def snapshot(self, request: Request) -> Response:
        return Response(await self._preview.jpeg(matte=_flag(request, "matte")), media_type=JPEG)

    async def source(self, request: Request) -> Response:
        query(request)
        if not self._desk.config.preview_source:
            raise RefusedError(
                HTTPStatus.FORBIDDEN,
                "the camera's own picture is given to nobody",
                hint="set preview_source = true in vcam.toml, if it may be",
            )
        return Response(await self._preview.source_jpeg(), media_type=JPEG)

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
        view = self._media.view(path, scene_values(self._desk.config))
        return answer(view, HTTPStatus.CREATED if new else HTTPStatus.OK)

    def _check_upload(self, request: Request, wanted: str) -> None:
        """Raises RefusedError."""
        kind = content_type(request)
        if kind not in PICTURE_KINDS + VIDEO_KINDS:
            raise RefusedError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                f"{'this' if kind in _UNKNOWN else kind} is neither a picture nor a video",
                hint=f"{HINT}; its Content-Type says which",
            )
        if len(wanted) > _LONGEST_NAME:
            raise RefusedError(
                HTTPStatus.UNPROCESSABLE_ENTITY, "the name is too long", hint=f"take {_LONGEST_NAME} letters at most"
            )
        wait_s = self._rates.take(_EVERYBODY)
        if wait_s or self._uploading >= _AT_ONCE:
            raise busy("too many uploads", hint="send one after the other", wait_s=wait_s)

    async def _received(self, request: Request, wanted: str) -> tuple[Path, bool]:
        upload, file = await in_thread(self._media.upload)
        try:
            with file:
                await in_time(_store(request, file))
            return await in_thread(self._media.add, upload, wanted)
        except OSError as error:
            raise unwritable(self._media.folder, error, setting="media_dir") from error
        finally:
            await asyncio.shield(in_thread(self._media.discard, upload))


async def _store(request: Request, file: BinaryIO) -> None:
    video = content_type(request) in VIDEO_KINDS
    async for chunk in chunks(request, MOST_VIDEO_BYTES if video else MOST_UPLOAD_BYTES):
        await in_thread(file.write, chunk)


def _flag(request: Request, name: str) -> bool:
    """Raises RefusedError (422)."""
    value = query(request, name).get(name, "0")
    if value not in ("0", "1"):
        raise RefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"{name}={value} means nothing", hint=f"write {name}=1, or leave it out"
        )
    return value == "1"
