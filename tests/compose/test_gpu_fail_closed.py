"""A room in a marker colour before a GPU that fails: without a finite matte of this very frame nothing is shown."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from tests.compose.gpu_rig import Gpu, copies
from tests.pipeline import room
from tests.support.host_kernels import host_kernels
from tests.support.native_kernels import native_kernels
from vcam.cuda.errors import ILLEGAL_ADDRESS, OUT_OF_MEMORY
from vcam.errors import EngineError, MatteInvalidError
from vcam.fakes import FakeDriver
from vcam.fakes.device_engine import Compute, Tensors, steady
from vcam.frame import Image, Plane, Size, Stamp, Tensor, split_planes
from vcam.looks import ColorMap
from vcam.rvm import COEFFICIENTS, STATES_OUT
from vcam.stages import Framing, MatteControls, PersonLook, Scene, StageTimes

Spoil = Callable[[dict[str, Tensor]], object]
"""Changes what an engine is about to write."""

A, B = COEFFICIENTS
SIZE = Size(20, 12)


def picture(number: int) -> Image:
    data = np.frombuffer(room.camera_picture(), np.uint8)
    return Image(split_planes(data, room.CAMERA), room.CAMERA, Stamp(number * 1000, number))


def show(gpu: Gpu, number: int, scene: Scene) -> tuple[Plane, ...]:
    return copies(gpu.processor.process(picture(number), scene, StageTimes()))[0]


def spoiling(at: Mapping[int, Spoil]) -> Compute:
    """The person's mask; the outputs of the n-th inference are changed first, or taken away."""
    good, count = steady(room.mask()), iter(range(1000))

    def compute(inputs: Tensors) -> Tensors:
        outputs = {name: np.array(values) for name, values in good(inputs).items()}
        spoil = at.get(next(count))
        if spoil is not None:
            spoil(outputs)
        return outputs

    return compute


def make(compute: Compute, *, half: bool = False, graphs: bool = True) -> Gpu:
    return Gpu([room.OUTPUT], compute, size=SIZE, half=half, graphs=graphs)


EFFECTS = Scene(
    room.GreenBackdrop(),
    matte=MatteControls(0.5, 0.5, 0.5, threshold=0.6, softness=0.8, grow=-0.2),
    person=PersonLook(0.9, 1.1, 1.2, 1.2, 1.3, 0.1, ColorMap.NONE, blur=20.0, hologram=0.3, light_wrap=0.4),
    framing=Framing(mirror=True, flip=True, zoom=1.2, pan_x=0.3),
)
"""All at once, each so weak that the marker would still be known."""

SCENES = {
    "a picture": Scene(room.GreenBackdrop()),
    "a blurred room": Scene(room.GreenBackdrop(), blur=40.0),
    "every effect": EFFECTS,
}


def make_for(scene: Scene, compute: Compute | None = None) -> Gpu:
    """Only the real kernels know looks and corrections."""
    kernels = host_kernels() if scene is EFFECTS else native_kernels()
    return Gpu([room.OUTPUT], compute or steady(room.mask()), size=SIZE, driver=FakeDriver(kernels))


def shows_somebody(picture: tuple[Plane, ...]) -> bool:
    """Whether something light stands before the green, in the middle."""
    return int(picture[0][96, 150]) > 150 and int(picture[1][48, 75]) > 100


def poke(name: str, value: float) -> Spoil:
    def change(outputs: dict[str, Tensor]) -> None:
        outputs[name][0, 3, 2, 2] = value

    return change


SPOILT: dict[str, Spoil] = {
    "NaN in A": poke(A, np.nan),
    "NaN in b": poke(B, np.nan),
    "infinite": poke(A, np.inf),
    "minus infinite": poke(B, -np.inf),
    "A not written": lambda outputs: outputs.pop(A),
    "b not written": lambda outputs: outputs.pop(B),
    "nothing written": lambda outputs: outputs.clear(),
}


@pytest.mark.parametrize("name", SCENES)
def test_the_check_can_fail(name: str) -> None:
    """Negative control: a matte that covers everything lets the marker through, and the check sees it."""
    with (gpu := make_for(SCENES[name], steady(np.ones((12, 20), np.float32)))).processor:
        assert room.leaks(show(gpu, 0, SCENES[name]))


def test_with_every_effect_nothing_but_the_person_is_shown() -> None:
    with (gpu := make_for(EFFECTS)).processor:
        for number in range(4):
            shown = show(gpu, number, EFFECTS)
            assert shows_somebody(shown)
            assert not room.leaks(shown)


