"""A camera that fails: its readers see the card and never an error, and the picture again once it is back."""

from collections.abc import Callable

from tests.vm.bed.devices import FRAMES, Webcam, first, frames, live, unload
from tests.vm.bed.figures import Figures, percentile
from tests.vm.bed.guest import Guest, Job
from tests.vm.bed.pictures import Shape

Webcams = Callable[..., Webcam]
Vcams = Callable[..., Job]

WAYS = ("cable", "other mode", "driver", "module", "number")
CYCLES = 100
GROWTH_KB = 8192


def footprint(guest: Guest) -> tuple[int, int, int]:
    """vcam's descriptors, threads and memory (kB)."""
    told = guest.run(
        "P=$(pgrep -n -f '^/mnt/python/bin/python3 -m vcam run'); ls /proc/$P/fd | wc -l; ls /proc/$P/task | wc -l; "
        "awk '/^VmRSS/ {print $2}' /proc/$P/status"
    )
    descriptors, threads, memory = map(int, told.split())
    return descriptors, threads, memory


def come_back(guest: Guest, webcam: Webcams, way: str, camera: Webcam) -> tuple[Webcam, float]:
    """The camera, and the guest's clock when its node was there again."""
    if way == "driver":
        guest.run("sleep 1")  # until vcam has closed it, the old driver keeps the streaming interface
        return camera, camera.bind()
    if way == "other mode":
        camera = webcam(Shape("MJPG", 640, 360))
    elif way == "module":
        unload(guest, "uvcvideo")
        guest.run("modprobe uvcvideo")
    elif way == "number":
        webcam(serial="B2", port=1).plug()
    return camera, camera.plug()


def test_the_card_comes_and_goes_however_the_camera_goes(
    guest: Guest, webcam: Webcams, vcam: Vcams, loopback: str, figures: Figures
) -> None:
    camera = webcam()
    camera.plug()
    job = vcam(f"-i {camera.node} -o {loopback}")
    live(job)
    reader = guest.python("reader.py", loopback)
    reader.until(lambda: frames(reader, coded=True), 60, "the camera's picture")
    cards, returns = [], []
    numbers = [guest.run(f"readlink -f {camera.node}")]

    def lost() -> bool:
        """The card for a camera that is gone is what vcam shows now."""
        states = [line for line in job.lines if line.get("event") == "pipeline.state"]
        return bool(states[-1]["reason"] == "camera_lost")

    for way in WAYS:
        gone = camera.unbind() if way == "driver" else camera.unplug()
        reader.until(lambda: reader.lines[-1]["code"] is None and lost(), 60, "the card")
        # The card after the very last picture: an emulated camera may have been late before that.
        newest = max(line["at"] for line in frames(reader, coded=True))
        cards.append(first(reader, max(gone, newest), coded=False) - gone)
        camera, back = come_back(guest, webcam, way, camera)
        returns.append(first(reader, back, coded=True) - back)
        numbers.append(guest.run(f"readlink -f {camera.node}"))
    assert numbers[-1] != numbers[-2], "it was to have another number"
    assert reader.running
    assert not [line for line in reader.lines if "error" in line]
    assert [line["event"] for line in job.lines if line.get("event") in ("sink.opened", "output.failed")] == [
        "sink.opened"
    ]
    figures.note("unplug to card at a reader, slowest of 5 (s)", max(cards))
    figures.note("unplug to card at a reader, p50 (s)", percentile(cards, 0.5))
    figures.note("node's return to picture at a reader, slowest of 5 (s)", max(returns))
    figures.note("node's return to picture at a reader, p50 (s)", percentile(returns, 0.5))

    reader.stop()
    camera.bind_again(CYCLES // 3, reader=job)
    early = footprint(guest)
    camera.bind_again(CYCLES - CYCLES // 3, reader=job)
    last = footprint(guest)
    figures.note(f"descriptors, threads, memory (kB) after {CYCLES // 3} and {CYCLES} losses", f"{early} {last}")
    assert last[:2] <= early[:2]
    assert last[2] - early[2] < GROWTH_KB


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
    stamped = [line["stamp"] - at for line, at in delays if line["at"] > at]
    latency = [line["at"] - line["stamp"] for line, at in delays if line["at"] > at]
    assert percentile(stamped, 0.5) < percentile(to_reader, 0.5) / 2, "not the camera's time, but that of writing"
    for name, values in (("camera's time stamp", latency), ("of that from its last byte", to_reader)):
        figures.note(f"{name} to reader, p50 (s)", percentile(values, 0.5))
        figures.note(f"{name} to reader, p95 (s)", percentile(values, 0.95))
    before = reader.lines[-1]["at"]
    camera.hang()
    reader.until(lambda: frames(reader, before, coded=False), 60, "the card")
    camera.wake()


def test_a_computer_that_slept_shows_the_camera_again(
    guest: Guest, webcam: Webcams, vcam: Vcams, loopback: str, figures: Figures
) -> None:
    """As far as the guest can sleep: every program is frozen. Its devices stay on, its share would not outlive it."""
    camera = webcam()
    camera.plug()
    live(vcam(f"-i {camera.node} -o {loopback}"))
    reader = guest.python("reader.py", loopback)
    for away in (False, True):
        first(reader, guest.clock(), coded=True)
        if away:  # many a camera is another one to the bus after a sleep
            camera.unbind()
        guest.run("echo freezer > /sys/power/pm_test; echo freeze > /sys/power/state")
        woke = guest.clock()
        if away:
            woke = camera.bind()
        figures.note(
            f"wake to picture at a reader{', of a camera that left' * away} (s)", first(reader, woke, coded=True) - woke
        )
    assert not [line for line in reader.lines if "error" in line]
