"""The API and the page as an ASGI application."""

import json

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from vcam.control.answers import on_fault, on_gone, on_http_error, on_vcam_error
from vcam.control.choices import Choices
from vcam.control.desk import Desk
from vcam.control.endpoint import JSON, PREFIX, merged
from vcam.control.events import Events
from vcam.control.guard import Admission, Guard
from vcam.control.media import MediaFolder
from vcam.control.media_api import MediaApi
from vcam.control.openapi import describe
from vcam.control.operation_api import OperationApi
from vcam.control.page import page_routes
from vcam.control.preview import Preview
from vcam.control.profiles import Profiles
from vcam.control.scene_api import SceneApi
from vcam.control.setup_api import SetupApi
from vcam.control.state import Teller
from vcam.errors import VcamError


class ControlApp:
    """asgi: what a server serves."""

    def __init__(self, desk: Desk, media: MediaFolder, profiles: Profiles, admission: Admission) -> None:
        media.clean()
        teller = Teller(desk)
        self.events = Events(teller)
        self.preview = Preview(desk.pipeline)
        endpoints = [
            *OperationApi(desk, teller, self.events).endpoints(),
            *SceneApi(desk, teller, Choices(desk, media, profiles), profiles).endpoints(),
            *SetupApi(desk).endpoints(),
            *MediaApi(desk, media, self.preview).endpoints(),
        ]
        document = json.dumps(describe(endpoints), ensure_ascii=False).encode()

        async def openapi(_: Request) -> Response:
            return Response(document, media_type=JSON)

        inner = Starlette(
            routes=[Route(f"{PREFIX}/openapi.json", openapi), *merged(endpoints), *page_routes()],
            exception_handlers={
                VcamError: on_vcam_error,
                HTTPException: on_http_error,
                ClientDisconnect: on_gone,
                Exception: on_fault,
            },
        )
        self.asgi: ASGIApp = Guard(inner, admission)

    def close(self) -> None:
        """End the answers that have no end, so that the server can. Any thread."""
        self.events.close()
        self.preview.close()
