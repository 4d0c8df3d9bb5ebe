"""The shipped rule and units, unchanged: plug a camera in and it is there, pull it out and its instance ends."""

from collections.abc import Callable, Iterator

import pytest

from tests.vm.bed.devices import Webcam, frames, unload
from tests.vm.bed.figures import Figures
from tests.vm.bed.guest import Guest, eventually

Webcams = Callable[..., Webcam]

SETUP = "bash /opt/bed/app/scripts/host-setup.sh --yes"
SETTINGS = "VCAM_ENGINE=plate VCAM_WIDTH=320 VCAM_HEIGHT=180 VCAM_FPS=5 VCAM_BACKGROUND=none".replace(" ", "\\n")
DROP_IN = "/etc/systemd/system/vcam@.service.d/patience.conf"
PATIENCE = "[Service]\\nTimeoutStartSec=600\\nWatchdogSec=120\\n"
"""The emulated processor is that slow when its host is busy. All else is as shipped."""
JOURNAL = "journalctl -u 'vcam@*' -n 40 -o cat --no-pager"
EXPOSED_AT_MOST = 3.0
"""systemd-analyze security: 0 is shut in completely, 10 not at all."""


def active(guest: Guest) -> list[str]:
    """Instances that run, or are about to."""
    told = guest.run("systemctl list-units --no-legend --plain --state=active,activating,reloading 'vcam@*'")
    return sorted(line.split()[0] for line in told.splitlines())


def value(guest: Guest, unit: str, key: str) -> str:
    return guest.run(f"systemctl show -p {key} --value {unit}").strip()


@pytest.fixture
def installed(guest: Guest) -> Iterator[Guest]:
    """Set up as the README says it, with the checkout's vcam in place of an installation of its own."""
    try:
        guest.run(f"{SETUP} --runtime native --vcam /opt/bed/bin/vcam --no-packages", timeout_s=120)
        guest.run(
            f"printf '{SETTINGS}\\n' > /etc/vcam/vcam.env; printf '{PATIENCE}' > {DROP_IN}; systemctl daemon-reload"
        )
        yield guest
    finally:
        guest.clean()
        guest.run(f"systemctl stop 'vcam@*'; rm -f {DROP_IN}; {SETUP} --uninstall", timeout_s=120, check=False)
        unload(guest, "v4l2loopback")


def test_from_plug_in_to_stop(installed: Guest, webcam: Webcams, figures: Figures) -> None:
    guest = installed
    first, second = webcam(serial="A1"), webcam(serial="B2", port=1)
    guest.run("cmp /opt/bed/app/udev/90-vcam.rules /etc/udev/rules.d/90-vcam.rules")
    assert active(guest) == [], "a virtual camera started something"

    plugged = first.plug()
    unit = eventually(lambda: active(guest), 60, lambda: guest.run(JOURNAL))[0]
    assert unit.startswith("vcam@Test_Webcam_A1_at_")
    started = guest.clock()
    eventually(lambda: value(guest, unit, "ActiveState") == "active", 400, lambda: guest.run(JOURNAL))
    reader = guest.python("reader.py", "/dev/video10")
    shown = reader.until(lambda: frames(reader, coded=True), 120, "the camera's picture")[0]["at"]
    assert active(guest) == [unit], "the metadata node or AI-Camera started something"
    figures.note("plug-in to systemd's start of its instance, at most (s)", started - plugged)
    figures.note("plug-in to the camera's picture at a reader, by systemd (s)", shown - plugged)
    told = guest.run(f"systemd-analyze security --no-pager {unit} | tail -1").strip()
    figures.note("systemd-analyze security", told.partition(": ")[2])
    assert float(told.partition(": ")[2].split()[0]) <= EXPOSED_AT_MOST, told

    second.plug()
    eventually(lambda: len(active(guest)) == 2, 60, lambda: guest.run(JOURNAL))
    other = next(each for each in active(guest) if each != unit)
    eventually(lambda: value(guest, other, "ActiveState") == "active", 400, lambda: guest.run(JOURNAL))
    claims = set(guest.run("journalctl -u 'vcam@*' -o cat --no-pager | grep -o '/dev/video1.*port.*'").splitlines())
    assert claims == {"/dev/video10, metrics on port 9435", "/dev/video11, metrics on port 9437"}
    assert guest.run("fuser /dev/video11 2>/dev/null").split() == [value(guest, other, "MainPID")]
    gone = second.unplug()
    eventually(lambda: active(guest) == [unit], 60, lambda: str(active(guest)))
    figures.note("unplug to its instance's end, at most (s)", guest.clock() - gone)

    main = value(guest, unit, "MainPID")
    guest.run(f"kill -9 {main}")
    died = guest.clock()
    black = reader.until(lambda: frames(reader, died, coded=False), 30, "no face without vcam")[0]["at"]
    back = reader.until(lambda: frames(reader, black, coded=True), 400, "the picture after a crash")[0]["at"]
    assert value(guest, unit, "MainPID") not in (main, "0")
    figures.note("crash to the camera's picture at the same reader, by systemd (s)", back - died)

    before = guest.clock()
    guest.run(f"systemctl stop {unit}")
    figures.note("systemctl stop (s)", guest.clock() - before)
    assert value(guest, unit, "Result") == "success"
    assert guest.run("fuser /dev/video10 2>/dev/null; true").split() == [
        guest.run("pgrep -f '^/usr/bin/python3 /host/inside/reader.py'").strip()
    ]
