"""The camera's light is on while somebody looks, and only then (v4l2loopback tells from 0.13 on)."""

from collections.abc import Callable

from tests.vm.bed.devices import Webcam, frames
from tests.vm.bed.figures import Figures
from tests.vm.bed.guest import Guest, Job, eventually

Webcams = Callable[..., Webcam]
Vcams = Callable[..., Job]

IDLE = "for i in 1 2; do awk '{print $14+$15}' /proc/$(pgrep -n -f '^/mnt/python/bin/python3 -m vcam run')/stat; "
IDLE += "[ $i = 2 ] || sleep 10; done"
TICKS_PER_S = 100


def test_the_light_follows_the_readers(
    guest: Guest, webcam: Webcams, vcam: Vcams, loopback: str, figures: Figures
) -> None:
    camera = webcam()
    camera.plug()
    job = vcam(f"-i {camera.node} -o {loopback} --on-demand --idle-after-s 5")
    job.until(lambda: any(line.get("event") == "pipeline.idle" for line in job.lines), 150, "idle")
    eventually(lambda: not camera.lights() or not camera.lights()[-1][0], 10, lambda: str(camera.lights()))

    guest.run(f"v4l2-ctl --list-devices; v4l2-ctl -d {loopback} --all; v4l2-ctl -d {loopback} --list-formats-ext")
    before, after = map(int, guest.run(IDLE).split())
    figures.note("processor while nobody looks (% of an emulated core)", (after - before) / TICKS_PER_S / 10 * 100)
    dark = len(camera.lights())

    reader = guest.python("reader.py", loopback)
    first = reader.until(lambda: frames(reader, coded=True), 60, "the camera's picture")[0]["at"]
    opened = reader.lines[0]["opened"]
    lit = [(on, at) for on, at in camera.lights()[dark:] if on]
    assert len(lit) == 1
    assert lit[0][1] > opened, "mere enumeration turned the light on"
    figures.note("reader's start to light (s)", lit[0][1] - opened)
    figures.note("reader's start to the camera's picture (s)", first - opened)

    ended = float(guest.run("cut -d' ' -f1 /proc/uptime; pkill -9 -f '[r]eader.py'"))
    for _ in range(3):  # each is over before the camera's time is
        guest.run(f"/usr/bin/python3 /host/inside/reader.py {loopback} 2")
        ended = float(guest.run("cut -d' ' -f1 /proc/uptime"))
    assert camera.lights()[-1][0], "the light went out between two looks"
    off = eventually(lambda: camera.lights()[-1][1] * (not camera.lights()[-1][0]), 60, lambda: "the light stays on")
    assert off - ended > 4.5
    assert len([on for on, _ in camera.lights()[dark:] if on]) == 1, "the light flickered"
    figures.note("last reader's end to light off, set to 5 (s)", off - ended)
