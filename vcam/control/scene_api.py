"""Endpoints of the scene and of its named copies."""

from http import HTTPStatus

from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from vcam.control.answers import answer, body, query
from vcam.control.desk import Desk
from vcam.control.endpoint import Endpoint, Schema
from vcam.control.media import MediaFolder
from vcam.control.naming import shown, with_media
from vcam.control.profiles import NAME_PATTERN, Profiles, ProfileView
from vcam.control.scenes import SceneChange, SceneView
from vcam.control.state import Teller
from vcam.scene_settings import Values, scene_values


class ProfileList(BaseModel):
    """All profiles, by name."""

    profiles: list[ProfileView]


_NAMES: dict[str, Schema] = {"name": {"type": "string", "pattern": NAME_PATTERN}}


class SceneApi:
    """GET and PATCH of the scene; profiles."""

    def __init__(self, desk: Desk, teller: Teller, media: MediaFolder, profiles: Profiles) -> None:
        self._desk = desk
        self._teller = teller
        self._media = media
        self._profiles = profiles

    def endpoints(self) -> list[Endpoint]:
        one = "/profiles/{name}"
        return [
            Endpoint("GET", "/scene", "The scene in effect.", self.show, SceneView),
            Endpoint("PATCH", "/scene", "Change it, between two frames.", self.change, SceneView, SceneChange),
            Endpoint("GET", "/profiles", "All named scenes.", self.list_all, ProfileList),
            Endpoint("GET", one, "One of them.", self.get, ProfileView, names=_NAMES),
            Endpoint(
                *("PUT", one, "Save the scene in effect, with these changes, under this name.", self.save, ProfileView),
                takes=SceneChange,
                names=_NAMES,
                also=HTTPStatus.CREATED,
            ),
            Endpoint("DELETE", one, "Delete it.", self.delete, None, names=_NAMES, status=HTTPStatus.NO_CONTENT),
            Endpoint("POST", f"{one}/apply", "Show it, between two frames.", self.apply, SceneView, names=_NAMES),
        ]

    async def show(self, request: Request) -> Response:
        query(request)
        return answer(self._teller.scene())

    async def change(self, request: Request) -> Response:
        query(request)
        values = self._resolved(await body(request, SceneChange))
        await run_in_threadpool(self._desk.change_scene, values)
        return answer(self._teller.scene())

    async def list_all(self, request: Request) -> Response:
        query(request)
        return answer(ProfileList(profiles=await run_in_threadpool(self._profiles.views)))

    async def get(self, request: Request) -> Response:
        query(request)
        return answer(await run_in_threadpool(self._profiles.view, request.path_params["name"]))

    async def save(self, request: Request) -> Response:
        query(request)
        name, asked = request.path_params["name"], self._resolved(await body(request, SceneChange))
        new = await run_in_threadpool(self._profiles.save, name, {**scene_values(self._desk.config), **asked})
        view = await run_in_threadpool(self._profiles.view, name)
        return answer(view, HTTPStatus.CREATED if new else HTTPStatus.OK)

    async def delete(self, request: Request) -> Response:
        query(request)
        await run_in_threadpool(self._profiles.delete, request.path_params["name"])
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def apply(self, request: Request) -> Response:
        query(request)
        name = request.path_params["name"]
        values = await run_in_threadpool(self._profiles.values, name)
        await run_in_threadpool(lambda: self._desk.change_scene(values, profile=name))
        return answer(self._teller.scene())

    def _resolved(self, change: SceneChange) -> Values:
        """By key of Config. What is in effect already stays, even if it is no upload."""
        return {key: self._one_resolved(key, value) for key, value in change.values().items()}

    def _one_resolved(self, key: str, value: object) -> object:
        now = scene_values(self._desk.config)[key]
        kept = {shown(each): each for each in (now if isinstance(now, tuple) else (now,)) if isinstance(each, str)}

        def resolved(text: object) -> object:
            if not isinstance(text, str):
                return text
            return kept[text] if text in kept else with_media(text, self._media.find)

        return tuple(map(resolved, value)) if isinstance(value, list | tuple) else resolved(value)
