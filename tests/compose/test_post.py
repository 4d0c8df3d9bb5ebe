"""The CPU frame processor with corrections of the edge: when they act, what they cost, what they forget."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.compose.rig import CAMERA, NV12, SMALL, YUYV, NoiseBackdrop, SoftEngine, frame, planes_of, process
from vcam import native
from vcam.compose.cpu import CpuFrameProcessor
from vcam.fakes import FakeEngine
from vcam.frame import AffineMatte, Image, PixelFormat, Plane, Size, Stamp, Tensor, VideoFormat
from vcam.stages import MatteControls, Scene, StageTimes

SMOOTH = MatteControls(smoothing=1.0)
ALL = MatteControls(1.0, 1.0, 1.0)
UNCHANGED = native.Levels()


class StepEngine(FakeEngine):
    """The same alpha at each pixel: the next of a list with each frame."""

    def __init__(self, *alphas: float) -> None:
        super().__init__(np.zeros((9, 16), np.float32))
        self._alphas = list(alphas)

    def matte(self, small: Tensor, stamp: Stamp) -> AffineMatte:
        super().matte(small, stamp)
        b = np.zeros((4, 9, 16), np.float32)
        b[3] = self._alphas.pop(0)
        return AffineMatte(np.zeros_like(b), b, stamp)


def scene(controls: MatteControls, **keys: float) -> Scene:
    return replace(Scene(NoiseBackdrop(), matte=controls), **keys)  # type: ignore[arg-type]  # fields of Scene


def same_picture(sequence: int, fmt: VideoFormat = CAMERA) -> Image:
    return replace(frame(fmt, 1), stamp=Stamp(sequence * 1000, sequence))


def level(alpha: Plane) -> float:
    return float(alpha.mean()) / 255.0


def test_off_it_does_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither memory nor a call: what composes is what composed before there were corrections."""

    def refuse(_size: Size) -> None:
        raise AssertionError("corrections were made ready")

    monkeypatch.setattr(native, "PersonEdge", refuse)
    with CpuFrameProcessor(SoftEngine(), [YUYV], UNCHANGED) as processor:
        (got,) = planes_of(process(processor, frame(), scene(MatteControls())))
    engine, image = SoftEngine(), frame()
    out = tuple(np.empty_like(plane) for plane in got)
    backdrop = NoiseBackdrop().render(YUYV, image.stamp.pts_ns)
    native.compose(image, AffineMatte(engine.a, engine.b, image.stamp), backdrop, out)
    for plane, wanted in zip(got, out, strict=True):
        np.testing.assert_array_equal(plane, wanted)


@pytest.mark.parametrize("controls", [SMOOTH, MatteControls(refine=1.0), MatteControls(despill=1.0), ALL])
def test_every_output_gets_the_corrected_matte(controls: MatteControls) -> None:
    """As PersonEdge makes it, also where an output crops the camera's picture."""
    image = frame()
    with CpuFrameProcessor(SoftEngine(), [YUYV, SMALL], UNCHANGED) as processor:
        got = planes_of(process(processor, image, scene(controls)))
        alpha = processor.last_alpha()
    engine = SoftEngine()
    matte = AffineMatte(engine.a, engine.b, image.stamp)
    edge, small = native.PersonEdge(Size(16, 9)), np.zeros((3, 9, 16), np.float32)
    native.sample(image, small)
    edge.prepare(small, matte, controls)
    wanted_alpha, plain_alpha = np.empty_like(alpha), np.empty_like(alpha)
    edge.alpha(image, wanted_alpha)
    native.alpha(image, matte, plain_alpha)
    np.testing.assert_array_equal(alpha, wanted_alpha)
    out = tuple(np.empty_like(plane) for plane in got[0])
    edge.compose(image, NoiseBackdrop().render(YUYV, image.stamp.pts_ns), out)
    for plane, wanted in zip(got[0], out, strict=True):
        np.testing.assert_array_equal(plane, wanted)
    with CpuFrameProcessor(SoftEngine(), [YUYV, SMALL], UNCHANGED) as processor:
        plain = planes_of(process(processor, image, scene(MatteControls())))
    differs = [bool((a[0] != b[0]).any()) for a, b in zip(got, plain, strict=True)]
    assert differs == [controls != SMOOTH] * 2, "the first frame has nothing to be smoothed with"


