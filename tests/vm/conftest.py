"""One guest for the whole run. A test asks for what it needs of it: a loopback, a webcam, vcam."""

import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.vm.bed.devices import Webcam, load_loopback, load_vivid, unload
from tests.vm.bed.figures import Figures
from tests.vm.bed.guest import ROOT, Guest, Job, image
from tests.vm.bed.pictures import Shape

VCAM = "exec /opt/bed/bin/vcam run -e plate --log-format json --http-port 0 "
_figures = Figures()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/tests/vm/" in str(item.path):
            item.add_marker(pytest.mark.vm)
            item.add_marker(pytest.mark.timeout(1200))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _figures.values:
        terminalreporter.section("figures, by the guest's clock")
        for line in _figures.table():
            terminalreporter.write_line(line)
        _figures.store()


@pytest.fixture(scope="session")
def figures() -> Figures:
    return _figures


@pytest.fixture(scope="session")
def booted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    needs = subprocess.run(ROOT / "tests/vm/bed/needs.sh", capture_output=True, text=True)
    if needs.returncode:
        pytest.fail(needs.stderr.strip())
    (ROOT / "out").mkdir(exist_ok=True)
    share = Path(tmp_path_factory.mktemp("guest"))
    try:
        with Guest(image(), share) as guest:
            yield guest
            guest.run("dmesg > /host/jobs/dmesg.out")
    finally:  # what was said, to find out why a test failed
        shutil.copytree(share / "jobs", ROOT / "out/vm/jobs", dirs_exist_ok=True)
        shutil.copy(share / "console.log", ROOT / "out/vm/console.log")


@pytest.fixture
def guest(booted: Guest, request: pytest.FixtureRequest) -> Iterator[Guest]:
    """The guest without anything that an earlier test left in it."""
    before = booted.oopsed
    yield booted
    booted.clean()
    unload(booted, "v4l2loopback")
    unload(booted, "vivid")
    assert booted.oopsed is before, "the kernel killed a program of this test: see out/vm/console.log"


@pytest.fixture
def loopback(guest: Guest) -> str:
    """The newest v4l2loopback's AI-Camera."""
    return load_loopback(guest, "0.15.0")


@pytest.fixture
def vivid(guest: Guest) -> str:
    return load_vivid(guest)


@pytest.fixture
def webcam(guest: Guest) -> Callable[..., Webcam]:
    """Makes USB cameras: webcam(Shape("MJPG"), serial="B2", port=1)."""
    guest.run("modprobe -a usbcore uvcvideo vhci-hcd")

    def make(*modes: Shape, serial: str = "A1", port: int = 0) -> Webcam:
        return Webcam(guest, modes or (Shape(),), serial=serial, port=port)

    return make


@pytest.fixture
def vcam(guest: Guest) -> Iterator[Callable[..., Job]]:
    """Starts vcam with the given arguments: 320x180 at 5, the room as it is, unless they say something else."""
    made: list[Job] = []

    def make(arguments: str, **environ: str) -> Job:
        size = {"VCAM_WIDTH": "320", "VCAM_HEIGHT": "180", "VCAM_FPS": "5"}
        given = {**size, "VCAM_BACKGROUND": "none", "VCAM_REMEMBER": "false"}
        made.append(guest.start(VCAM + arguments, **{**given, **environ}))
        return made[-1]

    yield make
    for job in made:
        if job.running:
            assert job.stop(signal.SIGTERM) == 0, job.output
