"""Cameras: what the driver gives is what vcam sees, byte for byte, and what a bad camera gives is not shown."""

import io
import re
import signal
from collections.abc import Callable
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.vm.bed.devices import FRAMES, Webcam
from tests.vm.bed.guest import Guest, Job
from tests.vm.bed.pictures import Picture, Shape, jpeg, yuyv

_numbers = count()

Webcams = Callable[..., Webcam]
Capture = Callable[..., tuple[Job, Path]]


@pytest.fixture
def capture(guest: Guest, request: pytest.FixtureRequest) -> Capture:
    """Starts vcam's capture alone: (its job, the folder that its frames go to)."""

    def start(device: str, size: str, fps: int, count: int, fourcc: str = "") -> tuple[Job, Path]:
        folder = f"capture-{next(_numbers)}"
        command = (
            f"exec /opt/bed/bin/python /host/inside/capture.py {device} {size} {fps} {count} /host/{folder} {fourcc}"
        )
        return guest.start(command), guest.share / folder

    return start


def facts_of(job: Job) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """What was chosen, each frame, the losses."""
    assert job.wait(120) == 0, job.output
    first, *frames, losses = job.lines
    return first, frames, losses


@pytest.mark.parametrize("fourcc", ["YUYV", "MJPG"])
def test_a_webcams_frames_are_those_it_sent(webcam: Webcams, capture: Capture, fourcc: str) -> None:
    camera = webcam(Shape(fourcc))
    camera.plug()
    job, folder = capture(camera.node, "320 180", 5, 6)
    chosen, frames, _ = facts_of(job)
    assert chosen["fourcc"] == fourcc
    sent = [jpeg(320, 180, n) if fourcc == "MJPG" else yuyv(320, 180, n).tobytes() for n in range(FRAMES)]
    numbers = [sent.index((folder / f"{n}.frame").read_bytes()) for n in range(6)]
    assert numbers == sorted(set(numbers))
    assert [f["sequence"] - frames[0]["sequence"] for f in frames] == [n - numbers[0] for n in numbers]
    assert all(0.0 <= f["at"] - f["pts"] < 1.0 for f in frames)


