"""A live vcam on the drawn scene, its page, and what its viewers see."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from tests.pipeline.rig import LIMIT_S, wait_until
from vcam.config import Config
from vcam.control.app import ControlApp
from vcam.control.desk import Desk
from vcam.control.guard import Admission, Token
from vcam.control.media import MediaFolder
from vcam.control.preview import picture_jpeg
from vcam.control.profiles import Profiles
from vcam.engine_names import EngineName
from vcam.frame import Plane
from vcam.pipeline.assemble import assemble
from vcam.pipeline.supervisor import Pipeline
from vcam.service.http import Address, HttpServer

GREEN, BLUE = (0, 255, 0), (0, 0, 255)
WIDTH, HEIGHT = 320, 180


@dataclass(frozen=True)
class Studio:
    """url: of the page."""

    pipeline: Pipeline
    app: ControlApp
    desk: Desk
    folder: Path
    url: str

    def picture(self) -> Plane:
        """The next one that leaves, (H, W, 3)."""
        image = self.pipeline.tap.pictures.ask().result(LIMIT_S)
        return np.asarray(Pillow.open(BytesIO(picture_jpeg(image))))

    def wait_corner(self, color: tuple[int, int, int]) -> None:
        """Until the upper left corner, where nobody ever is, has that colour."""
        wait_until(lambda: near(self.picture()[2:10, 2:10], color))

    def wait_everywhere(self, color: tuple[int, int, int], *, shown: bool = True) -> None:
        """Until nothing but that colour is shown; or until something else is."""
        wait_until(lambda: near(self.picture(), color) is shown)


def near(pixels: Plane, color: tuple[int, int, int]) -> bool:
    """All but what JPEG and limited range change of it, by half a percent of the pixels."""
    away = np.abs(pixels.astype(int) - color).max(axis=-1) > 14
    return bool(np.mean(away) < 0.005)


@contextmanager
def studio(
    folder: Path, host: str = "127.0.0.1", token: str | None = None, *, background: str = "green"
) -> Iterator[Studio]:
    """While entered, pictures leave and the page is served."""
    config = Config(
        input=f"test:{WIDTH}x{HEIGHT}@15",
        output=("null:",),
        engine=EngineName.PLATE,
        background=background,
        models_dir=folder,
    )
    with assemble(config) as pipeline:
        desk = Desk(pipeline, config, lambda: config)
        media = MediaFolder(folder / "media")
        app = ControlApp(desk, media, Profiles(folder / "profiles", media), Admission(Token(token) if token else None))
        thread = threading.Thread(target=pipeline.run, name="pipeline")
        thread.start()
        try:
            with HttpServer(app.asgi, Address(host, 0)) as server:
                yield Studio(pipeline, app, desk, folder, f"http://{host}:{server.port}/")
                app.close()
        finally:
            pipeline.stop()
            thread.join(LIMIT_S)
            assert not thread.is_alive()
