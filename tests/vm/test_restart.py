"""vcam dies: no face stays with its readers, and they see it again once it was started again."""

import signal
from collections.abc import Callable

import pytest

from tests.vm.bed.devices import LOOPBACKS, Webcam, frames, live, load_loopback
from tests.vm.bed.figures import Figures
from tests.vm.bed.guest import Guest, Job

Webcams = Callable[..., Webcam]
Vcams = Callable[..., Job]


@pytest.mark.parametrize("version", LOOPBACKS)
def test_a_reader_outlives_vcam(guest: Guest, webcam: Webcams, vcam: Vcams, version: str, figures: Figures) -> None:
    node = load_loopback(guest, version)
    camera = webcam()
    camera.plug()
    arguments = f"-i {camera.node} -o {node}"
    job = vcam(arguments)
    live(job)
    reader = guest.python("reader.py", node)
    reader.until(lambda: frames(reader, coded=True), 60, "the camera's picture")

    killed = guest.clock()
    job.stop(signal.SIGKILL)
    black = reader.until(lambda: frames(reader, killed, coded=False), 30, "black instead of the last picture")[0]["at"]
    figures.note(f"killed to black at its reader, set to 2, v4l2loopback {version} (s)", black - killed)
    assert not frames(reader, black, coded=True), "a face without vcam"

    again = vcam(arguments)
    live(again)
    shown = reader.until(lambda: frames(reader, black, coded=True), 60, "the camera's picture again")[0]["at"]
    assert reader.running
    figures.note(f"killed to the camera's picture at the same reader, v4l2loopback {version} (s)", shown - killed)
