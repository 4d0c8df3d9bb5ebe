"""Cameras and virtual cameras of the guest: plugged in, torn out, loaded in one version or another."""

import json
import shutil
import signal
from collections.abc import Sequence
from typing import Any

from tests.vm.bed.guest import Guest, GuestError, Job, eventually
from tests.vm.bed.pictures import Shape, write_frames

LOOPBACKS = ("0.12.7", "0.13.2", "0.15.0")
"""v4l2loopback as Debian 12, its backports and Debian 13 have it."""

FRAMES = 64
DRIVER = "/sys/bus/usb/drivers/uvcvideo"
INTERFACE = "$(basename $(ls -d /sys/bus/usb/devices/*-1:1.0 | head -1))"


class Webcam:
    """A USB camera. serial: also its name in /dev/v4l/by-id, so no two at once with the same."""

    def __init__(self, guest: Guest, modes: Sequence[Shape], *, serial: str = "A1", port: int = 0) -> None:
        self._guest = guest
        self._facts = guest.share / f"webcam-{serial}.json"
        self.node = f"/dev/v4l/by-id/usb-vcam_tests_Test_Webcam_{serial}-video-index0"
        self._job: Job | None = None
        told = []
        for index, mode in enumerate(modes):
            folder = guest.share / f"frames-{serial}-{index}"
            shutil.rmtree(folder, ignore_errors=True)
            write_frames(folder, mode, FRAMES)
            size = [mode.width, mode.height]
            told.append({"fourcc": mode.fourcc, "size": size, "fps": mode.fps, "frames": f"/host/{folder.name}"})
        self._facts.write_text(json.dumps({"port": port, "serial": serial, "modes": told}))

    def plug(self) -> float:
        """Returns once its node is there: the guest's clock then."""
        self._job = self._guest.python("webcam.py", f"/host/{self._facts.name}")
        return self._appeared()

    def unplug(self) -> float:
        """Pull the cable: the guest's clock just before."""
        if self._job is None:
            raise GuestError("not plugged in")
        pattern = (
            f"[{self._facts.name[0]}]{self._facts.name[1:]}"  # matches the webcam, not the shell that looks for it
        )
        before = float(self._guest.run(f"cut -d' ' -f1 /proc/uptime; pkill -9 -f {pattern}"))
        self._job.wait()
        self._job = None
        return before

    def unbind(self) -> float:
        """Take the driver away: the guest's clock just before."""
        return float(self._guest.run(f"cut -d' ' -f1 /proc/uptime; echo {INTERFACE} > {DRIVER}/unbind"))

    def bind(self) -> float:
        """Give the driver back; returns once the node is there: the guest's clock then."""
        self._guest.run(f"echo {INTERFACE} > {DRIVER}/bind", check=False)
        return self._appeared()

    def bind_again(self, times: int, *, reader: Job) -> None:
        """Take the driver away and give it back, each time until ``reader`` made it stream again."""
        if self._job is None:
            raise GuestError("not plugged in")
        # A driver that is given back before its user let the camera go finds it half taken, and has no node: once more.
        looping = self._guest.start(
            f"lit() {{ grep -c 'light.: true' {self._job.file}; }}; I={INTERFACE}; cd {DRIVER}; "
            "for i in $(seq " + str(times) + "); do N=$(lit); echo $I > unbind; until [ $(lit) -gt $N ]; do "
            "[ -d $I/video4linux ] || { echo $I > unbind; echo $I > bind; }; sleep 0.2; done; done 2>/dev/null"
        )
        reader.until(lambda: not looping.running, 500, f"it streamed {times} times")

    def sent(self) -> dict[int, float]:
        """When each frame was sent, by its count."""
        return {line["frames"]: line["at"] for line in self._told() if "frames" in line}

    def lights(self) -> list[tuple[bool, float]]:
        """Every change of its light since it was plugged in, with the guest's clock."""
        return [(line["light"], line["at"]) for line in self._told() if "light" in line]

    def frames(self) -> int:
        """How many it sent since it was plugged in."""
        return max((line["frames"] for line in self._told() if "frames" in line), default=0)

    def _appeared(self) -> float:
        appear = f"until [ -c {self.node} ]; do sleep 0.05; done; cut -d' ' -f1 /proc/uptime"
        return float(self._guest.run(appear, timeout_s=60))

    def _told(self) -> list[dict[str, Any]]:
        return self._job.lines if self._job else []

    def hang(self) -> None:
        """Stay on the bus but send nothing."""
        if self._job is not None:
            self._job.send(signal.SIGSTOP)

    def toggle_refusal(self) -> None:
        """Refuse every mode that is asked for from now on, or, the next time, no more."""
        if self._job is not None:
            self._job.send(signal.SIGUSR1)

    def wake(self) -> None:
        """Go on after ``hang``."""
        if self._job is not None:
            self._job.send(signal.SIGCONT)


def live(job: Job) -> None:
    """Wait until vcam shows the camera."""
    job.until(lambda: any(line.get("state") == "live" for line in job.lines), 300, "LIVE")


def frames(reader: Job, since: float = 0.0, *, coded: bool) -> list[dict[str, Any]]:
    """What a reader was handed out since a time: frames with a number, which the camera took, or without: the card."""
    return [line for line in reader.lines if line.get("at", 0.0) > since and (line["code"] is not None) is coded]


def first(reader: Job, since: float, *, coded: bool) -> float:
    """When the reader was handed the first picture (coded) or card after a time."""
    what = "the camera's picture" if coded else "the card"
    return float(reader.until(lambda: frames(reader, since, coded=coded), 90, what)[0]["at"])


def load_loopback(guest: Guest, version: str, **options: object) -> str:
    """Load v4l2loopback with one AI-Camera; its path."""
    given = {"video_nr": 10, "card_label": "AI-Camera", "exclusive_caps": 1, **options}
    text = " ".join(f"{key}={value}" for key, value in given.items())
    unload(guest, "v4l2loopback")
    guest.run(f"modprobe videodev && insmod /opt/v4l2loopback/{version}/v4l2loopback.ko {text} && udevadm settle")
    return "/dev/video10"


def load_vivid(guest: Guest) -> str:
    """Load one virtual test camera whose picture stands still; its path."""
    unload(guest, "vivid")
    guest.run("modprobe vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0x0 vid_cap_nr=20 && udevadm settle")
    guest.run("v4l2-ctl -d /dev/video20 -c osd_text_mode=2,test_pattern=1")
    return "/dev/video20"


def unload(guest: Guest, module: str) -> None:
    """Take a module out, however long its last user needs to go."""
    if module in guest.run("lsmod"):
        eventually(lambda: not guest.start(f"rmmod {module}").wait(), 30, lambda: f"{module} is in use")
