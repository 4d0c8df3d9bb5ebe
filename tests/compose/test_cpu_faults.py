"""The CPU frame processor fails closed: no picture at all where the matte is not of this frame."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.compose.rig import NONE, YUYV, frame, process
from vcam.compose.cpu import CpuFrameProcessor
from vcam.errors import EngineError, MatteInvalidError
from vcam.fakes import FakeEngine
from vcam.frame import AffineMatte, Stamp


def spoiled(change: dict[str, object] | None = None, **channels: float) -> FakeEngine:
    """An engine whose second matte has poison in a channel, or another field."""

    def spoil(matte: AffineMatte) -> AffineMatte:
        for name, value in channels.items():
            getattr(matte, name[0])[int(name[1]), 4, 7] = value
        return replace(matte, **(change or {}))  # type: ignore[arg-type]  # wrong on purpose

    return FakeEngine(NONE, spoil={1: spoil})


BROKEN: dict[str, tuple[Callable[[], FakeEngine], str]] = {
    "NaN in A": (lambda: spoiled(a3=np.nan), "not finite"),
    "NaN in b": (lambda: spoiled(b3=np.nan), "not finite"),
    "infinite foreground": (lambda: spoiled(a0=np.inf), "not finite"),
    "infinite offset": (lambda: spoiled(b1=-np.inf), "not finite"),
    "an older frame": (lambda: spoiled({"stamp": Stamp(pts_ns=1000, sequence=1)}), "frame 1 for frame 2"),
    "another opening": (lambda: spoiled({"stamp": Stamp(pts_ns=2000, sequence=2, epoch=1)}), "frame 2 for frame 2"),
    "three channels": (lambda: spoiled({"a": np.zeros((3, 9, 16), np.float32)}), "instead of"),
    "two sizes": (lambda: spoiled({"b": np.zeros((4, 9, 15), np.float32)}), "instead of"),
    "a batch": (lambda: spoiled({"a": np.zeros((1, 4, 9, 16), np.float32)}), "instead of"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_matte_gives_no_picture_and_is_forgotten(case: str) -> None:
    make, text = BROKEN[case]
    engine = make()
    with CpuFrameProcessor(engine, [YUYV]) as processor:
        process(processor, frame(sequence=1))
        with pytest.raises(MatteInvalidError, match=text) as caught:
            process(processor, frame(sequence=2))
        assert "--engine" in caught.value.hint
        assert engine.resets == 1
        with pytest.raises(RuntimeError, match="no matte yet"):
            processor.last_alpha()
        process(processor, frame(sequence=3))
    assert engine.mattes == 3


def test_an_error_of_the_engine_passes_through() -> None:
    def fail() -> None:
        raise EngineError("it broke", hint="this is a test")

    with CpuFrameProcessor(FakeEngine(NONE, faults={0: fail}), [YUYV]) as processor:
        with pytest.raises(EngineError, match="it broke"):
            process(processor, frame())
        assert len(process(processor, frame(sequence=2))) == 1
