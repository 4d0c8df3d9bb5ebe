"""Makes the README's pictures of the dashboards: python -m tests.monitoring.studio NETWORK.onnx FOLDER [SCENE]

Five appliances work for ten minutes, watched by the shipped rules at their shipped pace, and live through what
appliances live through. Needs Prometheus and a computer with time to spare.
"""

import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from monitoring.picture.__main__ import main as draw
from tests.monitoring.rig import Appliance, Watchers, free_port

MINUTES = 9
RUN = ("vcam", "run", "-o", "null:", "--control-port", "0", "--control-socket", "none")
BESIDE = ("-i", "test:320x180@10", "-e", "plate")


class Camera:
    """The appliance whose dashboard is drawn; its settings change while it works."""

    def __init__(self, folder: Path, network: str, scene: str) -> None:
        self._settings = folder / "vcam.toml"
        self.scene = self.input = scene
        self.background = "green"
        self._write()
        settings = ("--config", str(self._settings), "-m", network, "-q", "fast")
        self.appliance = Appliance(folder, "this-pc", "here", *RUN, *settings, "--http-port")

    def change(self, **settings: str) -> None:
        """Set and tell."""
        for name, value in settings.items():
            setattr(self, name, value)
        self._write()
        self.appliance.send(signal.SIGHUP)

    def _write(self) -> None:
        self._settings.write_text(f'input = "{self.input}"\nbackground = "{self.background}"\n')


def life(camera: Camera, crashing: Appliance, losing: Appliance) -> Mapping[float, Callable[[], None]]:
    """What happens, by the minute."""
    return {
        1.5: lambda: camera.change(background="blur"),
        2.5: lambda: camera.change(input="/dev/video99"),
        3.1: lambda: camera.change(input=camera.scene),
        3.8: crashing.kill,
        4.6: crashing.start,
        5.2: lambda: camera.change(background="color"),
        6.0: lambda: losing.send(signal.SIGSTOP),
        6.6: lambda: losing.send(signal.SIGCONT),
        7.2: lambda: camera.change(background="blur:80"),
        8.5: losing.kill,
    }


def main(network: str, target: Path, scene: str) -> None:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        camera = Camera(folder, network, scene)
        beside = [Appliance(folder, f"room-{number}", "berlin", *RUN, *BESIDE, "--http-port") for number in (12, 13)]
        waiting = Appliance(
            folder, "hall", "paris", *RUN, "-i", "/dev/video99", "-e", "plate", "--wait-for-camera", "--http-port"
        )
        gpu = Appliance(folder, "studio", "paris", "tests.monitoring.gpu_appliance")
        watchers = Watchers(folder, [camera.appliance, *beside, waiting, gpu], free_port(), times=1)
        for appliance in (camera.appliance, *beside, waiting, gpu):
            stack.callback(appliance.kill)
            appliance.start()
        stack.callback(watchers.stop)
        watchers.start()
        began_s = time.monotonic()
        for minute, event in life(camera, beside[0], beside[1]).items():
            time.sleep(max(0.0, began_s + minute * 60 - time.monotonic()))
            event()
        time.sleep(max(0.0, began_s + (MINUTES + 1) * 60 - time.monotonic()))
        draw(f"http://127.0.0.1:{watchers.port}", target, "this-pc", MINUTES)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *(sys.argv[3:] or ["test:1280x720@30"]))