def test_a_jpegs_pixels_are_those_of_another_decoder(webcam: Webcams, capture: Capture) -> None:
    camera = webcam(Shape("MJPG"))
    camera.plug()
    job, folder = capture(camera.node, "320 180", 5, 2)
    facts_of(job)
    expected = ycbcr((folder / "1.frame").read_bytes())
    planes = np.frombuffer((folder / "1.planes").read_bytes(), np.uint8)
    luma, blue, red = np.split(planes, [320 * 180, 320 * 180 * 3 // 2])
    assert np.array_equal(luma.reshape(180, 320), expected[..., 0])
    for plane, wanted in ((blue, expected[..., 1]), (red, expected[..., 2])):
        # The other decoder smooths chroma over neighbours: equal where it is flat.
        assert np.median(np.abs(plane.reshape(180, 160).astype(int) - wanted[:, 0::2])) == 0


@pytest.mark.parametrize("fourcc", ["YUYV", "NV12"])
def test_vivids_pixels_are_those_that_v4l2_ctl_sees(guest: Guest, vivid: str, capture: Capture, fourcc: str) -> None:
    job, folder = capture(vivid, "320 180", 5, 3, fourcc)
    chosen, _, _ = facts_of(job)
    size = f"width={chosen['width']},height={chosen['height']}"
    other = guest.file("vivid.raw")
    stream = "--stream-mmap --stream-count=1 --stream-to=/host/vivid.raw"
    guest.run(f"v4l2-ctl -d {vivid} -v {size},pixelformat={fourcc} {stream}")
    assert chosen["fourcc"] == fourcc
    assert {(folder / f"{n}.frame").read_bytes() for n in range(3)} == {other.read_bytes()}


def test_the_rate_is_chosen_before_the_format(webcam: Webcams, capture: Capture) -> None:
    camera = webcam(Shape("YUYV", 640, 360, (5,)), Shape("MJPG", 640, 360, (30, 15, 5)))
    camera.plug()
    chosen, _, _ = facts_of(capture(camera.node, "640 360", 30, 1)[0])
    assert (chosen["fourcc"], round(1 / chosen["interval"])) == ("MJPG", 30)


def test_after_a_pause_the_newest_frame_is_read_and_the_others_counted(webcam: Webcams, capture: Capture) -> None:
    camera = webcam(Shape("YUYV", fps=(15,)))
    camera.plug()
    job, _ = capture(camera.node, "320 180", 15, 12)
    job.until(lambda: len(job.lines) > 3, 60, "the first frames")
    job.send(signal.SIGSTOP)
    before = camera.frames()
    job.until(lambda: camera.frames() > before + 10, 60, "ten more frames")
    job.send(signal.SIGCONT)
    _, frames, losses = facts_of(job)
    sequences = [frame["sequence"] for frame in frames]
    assert losses["stale"] >= 1
    assert max(later - earlier for earlier, later in pairwise(sequences)) > 1
    assert sequences == sorted(set(sequences))


def test_frames_that_a_broken_camera_sends_are_refused_and_the_good_ones_shown(
    guest: Guest, webcam: Webcams, capture: Capture
) -> None:
    camera = webcam(Shape("MJPG"))
    good = jpeg(320, 180, 1)
    bad = [good[: len(good) // 2], b"\xff\xd8" + bytes(range(256)) * 8, b"\x00" * 500, good]
    folder = next(guest.share.glob("frames-A1-0"))
    for n, path in enumerate(sorted(folder.iterdir())):
        path.write_bytes(bad[n % len(bad)])
    camera.plug()
    job, folder = capture(camera.node, "320 180", 5, 8)
    _, frames, _ = facts_of(job)
    for number, facts in enumerate(frames):
        assert ("problem" in facts) == ((folder / f"{number}.frame").read_bytes() != good), facts


def test_frames_without_huffman_tables_are_decoded(guest: Guest, webcam: Webcams, capture: Capture) -> None:
    camera = webcam(Shape("MJPG"))
    folder = next(guest.share.glob("frames-A1-0"))
    for path in folder.iterdir():
        path.write_bytes(without_tables(path.read_bytes()))
    camera.plug()
    job, folder = capture(camera.node, "320 180", 5, 2)
    _, frames, _ = facts_of(job)
    assert not [facts for facts in frames if "problem" in facts]
    lumas = [ycbcr(jpeg(320, 180, n))[..., 0] for n in range(FRAMES)]
    for n in range(2):
        luma = np.frombuffer((folder / f"{n}.planes").read_bytes(), np.uint8)[: 320 * 180].reshape(180, 320)
        assert any(np.array_equal(luma, expected) for expected in lumas)


def ycbcr(data: bytes) -> Picture:
    """A JPEG by another decoder, (H, W, 3)."""
    opened = Image.open(io.BytesIO(data))
    opened.draft("YCbCr", None)
    return np.asarray(opened)


def without_tables(data: bytes) -> bytes:
    """A JPEG as many cameras send it: its Huffman tables (ITU-T T.81, B.2.4.2) are known to everybody."""
    found = 0
    while (at := data.find(b"\xff\xc4")) >= 0:
        data = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]
        found += 1
    assert found
    return data


def test_a_camera_that_another_program_holds_is_told_of(guest: Guest, webcam: Webcams, capture: Capture) -> None:
    camera = webcam()
    camera.plug()
    other = guest.start(f"exec v4l2-ctl -d {camera.node} --stream-mmap --stream-count=10000 --stream-to=/dev/null")
    other.until(lambda: camera.frames() > 1, 60, "its frames")
    job, _ = capture(camera.node, "320 180", 5, 1)
    assert job.wait(120) != 0
    assert re.search(r"DeviceError: .* is in use by v4l2-ctl", job.output), job.output
    other.stop()
    facts_of(capture(camera.node, "320 180", 5, 1)[0])


def test_a_camera_that_refuses_every_mode_is_told_of(webcam: Webcams, capture: Capture) -> None:
    camera = webcam()
    camera.plug()
    camera.toggle_refusal()
    job, _ = capture(camera.node, "320 180", 5, 1)
    assert job.wait(120) != 0
    assert re.search(r"DeviceError: .* refuses every mode", job.output), job.output
    camera.toggle_refusal()
    facts_of(capture(camera.node, "320 180", 5, 1)[0])
