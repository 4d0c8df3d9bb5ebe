"""The CPU frame processor: right pictures, and none at all where the matte is not of this frame."""

from dataclasses import replace
from typing import Self

import numpy as np
import pytest

from tests.compose.rig import (
    CAMERA,
    NONE,
    NV12,
    SMALL,
    UNCHANGED,
    YUYV,
    NoiseBackdrop,
    SoftEngine,
    assert_close,
    frame,
    planes_of,
    process,
)
from tests.native import reference
from tests.native.pictures import as_floats, noise
from vcam import native
from vcam.compose.cpu import CpuFrameProcessor
from vcam.errors import EngineError
from vcam.fakes import FakeEngine
from vcam.frame import Image, PixelFormat, Size, Stamp, VideoFormat, allocate_planes
from vcam.stages import Scene, Stage, StageTimes


def test_each_output_is_composed_in_its_own_format() -> None:
    engine, backdrop, image = SoftEngine(), NoiseBackdrop(), frame()
    with CpuFrameProcessor(engine, [YUYV, NV12], UNCHANGED) as processor:
        results = process(processor, image, Scene(backdrop))
    for target, result in zip((YUYV, NV12), results, strict=True):
        assert result.format == target
        assert result.stamp == image.stamp
        background = noise(target, seed=1000 + 160)
        assert_close(result.planes, reference.composed(image, as_floats(engine.a), as_floats(engine.b), background))
    assert backdrop.asked == [(YUYV, 1000), (NV12, 1000)]


def test_the_engine_sees_the_sampled_picture() -> None:
    engine, image = SoftEngine(), frame()
    with CpuFrameProcessor(engine, [YUYV]) as processor:
        process(processor, image)
    np.testing.assert_allclose(engine.seen[0], reference.resized(reference.rgb(image), 9, 16), atol=5e-5)


def test_an_output_of_another_shape_shows_the_middle_of_the_picture() -> None:
    """A person on the left half of the camera's middle square is on the left half of a square output."""
    mask = NONE.copy()
    mask[:, :8] = 1.0
    image = noise(CAMERA)
    for plane in image.planes:
        plane[:] = 90
    with CpuFrameProcessor(FakeEngine(mask), [SMALL, YUYV], UNCHANGED) as processor:
        small, same = process(processor, image)
    assert same.format.size == Size(160, 96)
    background = noise(SMALL, seed=1 + 60)
    person = reference.packed(reference.encoded(reference.rgb(image), SMALL), YUYV)[0][0, 0]
    assert np.abs(small.planes[0][:, :26].astype(int) - int(person)).max() <= 1
    np.testing.assert_array_equal(small.planes[0][:, 34:], background.planes[0][:, 34:])


def test_equal_outputs_are_composed_once() -> None:
    backdrop = NoiseBackdrop()
    with CpuFrameProcessor(SoftEngine(), [YUYV, NV12, replace(YUYV, stride=512)]) as processor:
        first, _, third = process(processor, frame(), Scene(backdrop))
    assert first.planes[0] is third.planes[0]
    assert len(backdrop.asked) == 2


def test_no_person_is_the_backdrop_bit_exactly() -> None:
    with CpuFrameProcessor(FakeEngine(NONE), [YUYV, NV12, SMALL]) as processor:
        results = process(processor, frame())
    for result in results:
        wanted = noise(result.format, seed=1000 + result.format.width)
        for got, plane in zip(result.planes, wanted.planes, strict=True):
            np.testing.assert_array_equal(got, plane)


def test_ghosts_of_a_level_or_two_are_no_person() -> None:
    with CpuFrameProcessor(FakeEngine(NONE + 2.0 / 255.0), [YUYV]) as processor:
        (result,) = process(processor, frame())
    np.testing.assert_array_equal(result.planes[0], noise(YUYV, seed=1160).planes[0])


def test_nothing_is_allocated_after_the_first_frame() -> None:
    with CpuFrameProcessor(SoftEngine(), [YUYV, SMALL]) as processor:
        first = process(processor, frame(sequence=1), Scene(NoiseBackdrop(), blur=30))
        second = process(processor, frame(sequence=2), Scene(NoiseBackdrop(), blur=30))
    for before, after in zip(first, second, strict=True):
        assert all(np.shares_memory(a, b) for a, b in zip(before.planes, after.planes, strict=True))


def test_times_are_measured_per_stage() -> None:
    times = StageTimes()
    with CpuFrameProcessor(SoftEngine(), [YUYV]) as processor:
        process(processor, frame(), times=times)
    assert set(times.seconds()) == {Stage.SAMPLE, Stage.INFER, Stage.COMPOSE}


