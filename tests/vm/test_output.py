"""Virtual cameras: every reader gets the bytes that vcam wrote, in the format and colours that it declared."""

import re
from collections.abc import Callable

import numpy as np
import pytest

from tests.vm.bed.devices import FRAMES, LOOPBACKS, Webcam, live, load_loopback
from tests.vm.bed.figures import Figures
from tests.vm.bed.guest import Guest, Job, eventually
from tests.vm.bed.pictures import yuyv

Webcams = Callable[..., Webcam]
Vcams = Callable[..., Job]

COUNT = 4
COLOURS = (r"Transfer Function *: Rec. 709", r"YCbCr/HSV Encoding *: ITU-R 601", r"Quantization *: Limited Range")
"""What decides the pixels. The colorspace is SMPTE 170M, for which v4l2loopback 0.12 says sRGB."""

BLACK = b"\x10\x80" * 320 * 180

READERS = {
    "v4l2-ctl": "v4l2-ctl -d {node} --stream-mmap=3 --stream-count={count} --stream-to={file}",
    "ffmpeg": "ffmpeg -v error -y -f v4l2 -i {node} -frames:v {count} -f rawvideo -pix_fmt yuyv422 {file}",
    "GStreamer": "gst-launch-1.0 -q v4l2src device={node} num-buffers={count} ! video/x-raw,format=YUY2 "
    "! filesink location={file}",
    "OpenCV": "/opt/bed/bin/python /host/inside/opencv.py {node} {count} {file}",
}

OTHER_PRODUCER = "exec ffmpeg -v error -re -f lavfi -i testsrc=size=320x180:rate=5 -pix_fmt yuyv422 -f v4l2 {node}"


@pytest.mark.parametrize("version", LOOPBACKS)
def test_every_reader_gets_the_cameras_pixels_and_their_colours(
    guest: Guest, webcam: Webcams, vcam: Vcams, version: str
) -> None:
    node = load_loopback(guest, version)
    camera = webcam()
    camera.plug()
    live(vcam(f"-i {camera.node} -o {node}"))
    sent = [yuyv(320, 180, number).tobytes() for number in range(FRAMES)]
    for name, command in READERS.items():
        got = guest.file("read.raw")
        guest.run(command.format(node=node, count=COUNT, file="/host/read.raw"), timeout_s=120)
        data = got.read_bytes()
        frames = [data[at : at + len(sent[0])] for at in range(0, len(data), len(sent[0]))]
        assert len(frames) == COUNT, name
        # The first may tell of silence in the past: an emulated start holds vcam up for longer than two seconds.
        assert frames[0] in (*sent, BLACK), name
        assert all(frame in sent for frame in frames[1:]), name
    told = guest.run(f"v4l2-ctl -d {node} --get-fmt-video")
    for fact in COLOURS:
        assert re.search(fact, told), told


def faults(guest: Guest, node: str) -> set[str]:
    """What v4l2-compliance holds against a device."""
    told = guest.run(f"v4l2-compliance -d {node}", check=False, timeout_s=300)
    assert "Total for v4l2 loopback device" in told, told
    return {line.strip() for line in told.splitlines() if line.endswith(": FAIL")}


def test_v4l2_compliance_finds_no_fault_that_is_not_the_modules(
    guest: Guest, webcam: Webcams, vcam: Vcams, loopback: str, figures: Figures
) -> None:
    other = guest.start(OTHER_PRODUCER.format(node=loopback))
    eventually(lambda: guest.run(f"v4l2-ctl -d {loopback} --get-fmt-video", check=False), 60, lambda: other.output)
    module = faults(guest, loopback)
    other.stop()
    camera = webcam()
    camera.plug()
    live(vcam(f"-i {camera.node} -o {loopback}"))
    ours = faults(guest, loopback)
    figures.note("v4l2-compliance: faults of v4l2loopback 0.15.0 with ffmpeg, with vcam", f"{len(module)}, {len(ours)}")
    assert ours <= module
    got = guest.file("read.raw")
    guest.run(READERS["v4l2-ctl"].format(node=loopback, count=2, file="/host/read.raw"))
    assert got.stat().st_size == 2 * 320 * 180 * 2


def test_two_outputs_have_sizes_and_formats_of_their_own(guest: Guest, webcam: Webcams, vcam: Vcams) -> None:
    load_loopback(guest, "0.15.0", devices=2, video_nr="10,11", card_label="AI-Camera,Second", exclusive_caps="1,1")
    camera = webcam()
    camera.plug()
    live(vcam(f"-i {camera.node} -o /dev/video10,format=NV12 -o /dev/video11,size=160x90,format=YU12"))
    for node, size in (("/dev/video10", (320, 180)), ("/dev/video11", (160, 90))):
        got = guest.file("read.raw")
        guest.run(READERS["v4l2-ctl"].format(node=node, count=2, file="/host/read.raw"))
        width, height = size
        data = np.frombuffer(got.read_bytes(), np.uint8)
        assert data.size == 2 * width * height * 3 // 2
        data = data[data.size // 2 :]  # the first may tell of silence in the past, as above
        luma = data[: width * height].reshape(height, width)
        bars = yuyv(320, 180, 0)[90, :, 0][:: 320 // width]
        # Away from the bars' edges, where a smaller picture has mixed pixels.
        assert np.median(np.abs(luma[height // 2].astype(int) - bars)) <= 1
