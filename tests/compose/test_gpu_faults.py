"""Whatever fails on the GPU, and whenever: the right picture of this very frame, or an error and none."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.compose.gpu_rig import Gpu, assert_same, shown
from tests.compose.rig import CAMERA, SMALL, YUYV, NoiseBackdrop
from tests.support.native_kernels import native_kernels
from vcam.cuda.driver import Bytes
from vcam.cuda.errors import ILLEGAL_ADDRESS, OUT_OF_MEMORY
from vcam.errors import EngineError, GpuError, GpuLostError
from vcam.fakes import FakeDriver
from vcam.frame import PixelFormat, VideoFormat
from vcam.stages import Scene

TARGETS = [YUYV, SMALL]
OTHER = VideoFormat(PixelFormat.NV12, 64, 48)
FORMATS = [CAMERA, CAMERA, CAMERA, CAMERA, CAMERA, OTHER, OTHER]
BLURS = [0, 0, 0, 0, 30, 30, 0]


def story(gpu: Gpu, *, begin: Callable[[], None] = lambda: None) -> list[EngineError | None]:
    """Frames in and out of formats and scenes. Each that gives a picture gives that of a CPU which was reset by the
    same errors; the errors are returned."""
    errors: list[EngineError | None] = []
    with gpu.processor as processor, gpu.twin() as twin:
        begin()
        for number, (fmt, blur) in enumerate(zip(FORMATS, BLURS, strict=True)):
            scene = Scene(NoiseBackdrop(), blur=blur)
            try:
                got = shown(processor, number, scene, fmt)
                assert_same(got, shown(twin, number, scene, fmt))
                assert_same([(processor.last_alpha(),)], [(twin.last_alpha(),)])
                errors.append(None)
            except EngineError as error:
                with pytest.raises(RuntimeError, match="no matte yet"):
                    processor.last_alpha()
                if not isinstance(error, GpuLostError):  # the camera's memory may be written again
                    assert all(not stream.queue for stream in gpu.driver._state.streams()), (
                        "the camera's memory is free"
                    )
                twin.reset()
                errors.append(error)
    return errors


def moments() -> dict[str, list[int]]:
    """Calls, and work on the GPU (``run NAME``), of the story: which of those of a name to try. All that are few."""
    gpu = Gpu(TARGETS)
    begun: list[int] = []
    assert story(gpu, begin=lambda: begun.extend((len(gpu.driver.calls), len(gpu.driver.ran)))) == [None] * len(FORMATS)
    names = [*gpu.driver.calls[begun[0] :], *(f"run {name}" for name in gpu.driver.ran[begun[1] :])]
    assert {"launch_graph", "elapsed_ms", "allocate", "run engine", "run copy_to_host"} <= set(names)
    counts = {name: names.count(name) for name in names}
    return {name: sorted({1 + at * count // MOST for at in range(MOST)} | {count}) for name, count in counts.items()}


MOST = 4
ENDING = frozenset(
    {"destroy_graph", "free", "free_host", "destroy_executable", "destroy_event", "destroy_stream", "unload_module"}
)
"""What it does not free because it fails is not freed."""


@pytest.mark.parametrize("code", [OUT_OF_MEMORY, ILLEGAL_ADDRESS])
def test_a_fault_at_any_call_gives_an_error_and_no_picture(code: int) -> None:
    # What fails on the GPU itself, and not in a call, spoils the context for good.
    tried = {call: on for call, on in moments().items() if code == ILLEGAL_ADDRESS or not call.startswith("run ")}
    for call, numbers in tried.items():
        for on in numbers:
            gpu = Gpu(TARGETS)
            errors = story(gpu, begin=partial(gpu.driver.fail, call, code, on=on))
            met = [at for at, error in enumerate(errors) if error is not None]
            if code == ILLEGAL_ADDRESS:
                after = errors[met[0] :] if met else []
                assert all(isinstance(error, GpuLostError) for error in after), f"{call} {on}: lost once, lost for good"
            else:
                assert len(met) <= 1, f"{call} {on}: the next frame is good"
                assert not any(isinstance(error, GpuLostError) for error in errors)
            assert gpu.driver.leaks() == [] or call in ENDING, f"{call} {on}"


@pytest.mark.parametrize("code", [OUT_OF_MEMORY, ILLEGAL_ADDRESS])
def test_a_fault_while_opening_leaves_nothing_behind(code: int) -> None:
    sound = Gpu(TARGETS)
    with sound.processor:
        calls = list(sound.driver.calls)
    for at, call in enumerate(calls):
        gpu = Gpu(TARGETS)
        gpu.driver.fail(call, code, on=calls[: at + 1].count(call))
        with pytest.raises(GpuError):
            gpu.processor.__enter__()
        assert gpu.driver.leaks() == []
        assert not gpu.engine.is_open
        gpu.processor.__exit__(None, None, None)
        if code == OUT_OF_MEMORY:
            with gpu.processor as processor:
                shown(processor, 1)
            assert gpu.driver.leaks() == []


def test_after_a_fault_frames_are_captured_again() -> None:
    gpu = Gpu(TARGETS)
    with gpu.processor as processor:
        for number in range(4):
            shown(processor, number)
        assert processor.captured
        gpu.driver.fail("launch_graph", OUT_OF_MEMORY)
        with pytest.raises(GpuError):
            shown(processor, 4)
        before = gpu.driver.calls.count("instantiate")
        for number in range(5, 10):
            shown(processor, number)
        assert gpu.driver.calls.count("instantiate") == before + 2


class LyingDriver(FakeDriver):
    """Says that what it was told is queued, and lets it go."""

    drop = ""

    def launch_graph(self, executable: int, *, cuda_stream: int) -> None:
        if self.drop != "graph":
            super().launch_graph(executable, cuda_stream=cuda_stream)

    def copy_to_host(self, host: Bytes, address: int, *, cuda_stream: int) -> None:
        if self.drop != "download":
            super().copy_to_host(host, address, cuda_stream=cuda_stream)


@pytest.mark.parametrize("drop", ["graph", "download"])
def test_pictures_that_did_not_arrive_are_not_those_of_a_frame_before(drop: str) -> None:
    gpu = Gpu(TARGETS, graphs=drop == "graph", driver=LyingDriver(native_kernels()))
    assert isinstance(gpu.driver, LyingDriver)
    with gpu.processor as processor:
        for number in range(5):
            shown(processor, number)
        gpu.driver.drop = drop
        gpu_error = "did not arrive|not through" if drop == "graph" else "did not arrive"
        with pytest.raises(GpuError, match=gpu_error):
            shown(processor, 5)
        gpu.driver.drop = ""
        shown(processor, 6)