def test_the_camera_may_change_its_format() -> None:
    formats = [CAMERA, VideoFormat(PixelFormat.YUYV, 64, 48), VideoFormat(PixelFormat.NV12, 300, 200), CAMERA]
    engine = SoftEngine()
    with CpuFrameProcessor(engine, [YUYV, SMALL], UNCHANGED) as processor:
        for number, fmt in enumerate(formats):
            image = frame(fmt, number)
            results = planes_of(process(processor, image))
            with CpuFrameProcessor(SoftEngine(), [YUYV, SMALL], UNCHANGED) as fresh:
                for got, wanted in zip(results, planes_of(process(fresh, image)), strict=True):
                    assert_close(got, wanted, limit=0)


def test_blur_shows_the_room_without_the_backdrop() -> None:
    image = noise(CAMERA)
    for plane in image.planes:
        plane[:] = 90
    backdrop = NoiseBackdrop()
    with CpuFrameProcessor(FakeEngine(NONE), [YUYV, SMALL]) as processor:
        results = process(processor, image, Scene(backdrop, blur=50.0))
    assert backdrop.asked == []
    for result in results:
        wanted = allocate_planes(result.format)[1]
        native.convert(image if result.format.size == CAMERA.size else flat(result.format), wanted, result.format)
        assert_close(result.planes, wanted)


def flat(target: VideoFormat) -> Image:
    fmt = CAMERA.resized(target.size)
    _, planes = allocate_planes(fmt)
    for plane in planes:
        plane[:] = 90
    return Image(planes, fmt, Stamp(0, 0))


def test_the_room_is_shown_only_on_demand_and_without_the_engine() -> None:
    engine, image = SoftEngine(), frame()
    times = StageTimes()
    with CpuFrameProcessor(engine, [YUYV, SMALL]) as processor:
        same, small = process(processor, image, Scene(NoiseBackdrop(), show_room=True), times)
        with pytest.raises(RuntimeError, match="no matte yet"):
            processor.last_alpha()
    wanted = allocate_planes(YUYV)[1]
    native.convert(image, wanted, YUYV)
    np.testing.assert_array_equal(same.planes[0], wanted[0])
    assert small.format == SMALL
    assert small.planes[0].std() > 0.0
    assert (engine.mattes, engine.resets) == (0, 0)
    assert set(times.seconds()) == {Stage.COMPOSE}


def test_after_the_room_was_shown_the_engine_starts_afresh() -> None:
    engine = SoftEngine()
    with CpuFrameProcessor(engine, [YUYV]) as processor:
        process(processor, frame(sequence=1))
        process(processor, frame(sequence=2), Scene(NoiseBackdrop(), show_room=True))
        process(processor, frame(sequence=3), Scene(NoiseBackdrop(), show_room=True))
        process(processor, frame(sequence=4))
    assert engine.resets == 1


def test_the_last_alpha_is_that_of_the_frame() -> None:
    engine, image = SoftEngine(), frame()
    with CpuFrameProcessor(engine, [SMALL], UNCHANGED) as processor:
        with pytest.raises(RuntimeError, match="no matte yet"):
            processor.last_alpha()
        process(processor, image)
        got = processor.last_alpha()
    alpha, _ = reference.matte_at(image, as_floats(engine.a), as_floats(engine.b))
    assert got.dtype == np.uint8
    np.testing.assert_allclose(got, 255.0 * alpha, atol=0.55)


def test_the_engine_is_open_exactly_inside_with_and_closing_twice_is_harmless() -> None:
    engine = FakeEngine(NONE)
    processor = CpuFrameProcessor(engine, [YUYV])
    states = [engine.is_open]
    with processor as entered:
        states.append(engine.is_open)
        assert entered.info == engine.info
    assert [*states, engine.is_open] == [False, True, False]
    processor.__exit__(None, None, None)
    with processor:
        assert len(process(processor, frame())) == 1
    assert engine.opened == 2


def test_an_engine_that_does_not_open_leaves_nothing_behind() -> None:
    class Unwilling(FakeEngine):
        def __enter__(self) -> Self:
            raise EngineError("no", hint="this is a test")

    processor = CpuFrameProcessor(Unwilling(NONE), [YUYV])
    with pytest.raises(EngineError, match="no"):
        processor.__enter__()
    processor.__exit__(None, None, None)


def test_reset_reaches_the_engine_once_per_frame_at_most() -> None:
    engine = FakeEngine(NONE)
    with CpuFrameProcessor(engine, [YUYV]) as processor:
        processor.reset()
        assert engine.resets == 0
        process(processor, frame())
        processor.reset()
        processor.reset()
    assert engine.resets == 1