@pytest.mark.parametrize("case", ["NaN in A", "infinite", "nothing written"])
def test_with_every_effect_a_matte_that_is_not_finite_gives_no_picture(case: str) -> None:
    with (gpu := make_for(EFFECTS, spoiling({1: SPOILT[case], 5: SPOILT[case]}))).processor:
        for number in range(8):
            if number in (1, 5):
                with pytest.raises(MatteInvalidError):
                    show(gpu, number, EFFECTS)
            else:
                assert not room.leaks(show(gpu, number, EFFECTS))


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("graphs", [True, False])
@pytest.mark.parametrize("case", SPOILT)
def test_a_matte_that_is_not_finite_gives_no_picture(case: str, *, graphs: bool, half: bool) -> None:
    """At a plain frame, and at one that was captured. The text is that of the CPU's processor."""
    scene = Scene(room.GreenBackdrop())
    gpu = make(spoiling({1: SPOILT[case], 5: SPOILT[case]}), half=half, graphs=graphs)
    with gpu.processor as processor:
        for number in range(8):
            if number in (1, 5):
                with pytest.raises(
                    MatteInvalidError, match="the engine fake returned coefficients that are not finite"
                ):
                    show(gpu, number, scene)
                with pytest.raises(RuntimeError, match="no matte yet"):
                    processor.last_alpha()
            else:
                assert room.shows_person(shown := show(gpu, number, scene))
                assert not room.leaks(shown)


@pytest.mark.parametrize("name", SCENES)
def test_no_fault_shows_the_room(name: str) -> None:
    """Each call of a frame that was captured, and each piece of its work, fails in turn."""
    scene = SCENES[name]
    with (gpu := make_for(scene)).processor:
        for number in range(4):
            show(gpu, number, scene)
        before, done = len(gpu.driver.calls), len(gpu.driver.ran)
        show(gpu, 4, scene)
        calls = [(call, OUT_OF_MEMORY) for call in gpu.driver.calls[before:]]
        calls += [(f"run {work}", ILLEGAL_ADDRESS) for work in gpu.driver.ran[done:]]
    for at, (call, code) in enumerate(calls):
        with (gpu := make_for(scene)).processor:
            for number in range(4):
                show(gpu, number, scene)
            gpu.driver.fail(call, code, on=[name for name, _ in calls[: at + 1]].count(call))
            with pytest.raises(EngineError):
                show(gpu, 4, scene)
            if code == OUT_OF_MEMORY:
                again = show(gpu, 5, scene)
                assert shows_somebody(again)
                assert scene.blur or not room.leaks(again)


def test_an_engine_that_fails_gives_no_picture() -> None:
    """While it is queued plainly, and while it is captured: then the frame is queued call by call."""

    def fail() -> None:
        raise EngineError("it broke", hint="this is a test")

    scene = Scene(room.GreenBackdrop())
    gpu = Gpu([room.OUTPUT], steady(room.mask()), size=SIZE, faults={0: fail, 3: fail})
    with gpu.processor:
        with pytest.raises(EngineError, match="it broke"):
            show(gpu, 0, scene)
        for number in range(1, 6):
            assert room.shows_person(show(gpu, number, scene))


def test_a_programming_error_in_the_engine_gives_no_picture_and_ends_the_capture() -> None:
    def fail() -> None:
        raise ValueError("a bug")

    scene = Scene(room.GreenBackdrop())
    gpu = Gpu([room.OUTPUT], steady(room.mask()), size=SIZE, faults={2: fail})
    with gpu.processor as processor:
        show(gpu, 0, scene)
        show(gpu, 1, scene)
        with pytest.raises(ValueError, match="a bug"):
            show(gpu, 2, scene)
        for number in range(3, 9):
            assert room.shows_person(show(gpu, number, scene))
        assert processor.captured


def test_an_invalid_matte_is_forgotten() -> None:
    """The states that came with it are zeroed, both sets, before the next frame."""
    seen: list[float] = []
    names = STATES_OUT

    def compute(inputs: Tensors) -> Tensors:
        states = [values for name, values in inputs.items() if name.startswith("r")]
        seen.append(float(max(np.abs(values).max() for values in states)))
        outputs = dict(steady(room.mask())(inputs))
        if len(seen) == 3:
            outputs[A] = outputs[A] + np.float32(np.nan)
        return {**outputs, **{name: values + np.float32(1) for name, values in zip(names, states, strict=True)}}

    scene = Scene(room.GreenBackdrop())
    with (gpu := make(compute)).processor as processor:
        for number in range(6):
            if number == 2:
                with pytest.raises(MatteInvalidError):
                    show(gpu, number, scene)
            else:
                show(gpu, number, scene)
        processor.reset()
        show(gpu, 6, scene)
        show(gpu, 7, scene)
    assert seen == [0, 1, 2, 0, 1, 2, 0, 1]
