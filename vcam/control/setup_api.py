"""Endpoints of what runs: camera and engine, and what the camera itself can be told."""

from starlette.requests import Request
from starlette.responses import Response

from vcam.config import Quality
from vcam.control.answers import answer, body, query
from vcam.control.camera import NO_CAMERA, CameraChange, CameraControlsView, change, look
from vcam.control.desk import Desk
from vcam.control.endpoint import Endpoint
from vcam.control.refusal import conflict
from vcam.control.setup import Offer, SetupChange, SetupView
from vcam.pipeline.offer import camera_path, engine_offers
from vcam.service.threads import in_thread


class SetupApi:
    """GET and PATCH of camera, engine and quality; of the camera's own controls."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def endpoints(self) -> list[Endpoint]:
        text = "Choose another camera or engine: they are opened anew, viewers see the card for a moment."
        return [
            Endpoint("GET", "/setup", "Camera and engine, and what there is to choose from.", self.show, SetupView),
            Endpoint("PATCH", "/setup", text, self.change, SetupView, SetupChange),
            Endpoint(
                "GET", "/camera", "Exposure, focus and the like of the camera in use.", self.look, CameraControlsView
            ),
            Endpoint("PATCH", "/camera", "Set them, at once.", self.tell, CameraControlsView, CameraChange),
        ]

    async def show(self, request: Request) -> Response:
        query(request)
        return answer(self._view(await in_thread(self._offer)))

    async def change(self, request: Request) -> Response:
        query(request)
        change = await body(request, SetupChange)
        offer = await in_thread(self._offer)
        offer.check(change)
        values = change.model_dump(exclude_none=True)
        if change.input is not None:
            values["input"] = offer.shown(change.input)
        if offer.shown(self._desk.config.input) == values.get("input"):
            del values["input"]
        await in_thread(self._desk.change_setup, values)
        return answer(self._view(offer))

    async def look(self, request: Request) -> Response:
        query(request)
        path = camera_path(self._desk.config)
        return answer(NO_CAMERA if path is None else await in_thread(look, path))

    async def tell(self, request: Request) -> Response:
        query(request)
        wanted = await body(request, CameraChange)
        path = camera_path(self._desk.config)
        if path is None:
            raise conflict("pictures come from no camera", hint="GET /api/v1/setup lists cameras")
        return answer(await in_thread(change, path, wanted, self._desk.pipeline.camera_controls))

    def _offer(self) -> Offer:
        from vcam.v4l2.devices import list_devices

        config = self._desk.config
        return Offer(list_devices(), engine_offers(config), (self._desk.settings.input, config.input))

    def _view(self, offer: Offer) -> SetupView:
        config = self._desk.config
        return SetupView(
            input=offer.shown(config.input),
            engine=config.engine,
            quality=config.quality,
            inputs=offer.inputs,
            engines=offer.engines,
            qualities=list(Quality),
        )
