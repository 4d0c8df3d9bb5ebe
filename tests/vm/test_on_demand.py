"""The camera's light is on while somebody looks, and only then."""

from collections.abc import Callable

import pytest

from tests.vm.bed.devices import Webcam, frames, load_loopback
from tests.vm.bed.figures import Figures, slowness
from tests.vm.bed.guest import Guest, Job, eventually

Webcams = Callable[..., Webcam]
Vcams = Callable[..., Job]

TELLS, SILENT = "0.15.0", "0.12.7"
"""v4l2loopback versions: one that tells of its readers, one where vcam looks at who has it open."""
LOOKS, EVERY_S = 4, 3.0


def processor_share(guest: Guest, seconds: int) -> float:
    """What vcam uses of a core, in percent."""
    times = "awk '{print $14+$15}' /proc/$(pgrep -n -f '^/mnt/python/bin/python3 -m vcam run')/stat"
    before, after = map(int, guest.run(f"{times}; sleep {seconds}; {times}").split())
    ticks_per_s = int(guest.run("getconf CLK_TCK"))
    return (after - before) / ticks_per_s / seconds * 100


@pytest.mark.parametrize("version", [TELLS, SILENT])
def test_the_light_follows_the_readers(
    guest: Guest, webcam: Webcams, vcam: Vcams, version: str, figures: Figures
) -> None:
    loopback = load_loopback(guest, version)
    camera = webcam()
    camera.plug()
    job = vcam(f"-i {camera.node} -o {loopback} --on-demand --idle-after-s 5")
    job.until(lambda: any(line.get("event") == "pipeline.idle" for line in job.lines), 150, "idle")
    eventually(lambda: not camera.lights() or not camera.lights()[-1][0], 10, lambda: str(camera.lights()))
    guest.run(f"v4l2-ctl --list-devices; v4l2-ctl -d {loopback} --all; v4l2-ctl -d {loopback} --list-formats-ext")
    if version == TELLS:
        idle = processor_share(guest, 10)
        figures.note("processor while nobody looks (% of an emulated core)", idle)
        figures.note("the same of a core of the host, by what both need for the same work (%)", idle / slowness(guest))
    dark = len(camera.lights())

    reader = guest.python("reader.py", loopback)
    first = reader.until(lambda: frames(reader, coded=True), 60, "the camera's picture")[0]["at"]
    opened = reader.lines[0]["opened"]
    lit = [(on, at) for on, at in camera.lights()[dark:] if on]
    assert len(lit) == 1
    assert lit[0][1] > opened, "mere enumeration turned the light on"
    figures.note(f"reader's start to light, v4l2loopback {version} (s)", lit[0][1] - opened)
    figures.note(f"reader's start to the camera's picture, v4l2loopback {version} (s)", first - opened)
    if version == TELLS:
        figures.note("processor while live, 320x180 at 5 (% of an emulated core)", processor_share(guest, 10))
    reader.stop()

    # As some applications do to see whether a camera works.
    prober = guest.python("reader.py", loopback, "3", str(LOOKS), str(EVERY_S))
    assert prober.wait(120) == 0
    ended = prober.lines[-1]["closed"]
    off = eventually(lambda: camera.lights()[-1][1] * (not camera.lights()[-1][0]), 60, lambda: "the light stays on")
    assert off - ended > 4.5, "the light went out between two looks"
    assert len([on for on, _ in camera.lights()[dark:] if on]) == 1, "the light flickered"
    figures.note(f"last reader's end to light off, set to 5, v4l2loopback {version} (s)", off - ended)
