"""Endpoints of the running camera: its state, pause, reload, devices, and the room that an engine learns."""

from starlette.requests import Request
from starlette.responses import Response

from vcam.control.answers import answer, query
from vcam.control.desk import Desk
from vcam.control.devices import DevicesView, devices_view
from vcam.control.endpoint import EVENT_STREAM, Endpoint
from vcam.control.events import Events
from vcam.control.refusal import conflict
from vcam.control.state import Teller
from vcam.control.views import StateView
from vcam.service.threads import in_thread


class OperationApi:
    """GET state, events, devices; POST pause, resume, reload, learn-plate."""

    def __init__(self, desk: Desk, teller: Teller, events: Events) -> None:
        self._desk = desk
        self._teller = teller
        self._events = events

    def endpoints(self) -> list[Endpoint]:
        reload_text = "Read the settings again; what was changed live is then as they say."
        learn_text = "Learn the empty room anew (engine `plate`): everybody should step out of the picture."
        return [
            Endpoint("GET", "/state", "What viewers see, why, and how fast.", self.state, StateView),
            Endpoint("GET", "/events", "The state, at each change and once a second.", self.listen, EVENT_STREAM),
            Endpoint("GET", "/devices", "Cameras and virtual cameras.", self.devices, DevicesView),
            Endpoint("POST", "/pause", "Show the card instead of the person.", self.pause, StateView),
            Endpoint("POST", "/resume", "Show the person again.", self.resume, StateView),
            Endpoint("POST", "/reload", reload_text, self.reload, StateView),
            Endpoint("POST", "/learn-plate", learn_text, self.learn, StateView),
        ]

    async def state(self, request: Request) -> Response:
        query(request)
        return answer(self._teller.state())

    async def listen(self, request: Request) -> Response:
        query(request)
        return self._events.stream()

    async def devices(self, request: Request) -> Response:
        query(request)
        return answer(await in_thread(_inventory))

    async def pause(self, request: Request) -> Response:
        return await self._paused(request, paused=True)

    async def resume(self, request: Request) -> Response:
        return await self._paused(request, paused=False)

    async def reload(self, request: Request) -> Response:
        query(request)
        await in_thread(self._desk.reload)
        return answer(self._teller.state())

    async def learn(self, request: Request) -> Response:
        query(request)
        if not self._desk.pipeline.learn():
            now = self._desk.pipeline.snapshot().engine
            engine = "no engine runs yet" if now is None else f"the engine {now.engine} learns no room"
            raise conflict(engine, hint='only engine = "plate" learns one; vcam run -e plate')
        return answer(self._teller.state())

    async def _paused(self, request: Request, *, paused: bool) -> Response:
        query(request)
        await in_thread(self._desk.pause, paused=paused)
        return answer(self._teller.state())


def _inventory() -> DevicesView:
    from vcam.v4l2.devices import list_devices

    return devices_view(list_devices())
