"""The compose file, brought up: hardened, watched, restarted, with a /dev that follows hot-plug."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from tests.container.conftest import add_camera
from tests.container.engine import Appliance, eventually, inspect

Make = Callable[..., Appliance]

SCENE = ("run", "-i", "test:320x180@10", "-o", "null:", "-e", "plate")

OPEN = """
import os, errno
def attempt(path):
    try:
        os.close(os.open(path, os.O_RDWR))
        return "opened"
    except OSError as error:
        return errno.errorcode[error.errno]
"""


def test_it_comes_up_healthy_and_tells_prometheus(appliance: Make) -> None:
    vcam = appliance(*SCENE)
    vcam.up()
    assert vcam.health() == "healthy"
    eventually(lambda: 'vcam_state{state="live"} 1.0' in vcam.get("/metrics")[1], 20, "never LIVE")
    assert 'vcam_engine_info{device="cpu",engine="plate"' in vcam.get("/metrics")[1]


def test_it_may_do_nothing_it_need_not(appliance: Make) -> None:
    vcam = appliance(*SCENE)
    vcam.up()
    status = dict(
        line.split(":", 1)
        for line in vcam.python("print(open('/proc/self/status').read())").splitlines()
        if ":" in line
    )
    assert int(status["CapEff"], 16) == 0
    assert int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"
    assert status["Uid"].split() == ["10001"] * 4
    assert (
        vcam.python(
            f"{OPEN}\nimport pathlib\ntry: pathlib.Path('/opt/vcam/x').touch()\nexcept OSError as e: print(e.strerror)"
        ).strip()
        == "Read-only file system"
    )
    host = inspect(vcam.container)["HostConfig"]
    assert (host["ReadonlyRootfs"], host["PidsLimit"], host["Privileged"]) == (True, 256, False)
    assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}


def test_cameras_come_and_go_while_it_runs_and_nothing_else_can_be_opened(appliance: Make, dev: Path) -> None:
    os.mknod(dev / "mem", stat.S_IFCHR, os.makedev(1, 1))
    (dev / "mem").chmod(0o666)
    vcam = appliance(*SCENE)
    vcam.up()

    def attempt(path: str) -> str:
        return vcam.python(f"{OPEN}\nprint(attempt({path!r}))").strip()

    # ENXIO: let through to the kernel, which has no such driver here. EPERM: the device cgroup said no.
    assert (attempt("/dev/video0"), attempt("/dev/mem"), attempt("/dev/video7")) == ("ENXIO", "EPERM", "ENOENT")
    add_camera(dev, 7)
    (dev / "v4l/by-id/usb-camera").symlink_to("../../video7")
    assert attempt("/dev/v4l/by-id/usb-camera") == "ENXIO"
    (dev / "video7").unlink()
    assert attempt("/dev/v4l/by-id/usb-camera") == "ENOENT"
    add_camera(dev, 9)
    (dev / "v4l/by-id/usb-camera").unlink()
    (dev / "v4l/by-id/usb-camera").symlink_to("../../video9")
    assert attempt("/dev/v4l/by-id/usb-camera") == "ENXIO"


def test_a_stop_is_clean_and_quick(appliance: Make) -> None:
    vcam = appliance(*SCENE)
    vcam.up()
    vcam.compose("stop", "vcam")
    state = inspect(vcam.container)["State"]
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False)


def test_a_crash_is_restarted(appliance: Make) -> None:
    vcam = appliance(*SCENE)
    vcam.up()
    vcam.kill()
    eventually(lambda: vcam.restarts() == 1 and vcam.health() == "healthy", 30, "it was not restarted")


def test_the_state_outlives_the_container(appliance: Make) -> None:
    vcam = appliance(*SCENE)
    vcam.up()
    vcam.python("open('/var/lib/vcam/kept', 'w').write('x')")
    vcam.compose("rm", "--stop", "--force", "vcam")
    vcam.up()
    assert vcam.python("print(open('/var/lib/vcam/kept').read())").strip() == "x"


def test_without_network_it_says_so_and_goes_on_with_the_engine_that_needs_none(appliance: Make) -> None:
    vcam = appliance("run", "-i", "test:320x180@10", "-o", "null:")
    override = vcam.override.read_text().replace("}}", ", network_mode: none, ports: !reset []}}")
    vcam.override.write_text(override)
    vcam.up()
    eventually(lambda: any(event["event"] == "engine.ready" for event in vcam.logs()), 60, "no engine")
    problem = next(event for event in vcam.logs() if event["event"] == "engine.no_network")
    assert "vcam model prepare" in problem["hint"]
    ready = next(event for event in vcam.logs() if event["event"] == "engine.ready")
    assert (ready["engine"], vcam.restarts()) == ("plate", 0)
