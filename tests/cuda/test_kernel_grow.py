"""The person made larger or smaller on the GPU, against native.MatteGrower."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cuda.kernel_rig import LOW, KernelRig, Live, MakeRig, examples, make_rig, rounded
from tests.native.pictures import SEEDS, matte
from vcam.cuda.grow import DeviceGrow, grow_bytes
from vcam.frame import AffineMatte, Levels, Size, Tensor
from vcam.native.effects import MatteGrower
from vcam.stages import MatteControls

__all__ = ["make_rig"]

LEVELS = Levels(2.0 / 255.0, 253.0 / 255.0)


def picture(low: tuple[int, int], seed: int) -> Tensor:
    return np.random.default_rng(seed).uniform(0.0, 1.0, (3, *low)).astype(np.float32)


def on_device(
    rig: KernelRig, small: Tensor, model: AffineMatte, strength: float, *, half: bool
) -> tuple[Tensor, Tensor]:
    """A and b of the grown matte."""
    shape = model.a.shape
    size = Size(shape[2], shape[1])
    live = Live(size, None, LEVELS, MatteControls(grow=strength))
    memory = rig.memory(np.full(grow_bytes(size), 0xFF, np.uint8))
    known = rig.matte(model, half=half, live=live)
    where = rig.memory(small.astype(np.float16 if half else np.float32))
    grown = DeviceGrow(rig.kernels, size, memory, live=4096).grow(where, known, small_half=half, cuda_stream=rig.stream)
    assert (grown.size, grown.half, grown.view, grown.live) == (size, False, known.view, 4096)
    a, b = (rig.read(address, shape, np.float32).astype(np.float32) for address in (grown.a, grown.b))
    return a, b


@examples(80)
@given(low=LOW, seed=SEEDS, half=st.booleans(), strength=st.floats(-1.0, 1.0).filter(lambda value: value != 0.0))
def test_any_matte(make_rig: MakeRig, low: tuple[int, int], seed: int, half: bool, strength: float) -> None:
    assert_alike(make_rig, low, seed, strength, half=half)


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("strength", [-1.0, -0.5, 0.5, 1.0])
def test_a_matte_of_a_usual_size(make_rig: MakeRig, strength: float, half: bool) -> None:
    """Where the way along a line is some ten nodes long."""
    assert_alike(make_rig, (144, 256), 5, strength, half=half)


def assert_alike(make_rig: MakeRig, low: tuple[int, int], seed: int, strength: float, *, half: bool) -> None:
    small, model = picture(low, seed), matte(low, seed)
    model.b[3] = np.where(np.random.default_rng(seed).uniform(0.0, 1.0, low) < 0.9, -3.0, model.b[3])
    exact = small.astype(np.float16).astype(np.float32) if half else small
    wanted = MatteGrower(Size(low[1], low[0])).grow(exact, rounded(model, half=half), strength, LEVELS)
    with make_rig() as rig:
        a, b = on_device(rig, small, model, strength, half=half)
    np.testing.assert_allclose(a, wanted.a, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(b, wanted.b, rtol=1e-3, atol=1e-3)


def test_what_is_not_a_number_stays_none(make_rig: MakeRig) -> None:
    low = (9, 16)
    model = matte(low, 1)
    model.b[3, 4, 7] = np.nan
    with make_rig() as rig:
        _, b = on_device(rig, picture(low, 1), model, 1.0, half=False)
    assert np.isnan(b[3, 4, 7])


def test_mattes_of_another_size_are_refused(make_rig: MakeRig) -> None:
    with make_rig() as rig:
        grow = DeviceGrow(rig.kernels, Size(8, 6), rig.memory(np.zeros(grow_bytes(Size(8, 6)), np.uint8)), 4096)
        other = rig.matte(matte((3, 4)), half=True)
        with pytest.raises(ValueError, match="8x6, got 4x3"):
            grow.grow(4096, replace(other), small_half=True, cuda_stream=rig.stream)
