"""A computer made of files and fakes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.fake_v4l2 import FakeCamera, FakeDevice, FakeKernel, FakeLoopback, Loopback
from vcam.config import load_config
from vcam.cuda.driver import DeviceFacts
from vcam.cuda.probe import GpuAnswer
from vcam.doctor.case import Case
from vcam.doctor.view import Answer, Identity, View

NO_GPU = GpuAnswer(None, "no NVIDIA driver: libcuda.so.1 is not here", "install NVIDIA's driver")
RTX = GpuAnswer(DeviceFacts(0, "NVIDIA GeForce RTX 4070", (8, 9), 12 * 1024**3, 13000))
FakeMode = tuple[str, tuple[int, int], tuple[int, ...]]
WEBCAM: tuple[FakeMode, ...] = ("MJPG", (1280, 720), (30, 15)), ("YUYV", (1280, 720), (5,)), ("YUYV", (640, 480), (30,))


@dataclass
class Computer:
    """A root folder with fake devices. programs: answers by the beginning of the command."""

    root: Path
    kernel: FakeKernel = field(default_factory=FakeKernel)
    programs: dict[str, Answer] = field(default_factory=dict)
    ports: dict[int, str] = field(default_factory=dict)
    identity: Identity = field(default_factory=lambda: Identity("ada", 1000, frozenset({1000})))
    free: int = 10**11
    gpu: GpuAnswer = NO_GPU
    settings: dict[str, object] = field(default_factory=dict)

    def write(self, name: str, text: str = "") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def add(self, number: int, device: FakeDevice) -> Path:
        path = self.write(f"dev/video{number}")
        self.kernel.devices[path] = device
        return path

    def plug_in(self, number: int = 0, *modes: FakeMode, speed: str = "480") -> Path:
        """A webcam, with its folders in /sys as the kernel lays them out."""
        interface = self.root / f"sys/devices/usb1/1-{number + 1}/1-{number + 1}:1.0"
        interface.mkdir(parents=True)
        (interface.parent / "speed").write_text(f"{speed}\n")
        node = self.root / f"sys/class/video4linux/video{number}"
        node.mkdir(parents=True)
        (node / "device").symlink_to(interface)
        return self.add(number, FakeCamera(*(modes or WEBCAM)))

    def load_module(self, version: str = "0.13.2", **parameters: str) -> None:
        self.write("sys/module/v4l2loopback/version", version + "\n")
        for key, value in {"exclusive_caps": "Y", "video_nr": "10", **parameters}.items():
            self.write(f"sys/module/v4l2loopback/parameters/{key}", value + "\n")

    def hold(self, node: Path, command: str, pid: int = 4242) -> None:
        """A process that has the node open."""
        self.write(f"proc/{pid}/comm", command + "\n")
        (self.root / f"proc/{pid}/fd").mkdir(exist_ok=True)
        (self.root / f"proc/{pid}/fd/7").symlink_to(node)

    def serve(self, port: int, state: str = "live") -> None:
        """A vcam has the port."""
        self.ports[port] = json.dumps({"ok": True, "state": state, "safe_reason": None, "version": "0.1.0"})

    @property
    def view(self) -> View:
        return View(
            root=self.root, kernel=self.kernel, run=self._run, identity=self.identity, release="6.1.0-47-amd64",
            free_bytes=lambda _: self.free, listen=self._listen, page=self._page, gpu=lambda: self.gpu,
        )  # fmt: skip

    @property
    def case(self) -> Case:
        overrides = {"models_dir": self.root / "models", "engine": "plate", **self.settings}
        return Case(self.view, load_config(None, {}, overrides))

    def _run(self, command: Sequence[str]) -> Answer | None:
        told = " ".join(command)
        return next((answer for begin, answer in self.programs.items() if told.startswith(begin)), None)

    def _listen(self, _host: str, port: int) -> str | None:
        return "it is taken" if port in self.ports else None

    def _page(self, url: str) -> tuple[int, str] | None:
        port = int(url.split(":")[2].split("/")[0])
        return (200, self.ports[port]) if self.ports.get(port) else None


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    """Nothing but an operating system."""
    made = Computer(tmp_path)
    made.write("etc/os-release", 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n')
    made.write("etc/group", "root:x:0:\nvideo:x:44:bob,eve\n")
    return made


@pytest.fixture
def good(computer: Computer) -> Computer:
    """All that it takes."""
    computer.load_module()
    computer.plug_in()
    computer.add(10, FakeLoopback(Loopback()))
    return computer