def test_smoothing_remembers_from_frame_to_frame() -> None:
    with CpuFrameProcessor(StepEngine(0.4, 0.6, 0.6), [YUYV], UNCHANGED) as processor:
        levels = []
        for sequence in (1, 2, 3):
            process(processor, same_picture(sequence), scene(SMOOTH))
            levels.append(level(processor.last_alpha()))
    assert levels == pytest.approx([0.4, 0.42, 0.438], abs=0.003)


def reset(processor: CpuFrameProcessor) -> None:
    processor.reset()


def show_room(processor: CpuFrameProcessor) -> None:
    process(processor, same_picture(2), Scene(NoiseBackdrop(), show_room=True))


def another_camera(processor: CpuFrameProcessor) -> None:
    pass  # the frame after it has another format


def open_again(processor: CpuFrameProcessor) -> None:
    processor.__exit__(None, None, None)
    processor.__enter__()


@pytest.mark.parametrize("forget", [reset, show_room, another_camera, open_again])
def test_what_came_before_is_forgotten(forget: Callable[[CpuFrameProcessor], None]) -> None:
    after = same_picture(3)
    if forget is another_camera:
        after = replace(after, format=replace(after.format, pixel_format=PixelFormat.I422, stride=CAMERA.width + 16))
    with CpuFrameProcessor(StepEngine(0.4, 0.6), [YUYV], UNCHANGED) as processor:
        process(processor, same_picture(1), scene(SMOOTH))
        forget(processor)
        process(processor, after, scene(SMOOTH))
        assert level(processor.last_alpha()) == pytest.approx(0.6, abs=0.003)


def test_a_frame_without_smoothing_forgets_too() -> None:
    with CpuFrameProcessor(StepEngine(0.4, 0.5, 0.6), [YUYV], UNCHANGED) as processor:
        for sequence, controls in enumerate((SMOOTH, MatteControls(), SMOOTH), start=1):
            process(processor, same_picture(sequence), scene(controls))
        assert level(processor.last_alpha()) == pytest.approx(0.6, abs=0.003)


def test_a_covered_picture_stays_covered_after_a_person() -> None:
    """The matte of this frame is empty: only the backdrop's bytes leave, though the last was all person."""
    with CpuFrameProcessor(StepEngine(1.0, 1.0, 0.0), [YUYV, NV12]) as processor:
        for sequence in (1, 2):
            process(processor, same_picture(sequence), scene(ALL))
        got = planes_of(process(processor, same_picture(3), scene(ALL)))
    for planes, fmt in zip(got, (YUYV, NV12), strict=True):
        for plane, wanted in zip(planes, NoiseBackdrop().render(fmt, 3000).planes, strict=True):
            np.testing.assert_array_equal(plane, wanted)


def test_the_blurred_room_is_corrected_too_and_time_is_counted() -> None:
    times = StageTimes()
    with CpuFrameProcessor(SoftEngine(), [YUYV], UNCHANGED) as processor:
        (plain,) = planes_of(process(processor, frame(), scene(MatteControls(), blur=40.0)))
        (got,) = planes_of(process(processor, frame(), scene(ALL, blur=40.0), times))
    assert (plain[0] != got[0]).any()
    assert len(times.seconds()) == 3


def test_last_alpha_after_a_reset_is_the_engine_s() -> None:
    with CpuFrameProcessor(StepEngine(0.4, 0.6), [YUYV], UNCHANGED) as processor:
        process(processor, same_picture(1), scene(SMOOTH))
        process(processor, same_picture(2), scene(SMOOTH))
        processor.reset()
        assert level(processor.last_alpha()) == pytest.approx(0.6, abs=0.003)
