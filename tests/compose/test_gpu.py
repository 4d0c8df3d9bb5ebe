"""The GPU's frame processor: what the CPU's one shows, frame by frame."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Self

import numpy as np
import pytest

from tests.compose.gpu_rig import SIZE, Gpu, assert_same, copies, drifting, shown
from tests.compose.rig import CAMERA, NONE, NV12, SMALL, YUYV, NoiseBackdrop, frame
from tests.native.pictures import SOURCES, TARGETS, noise
from vcam.compose.cpu import FAINT
from vcam.errors import EngineError
from vcam.fakes.device_engine import FakeDeviceEngine, Tensors, steady
from vcam.frame import Matrix, PixelFormat, Plane, Range, Size, VideoFormat
from vcam.rvm import COEFFICIENTS, SRC, STATES_IN
from vcam.stages import Scene, Stage, StageTimes, TensorSpec

FRAMES = 6
"""Two plain, two captured, two launched again."""


@pytest.mark.parametrize("graphs", [True, False])
@pytest.mark.parametrize("half", [True, False])
def test_each_frame_is_that_of_the_cpu(*, graphs: bool, half: bool) -> None:
    """With coefficients in half precision the CPU's are rounded alike, so that no more than arithmetic differs."""
    gpu = Gpu([YUYV, NV12, SMALL], half=half, graphs=graphs)
    with gpu.processor as processor, gpu.twin() as twin:
        for number in range(FRAMES):
            assert_same(shown(processor, number), shown(twin, number))
        assert processor.captured is graphs
    assert gpu.driver.leaks() == []


@pytest.mark.parametrize("blur", [0.0, 30.0])
@pytest.mark.parametrize("layout", SOURCES)
def test_every_camera_layout_into_every_output(layout: PixelFormat, blur: float) -> None:
    camera = VideoFormat(layout, 75, 43, range=Range.FULL)
    targets = [VideoFormat(each, 75, 43) for each in TARGETS]
    targets += [VideoFormat(each, 61, 37, range=Range.FULL, matrix=Matrix.BT709) for each in TARGETS]
    gpu = Gpu(targets)
    with gpu.processor as processor, gpu.twin() as twin:
        for number in range(4):
            scene = Scene(NoiseBackdrop(), blur=blur)
            assert_same(shown(processor, number, scene, camera), shown(twin, number, scene, camera))


