"""Corrections along the person's edge on the GPU against native.PersonEdge."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cuda.kernel_rig import (
    PACKED,
    PLACES,
    KernelRig,
    Live,
    MakeRig,
    Place,
    assert_alike,
    assert_equal,
    examples,
    make_rig,
    rounded,
    windows,
    without_padding,
)
from tests.native.pictures import SEEDS, SOURCES, STAMP, TARGETS, blank, formats, matte, noise
from vcam import native
from vcam.cuda.arguments import DeviceMatte
from vcam.cuda.edge import DeviceEdge, edge_bytes
from vcam.fakes import FakeDriver
from vcam.frame import AffineMatte, Image, Levels, PixelFormat, Plane, Range, Size, Tensor, VideoFormat, Window
from vcam.stages import MatteControls

__all__ = ["make_rig"]

CAMERA = VideoFormat(PixelFormat.I422, 322, 182, range=Range.FULL)
TARGET = VideoFormat(PixelFormat.YUYV, 322, 182)
LOW = (102, 180)
"""(h, w): more than one node per cell of the least size."""

ALL = MatteControls(smoothing=0.9, despill=0.8, refine=0.7)
LEVELS = Levels(2.0 / 255.0, 253.0 / 255.0)
STRENGTHS = st.sampled_from([0.0, 0.4, 1.0])
LOW_SIZES = st.tuples(st.integers(1, 60), st.integers(1, 60))


@dataclass(frozen=True)
class Frame:
    small: Tensor
    matte: AffineMatte


def frame(low: tuple[int, int], number: int, seed: int = 0) -> Frame:
    """A soft disc that moves before a room of some colours; the picture has noise, so that some of it is still."""
    height, width = low
    rng = np.random.default_rng(seed)
    room, person = rng.uniform(0.0, 1.0, (2, 3))
    y, x = np.mgrid[0:height, 0:width]
    away = np.hypot((x + 0.5) / width - 0.45 - 0.02 * number, (y + 0.5) / height - 0.55)
    alpha = np.clip(0.5 + (0.3 - away) * 5.0, 0.0, 1.0)
    colours = room[:, None, None] * (1 - alpha) + person[:, None, None] * alpha
    colours[0] = np.clip(colours[0] + 0.2 * np.sin(x / 7.0), 0.0, 1.0)
    small = np.clip(colours + np.random.default_rng((seed, number)).normal(0.0, 0.01, colours.shape), 0.0, 1.0)
    model = matte(low, alpha=0.0)
    model.a[3] = 0.3 * alpha
    model.b[3] = alpha * 0.9 - 0.05
    model.b[:3] = 0.1 * alpha
    return Frame(small.astype(np.float32), model)


def halved(given: Frame, *, half: bool) -> Frame:
    """What reaches a GPU of this precision."""
    small = given.small.astype(np.float16).astype(np.float32) if half else given.small
    return Frame(small, rounded(given.matte, half=half))


class DeviceRun:
    """Frames of one size on the GPU, one after the other."""

    def __init__(self, rig: KernelRig, low: tuple[int, int], *, half: bool = True, levels: Levels = LEVELS) -> None:
        size = Size(low[1], low[0])
        self._rig, self._half, self._levels, self._turn = rig, half, levels, 0
        self._edge = DeviceEdge(rig.kernels, size, rig.memory(np.full(edge_bytes(size), 0xFF, np.uint8)))

    def prepare(
        self, given: Frame, controls: MatteControls, picture: Size = CAMERA.size, window: Window | None = None
    ) -> DeviceMatte:
        small = self._rig.memory(given.small.astype(np.float16 if self._half else np.float32))
        live = Live(picture, window, self._levels, controls)
        model = self._rig.matte(given.matte, half=self._half, live=live)
        self._turn = 1 - self._turn
        return self._edge.prepare(
            small, model, controls, self._turn, small_half=self._half, cuda_stream=self._rig.stream
        )


def composed(
    rig: KernelRig, image: Image, model: DeviceMatte, background: Image, place: Place = PACKED
) -> tuple[Plane, ...]:
    out = rig.blank(background.format, place)
    source, under = rig.picture(image, place), rig.picture(background, place)
    rig.kernels.compose(source, model, under, out, rig.flag(), cuda_stream=rig.stream)
    return rig.planes(out)


def alpha_of(rig: KernelRig, image: Image, model: DeviceMatte) -> Plane:
    shape = (image.format.height, image.format.width)
    out = rig.memory(np.zeros(shape, np.uint8))
    rig.kernels.alpha(rig.picture(image), model, out, cuda_stream=rig.stream)
    return rig.read(out, shape, np.uint8).view(np.uint8)


@pytest.mark.parametrize(
    "controls",
    [
        MatteControls(smoothing=1.0),
        MatteControls(refine=1.0),
        MatteControls(despill=1.0),
        MatteControls(refine=0.5, despill=0.5),
        ALL,
    ],
    ids=str,
)
@pytest.mark.parametrize("half", [True, False])
def test_frame_after_frame(make_rig: MakeRig, controls: MatteControls, half: bool) -> None:
    twin = native.PersonEdge(Size(LOW[1], LOW[0]))
    changed = 0
    with make_rig() as rig:
        run = DeviceRun(rig, LOW, half=half)
        for number in range(5):
            given = frame(LOW, number)
            image, background = noise(CAMERA, number), noise(TARGET, number + 10)
            on_cpu = halved(given, half=half)
            twin.prepare(on_cpu.small, on_cpu.matte, controls, levels=LEVELS)
            wanted, alpha = blank(TARGET), np.empty((182, 322), np.uint8)
            twin.compose(image, background, wanted)
            twin.alpha(image, alpha)
            model = run.prepare(given, controls)
            got = composed(rig, image, model, background)
            assert_alike(got, wanted)
            assert_alike([alpha_of(rig, image, model)], [alpha])
            plain = composed(rig, image, replace(model, corrections=None), background)
            changed += int(np.count_nonzero(plain[0] != got[0]))
        if isinstance(rig.driver, FakeDriver):
            assert rig.driver.ran.count("launch compose_edge") == 5
    assert changed > 1000


@examples(50)
@given(
    source=formats(SOURCES),
    target=formats(TARGETS),
    low=LOW_SIZES,
    seed=SEEDS,
    place=PLACES,
    half=st.booleans(),
    controls=st.builds(MatteControls, smoothing=STRENGTHS, refine=STRENGTHS, despill=STRENGTHS),
    data=st.data(),
)
def test_any_picture(
    make_rig: MakeRig,
    source: VideoFormat,
    target: VideoFormat,
    low: tuple[int, int],
    seed: int,
    place: Place,
    half: bool,
    controls: MatteControls,
    data: st.DataObject,
) -> None:
    image, background = noise(source, seed), noise(target.resized(source.size), seed + 1)
    fmt, window = background.format, data.draw(windows(low))
    twin, wanted = native.PersonEdge(Size(low[1], low[0])), blank(background.format)
    with make_rig() as rig:
        run = DeviceRun(rig, low, half=half)
        for number in range(2):
            given = frame(low, number, seed)
            on_cpu = halved(given, half=half)
            twin.prepare(on_cpu.small, on_cpu.matte, controls, levels=LEVELS)
            model = run.prepare(given, controls, source.size, window)
        twin.compose(image, background, wanted, window=window)
        got = composed(rig, image, model, background, place)
    assert_alike(without_padding(got, fmt), without_padding(wanted, fmt))


@pytest.mark.parametrize("target", TARGETS)
def test_where_this_frames_alpha_is_zero_the_background_stays(make_rig: MakeRig, target: PixelFormat) -> None:
    image, background = noise(CAMERA, 1), noise(replace(TARGET, pixel_format=target), 2)
    with make_rig() as rig:
        run = DeviceRun(rig, LOW)
        for number in range(3):
            run.prepare(frame(LOW, number), ALL)
        gone = frame(LOW, 3)
        model = run.prepare(Frame(gone.small, matte(LOW, alpha=0.0)), ALL)
        assert_equal(composed(rig, image, model, background), background.planes)


def test_filling_the_state_forgets_all_frames(make_rig: MakeRig) -> None:
    image = noise(CAMERA, 1)
    size = Size(LOW[1], LOW[0])
    controls = MatteControls(smoothing=1.0)
    with make_rig() as rig:
        memory = rig.memory(np.full(edge_bytes(size), 0xFF, np.uint8))
        edge = DeviceEdge(rig.kernels, size, memory)
        seen = []
        for number, turn in ((0, 0), (0, 0), (9, 1), (9, 0)):
            if number == 0:
                rig.write(memory, np.full(edge.state_bytes, 0xFF, np.uint8))
            given = frame(LOW, 0)
            level = AffineMatte(given.matte.a, given.matte.b - 0.01 * number, STAMP)
            model = rig.matte(level, half=True, live=Live(CAMERA.size, None, LEVELS, controls))
            small = rig.memory(given.small.astype(np.float16))
            corrected = edge.prepare(small, model, controls, turn, small_half=True, cuda_stream=rig.stream)
            seen.append(alpha_of(rig, image, corrected))
    np.testing.assert_array_equal(seen[0], seen[1])
    assert (seen[2].astype(int) < seen[1]).any()  # it follows
    assert (seen[3].astype(int) < seen[2]).any()


def test_mattes_of_another_size_are_refused(make_rig: MakeRig) -> None:
    with make_rig() as rig:
        run = DeviceRun(rig, LOW)
        with pytest.raises(ValueError, match="180x102, got 60x40"):
            run.prepare(frame((40, 60), 0), ALL)
