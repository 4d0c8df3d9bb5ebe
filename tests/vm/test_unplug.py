"""A camera that fails: its readers see the card. And how long a picture takes to them."""

from collections.abc import Callable

from tests.vm.bed.devices import FRAMES, Webcam, frames, live
from tests.vm.bed.figures import Figures, percentile
from tests.vm.bed.guest import Guest, Job

Webcams = Callable[..., Webcam]
Vcams = Callable[..., Job]


def test_a_camera_that_hangs_gives_the_card(
    guest: Guest, webcam: Webcams, vcam: Vcams, loopback: str, figures: Figures
) -> None:
    camera = webcam()
    camera.plug()
    live(vcam(f"-i {camera.node} -o {loopback}"))
    reader = guest.python("reader.py", loopback)
    reader.until(lambda: len(frames(reader, coded=True)) > 30, 90, "the camera's picture")
    sent = camera.sent()
    seen = {line["code"]: line for line in frames(reader, coded=True)}
    newest = max(sent)
    recent = {count: sent[count] for count in sent if count > newest - FRAMES // 2}
    delays = [(seen[(c - 1) % FRAMES], at) for c, at in recent.items() if (c - 1) % FRAMES in seen]
    to_reader = [line["at"] - at for line, at in delays if line["at"] > at]
    to_driver = [line["stamp"] - at for line, at in delays if line["at"] > at]
    figures.note("camera's last byte to reader, p50 (s)", percentile(to_reader, 0.5))
    figures.note("camera's last byte to reader, p95 (s)", percentile(to_reader, 0.95))
    figures.note("of that until vcam's write, p50 (s)", percentile(to_driver, 0.5))
    before = reader.lines[-1]["at"]
    camera.hang()
    reader.until(lambda: frames(reader, before, coded=False), 60, "the card")
    camera.wake()
