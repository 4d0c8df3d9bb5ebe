"""vcam dies: no face stays with its readers, and they see it again once it was started again."""

import signal
from collections.abc import Callable

import pytest

from tests.vm.bed.devices import Webcam, frames, live, load_loopback
from tests.vm.bed.figures import Figures
from tests.vm.bed.guest import Guest, Job

Webcams = Callable[..., Webcam]
Vcams = Callable[..., Job]


@pytest.mark.parametrize("version", ["0.12.7", "0.15.0"])
def test_a_reader_outlives_vcam(guest: Guest, webcam: Webcams, vcam: Vcams, version: str, figures: Figures) -> None:
    node = load_loopback(guest, version)
    camera = webcam()
    camera.plug()
    arguments = f"-i {camera.node} -o {node}"
    job = vcam(arguments)
    live(job)
    reader = guest.python("reader.py", node)
    reader.until(lambda: frames(reader, coded=True), 60, "the camera's picture")
    job.stop(signal.SIGKILL)
    killed = float(guest.run("cut -d' ' -f1 /proc/uptime"))
    again = vcam(arguments)
    again.until(lambda: any(line.get("event") == "output.opened" for line in again.lines), 120, "its output")
    live(again)
    started = next(line["at"] for line in frames(reader, killed, coded=False))
    assert not [f for f in frames(reader, killed + 1.0, coded=True) if f["at"] < started], "a face without vcam"
    shown = reader.until(lambda: frames(reader, started, coded=True), 60, "the camera's picture again")[0]["at"]
    assert reader.running
    figures.note(f"killed to the camera's picture at the same reader, v4l2loopback {version} (s)", shown - killed)
