"""Endpoints of the scene and of its named copies."""

from http import HTTPStatus

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from vcam.control.answers import answer, body, query
from vcam.control.choices import Choices, without_folders
from vcam.control.desk import Desk
from vcam.control.endpoint import Endpoint, Schema
from vcam.control.profiles import NAME_PATTERN, Profiles, ProfileView
from vcam.control.scenes import SceneChange, SceneView
from vcam.control.state import Teller
from vcam.scene_settings import Values, scene_values
from vcam.service.threads import in_thread


class ProfileList(BaseModel):
    """All profiles, by name."""

    profiles: list[ProfileView]


_NAMES: dict[str, Schema] = {"name": {"type": "string", "pattern": NAME_PATTERN}}


class SceneApi:
    """GET and PATCH of the scene; profiles."""

    def __init__(self, desk: Desk, teller: Teller, choices: Choices, profiles: Profiles) -> None:
        self._desk = desk
        self._teller = teller
        self._choices = choices
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
        change = await body(request, SceneChange)
        values = await in_thread(self._choices.resolved, change.values())
        await in_thread(self._put, values)
        return answer(self._teller.scene())

    async def list_all(self, request: Request) -> Response:
        query(request)
        return answer(ProfileList(profiles=await in_thread(self._profiles.views)))

    async def get(self, request: Request) -> Response:
        query(request)
        return answer(await in_thread(self._profiles.view, request.path_params["name"]))

    async def save(self, request: Request) -> Response:
        query(request)
        name, change = request.path_params["name"], await body(request, SceneChange)
        asked = await in_thread(self._choices.resolved, change.values())
        new = await in_thread(self._profiles.save, name, {**scene_values(self._desk.config), **asked})
        view = await in_thread(self._profiles.view, name)
        return answer(view, HTTPStatus.CREATED if new else HTTPStatus.OK)

    async def delete(self, request: Request) -> Response:
        query(request)
        await in_thread(self._profiles.delete, request.path_params["name"])
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def apply(self, request: Request) -> Response:
        query(request)
        name = request.path_params["name"]
        values = await in_thread(self._profiles.values, name)
        await in_thread(self._put, values, name)
        return answer(self._teller.scene())

    def _put(self, values: Values, profile: str | None = None) -> None:
        with without_folders(values):
            self._desk.change_scene(values, profile=profile)
