"""The API over a real pipeline, asked without a socket."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import numpy as np
from PIL import Image as Pillow
from starlette.testclient import TestClient

from tests.pipeline.rig import Rig
from vcam.config import Config
from vcam.control.app import ControlApp
from vcam.control.desk import Desk
from vcam.control.guard import Admission, Token
from vcam.control.media import MediaFolder
from vcam.control.profiles import Profiles
from vcam.errors import ConfigError
from vcam.frame import Plane
from vcam.pipeline.supervisor import Pipeline

API = "/api/v1"
HOST = "127.0.0.1:9436"
HERE = ("127.0.0.1", 50000)
AFAR = ("192.0.2.7", 50000)
SECRET = "0123456789abcdef"

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


MADE: list["Control"] = []
"""By the present test; conftest.py ends their films."""


@dataclass
class Control:
    """An API, its pipeline, and what the settings would say if they were read again."""

    folder: Path
    pipeline: Pipeline = field(default_factory=lambda: Pipeline(Rig().wiring()))
    config: Config = field(default_factory=lambda: Config(background="green"))
    token: str | None = None
    gateway: str | None = None

    def __post_init__(self) -> None:
        MADE.append(self)
        self.settings: Config | ConfigError = self.config
        self.desk = Desk(self.pipeline, self.config, self._read)
        self.media = self.folder / "media"
        self.profiles = self.folder / "profiles"
        token = None if self.token is None else Token(self.token)
        media = MediaFolder(self.media)
        self.app = ControlApp(self.desk, media, Profiles(self.profiles, media), Admission(token, (), self.gateway))
        self.client = self.client_at(HERE)

    def client_at(self, peer: tuple[str, int], host: str = HOST, *, raises: bool = True) -> TestClient:
        """Somebody who asks from an address, under a name of the server."""
        return TestClient(self.app.asgi, base_url=f"http://{host}", client=peer, raise_server_exceptions=raises)

    def ask(
        self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] = _NO_HEADERS
    ) -> tuple[int, dict[str, object]]:
        """Status and JSON. Refusals say what to do."""
        answer = self.client.request(method, API + path, json=body, headers=dict(headers))
        told = json.loads(answer.content) if answer.content else {}
        if answer.status_code >= 400:
            assert set(told) == {"problem", "hint"}
            assert all(told.values())
        return answer.status_code, told

    def scene(self) -> dict[str, object]:
        return self.ask("GET", "/scene")[1]

    def upload(self, data: bytes, name: str = "beach.png", kind: str = "image/png") -> tuple[int, dict[str, object]]:
        answer = self.client.post(
            f"{API}/backgrounds", params={"name": name}, content=data, headers={"content-type": kind}
        )
        told: dict[str, object] = answer.json()
        return answer.status_code, told

    def _read(self) -> Config:
        if isinstance(self.settings, ConfigError):
            raise self.settings
        return self.settings


@contextmanager
def running(folder: Path, rig: Rig) -> Iterator[Control]:
    """With frames that flow."""
    with rig.running() as pipeline:
        yield Control(folder, pipeline)


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 48), color: object = (200, 30, 30)) -> bytes:
    """A file."""
    out = BytesIO()
    Pillow.new("RGB", size, color).save(out, kind)  # type: ignore[arg-type]  # any colour that Pillow knows
    return out.getvalue()


def pixels(jpeg: bytes) -> Plane:
    """(H, W, 3) or (H, W)."""
    return np.asarray(Pillow.open(BytesIO(jpeg)))