def test_plain_launches_and_graphs_show_the_same() -> None:
    plain, graphs = Gpu([YUYV, SMALL], graphs=False), Gpu([YUYV, SMALL])
    with plain.processor as one, graphs.processor as other:
        for number in range(8):
            scene = Scene(NoiseBackdrop(), blur=20.0 * (number // 4))
            assert_same(shown(one, number, scene), shown(other, number, scene), limit=0)
        assert (one.captured, other.captured) == (False, True)
    assert "launch_graph" not in plain.driver.calls
    assert graphs.driver.calls.count("launch_graph") == 4


def test_where_no_graph_can_be_had_frames_are_queued_call_by_call(caplog: pytest.LogCaptureFixture) -> None:
    gpu = Gpu([YUYV])
    for _ in range(2):
        gpu.driver.fail("instantiate", 801)
    states = [gpu.processor.captured]
    with gpu.processor as processor, gpu.twin() as twin:
        for number in range(FRAMES):
            states.append(processor.captured)
            assert_same(shown(processor, number), shown(twin, number))
        states.append(processor.captured)
    assert states == [None, None, None, None, False, False, False, False]
    assert [record.message for record in caplog.records] == ["gpu.graph_unavailable"]


def test_formats_and_scenes_may_change_at_any_frame() -> None:
    """Each change records anew, and nothing of before is shown."""
    formats = [CAMERA, VideoFormat(PixelFormat.YUYV, 64, 48), VideoFormat(PixelFormat.NV12, 300, 200), CAMERA]
    gpu = Gpu([YUYV, SMALL])
    with gpu.processor as processor, gpu.twin() as twin:
        number = 0
        for fmt in formats:
            for blur, room in ((0.0, False), (25.0, False), (0.0, True)):
                for _ in range(3):
                    number += 1
                    scene = Scene(NoiseBackdrop(), blur=blur, show_room=room)
                    assert_same(shown(processor, number, scene, fmt), shown(twin, number, scene, fmt))


def test_equal_outputs_are_composed_once() -> None:
    backdrop = NoiseBackdrop()
    gpu = Gpu([YUYV, NV12, replace(YUYV, stride=512)])
    with gpu.processor as processor:
        first, _, third = processor.process(frame(), Scene(backdrop), StageTimes())
    assert first.planes[0] is third.planes[0]
    assert backdrop.asked == [(YUYV, 1000), (NV12, 1000)]


def test_no_person_is_the_backdrop_bit_exactly() -> None:
    """Ghosts of a level or two of 255 are no person."""
    gpu = Gpu([YUYV, NV12, SMALL], steady(NONE + 2.0 / 255.0), size=Size(16, 9), levels=FAINT)
    with gpu.processor as processor:
        for result in processor.process(frame(), Scene(NoiseBackdrop()), StageTimes()):
            wanted = noise(result.format, seed=1000 + result.format.width)
            for got, plane in zip(result.planes, wanted.planes, strict=True):
                np.testing.assert_array_equal(got, plane)


def test_results_bear_the_stamp_and_the_packed_format() -> None:
    gpu = Gpu([replace(YUYV, stride=512)])
    with gpu.processor as processor:
        (result,) = processor.process(frame(sequence=7), Scene(NoiseBackdrop()), StageTimes())
    assert (result.stamp, result.format) == (frame(sequence=7).stamp, YUYV)


def test_the_room_is_shown_only_on_demand_and_without_the_engine() -> None:
    gpu, times = Gpu([YUYV, SMALL]), StageTimes()
    room = Scene(NoiseBackdrop(), show_room=True)
    with gpu.processor as processor, gpu.twin() as twin:
        for number in range(4):
            times.clear()
            got = copies(processor.process(frame(sequence=number), room, times))
            assert_same(got, shown(twin, number, room))
        with pytest.raises(RuntimeError, match="no matte yet"):
            processor.last_alpha()
    assert gpu.engine.ran == 0
    assert set(times.seconds()) == {Stage.UPLOAD, Stage.COMPOSE, Stage.DOWNLOAD}


def test_after_the_room_and_after_a_reset_the_states_are_zero() -> None:
    seen: list[float] = []

    def compute(inputs: Tensors) -> Tensors:
        seen.append(float(max(np.abs(inputs[name]).max() for name in STATES_IN)))
        return drifting()(inputs)

    gpu, room = Gpu([YUYV], compute), Scene(NoiseBackdrop(), show_room=True)
    with gpu.processor as processor:
        for number in range(3):
            shown(processor, number)
        processor.reset()
        processor.reset()
        shown(processor, 3)
        shown(processor, 4)
        shown(processor, 5, room)
        shown(processor, 6)
    with gpu.processor as processor:
        shown(processor, 7)
    assert [value == 0 for value in seen] == [True, False, False, True, False, True, True]


def test_the_last_alpha_is_that_of_the_frame() -> None:
    gpu = Gpu([SMALL], levels=FAINT)
    with gpu.processor as processor, gpu.twin() as twin:
        with pytest.raises(RuntimeError, match="no matte yet"):
            processor.last_alpha()
        kept: list[tuple[Plane, Plane]] = []
        for number in range(4):
            shown(processor, number)
            shown(twin, number)
            kept.append((processor.last_alpha(), twin.last_alpha()))
        again = processor.last_alpha()
    for got, wanted in kept:
        assert got.shape == (96, 160)
        assert_same([(got,)], [(wanted,)])
    np.testing.assert_array_equal(again, kept[-1][0])


def test_times_are_taken_per_stage_by_events() -> None:
    """The fake GPU's clock: every piece of work takes the same. A wait in between would be seen as a second one."""
    gpu, times = Gpu([YUYV]), StageTimes()
    with gpu.processor as processor:
        for number in range(FRAMES):
            times.clear()
            before = gpu.driver.calls.count("synchronize_stream")
            processor.process(frame(sequence=number), Scene(NoiseBackdrop()), times)
            assert set(times.seconds()) == {
                Stage.UPLOAD,
                Stage.SAMPLE,
                Stage.INFER,
                Stage.COMPOSE,
                Stage.DOWNLOAD,
            }
            assert all(seconds > 0 for seconds in times.seconds().values())
        assert gpu.driver.calls.count("synchronize_stream") - before == 1


def test_a_frame_that_failed_took_no_time() -> None:
    gpu, times = Gpu([YUYV]), StageTimes()
    with gpu.processor as processor:
        gpu.driver.fail("copy_to_host", 2)
        with pytest.raises(EngineError):
            processor.process(frame(), Scene(NoiseBackdrop()), times)
    assert Stage.INFER not in times.seconds()


def test_it_may_be_opened_by_one_thread_used_by_another_and_closed_by_a_third() -> None:
    gpu = Gpu([YUYV])
    results: list[object] = []
    for work in (
        gpu.processor.__enter__,
        lambda: results.extend(shown(gpu.processor, number) for number in range(FRAMES)),
        lambda: gpu.processor.__exit__(None, None, None),
    ):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert len(results) == FRAMES
    assert gpu.driver.leaks() == []


def test_the_engine_is_open_exactly_inside_with_and_closing_twice_is_harmless() -> None:
    gpu = Gpu([YUYV])
    states = [gpu.engine.is_open]
    with gpu.processor as entered:
        states.append(gpu.engine.is_open)
        assert entered.info == gpu.engine.info
        assert entered.device.facts.name == "Fake GPU"
    assert [*states, gpu.engine.is_open] == [False, True, False]
    gpu.processor.__exit__(None, None, None)
    with gpu.processor:
        assert len(shown(gpu.processor, 1)) == 1
    assert gpu.engine.opened == 2
    assert gpu.driver.leaks() == []


def test_closed_it_says_so() -> None:
    gpu = Gpu([YUYV])
    gpu.processor.reset()
    for use in (
        lambda: shown(gpu.processor, 1),
        gpu.processor.last_alpha,
        lambda: gpu.processor.allocate(1),
        lambda: gpu.processor.device,
    ):
        with pytest.raises(RuntimeError, match="outside its `with` block"):
            use()


def test_an_engine_that_does_not_open_leaves_nothing_behind() -> None:
    gpu = Gpu([YUYV])

    class Unwilling(FakeDeviceEngine):
        def __enter__(self) -> Self:
            raise EngineError("no", hint="this is a test")

    gpu.processor._engine = Unwilling(gpu.driver, SIZE, drifting())
    with pytest.raises(EngineError, match="no"):
        gpu.processor.__enter__()
    gpu.processor.__exit__(None, None, None)
    assert gpu.driver.leaks() == []


WRONG: dict[str, tuple[dict[str, TensorSpec | None], str]] = {
    "no b": ({COEFFICIENTS[1]: None}, "tensor b should be"),
    "a batch of two": ({SRC: TensorSpec((2, 3, 18, 32), half=False)}, "tensor src should be"),
    "two types": ({COEFFICIENTS[0]: TensorSpec((1, 4, 18, 32), half=True)}, "A and b are of two types"),
    "a state that does not fit": ({STATES_IN[2]: TensorSpec((1, 40, 9, 9), half=False)}, "do not fit"),
    "a state too few": ({STATES_IN[2]: None}, "do not fit"),
    "a stranger": ({"what": TensorSpec((1,), half=False)}, "nobody knows its tensor what"),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_engine_with_other_tensors_is_refused(case: str) -> None:
    change, text = WRONG[case]
    gpu = Gpu([YUYV])

    class Other(FakeDeviceEngine):
        @property
        def tensors(self) -> Mapping[str, TensorSpec]:
            changed = {**super().tensors, **change}
            return {name: spec for name, spec in changed.items() if spec is not None}

    gpu.processor._engine = Other(gpu.driver, SIZE, drifting())
    with pytest.raises(EngineError, match=text):
        gpu.processor.__enter__()
    assert gpu.driver.leaks() == []
