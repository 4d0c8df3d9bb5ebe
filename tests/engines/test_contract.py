"""What every matting engine that runs a network keeps, whatever runs it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.engines.conftest import SIZE, MakeCore
from vcam.engines.mask_network import MaskNetwork, MaskNetworkEngine
from vcam.engines.rvm_onnxruntime import OnnxRuntimeEngine
from vcam.engines.rvm_openvino import OpenVinoEngine
from vcam.engines.select import look
from vcam.errors import EngineError
from vcam.frame import AffineMatte, Stamp, Tensor
from vcam.stages import MattingEngine


def mask_network(folder: Path) -> Path:
    """Gray, as a mask."""
    tensor = helper.make_tensor_value_info
    node = helper.make_node("ReduceMean", ["image"], ["mask"], axes=[1], keepdims=1)
    shape = [1, 3, SIZE.height, SIZE.width]
    graph = helper.make_graph([node], "mask", [tensor("image", 1, shape)], [tensor("mask", 1, None)])
    path = folder / "gray.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 12)], ir_version=7), path)
    return path


@pytest.fixture(
    params=["onnxruntime", "onnxruntime-fp16", "openvino", "openvino-fp16", "openvino-bf16", "mask-network"]
)
def make_engine(request: pytest.FixtureRequest, make_core: MakeCore, tmp_path: Path) -> Callable[[], MattingEngine]:
    kind = str(request.param)
    if kind == "mask-network":
        path = mask_network(tmp_path)
        return lambda: MaskNetworkEngine(MaskNetwork(path), threads=1)
    core = make_core("deep", "fp16" if kind.endswith("fp16") else "fp32")
    if kind.startswith("onnxruntime"):
        return lambda: OnnxRuntimeEngine(core, threads=1)
    if kind.endswith("bf16"):
        if not look(model=True).bf16:
            pytest.skip("this CPU does not compute in bfloat16")
        return lambda: OpenVinoEngine(core, threads=1, arithmetic="bf16")
    return lambda: OpenVinoEngine(core, threads=1)


@pytest.fixture
def engine(make_engine: Callable[[], MattingEngine]) -> Iterator[MattingEngine]:
    with make_engine() as opened:
        yield opened


def copy_of(matte: AffineMatte) -> Tensor:
    return np.stack([matte.a, matte.b])


def play(engine: MattingEngine, pictures: list[Tensor]) -> list[Tensor]:
    return [copy_of(engine.matte(picture, Stamp(index, index))) for index, picture in enumerate(pictures)]


def test_a_matte_has_the_engines_size_and_the_frames_stamp(engine: MattingEngine, pictures: list[Tensor]) -> None:
    assert engine.input_size == SIZE
    for index, picture in enumerate(pictures):
        stamp = Stamp(index * 1000, index, epoch=2)
        matte = engine.matte(picture, stamp)
        assert matte.stamp is stamp
        for tensor in (matte.a, matte.b):
            assert tensor.shape == (4, SIZE.height, SIZE.width)
            assert tensor.dtype == np.float32
            assert tensor.flags.c_contiguous
            assert np.isfinite(tensor).all()


def test_mattes_live_in_the_engines_own_buffers(engine: MattingEngine, pictures: list[Tensor]) -> None:
    mattes = [engine.matte(picture, Stamp(0, 0)) for picture in pictures[:3]]
    assert len({matte.a.ctypes.data for matte in mattes}) == 1
    assert len({matte.b.ctypes.data for matte in mattes}) == 1


def test_the_picture_is_not_changed_and_may_be_reused(engine: MattingEngine, pictures: list[Tensor]) -> None:
    apart = play(engine, pictures)
    engine.reset()
    buffer = np.empty_like(pictures[0])
    for index, picture in enumerate(pictures):
        buffer[:] = picture
        np.testing.assert_array_equal(copy_of(engine.matte(buffer, Stamp(0, index))), apart[index])
        np.testing.assert_array_equal(buffer, picture)


def test_reset_forgets_everything(engine: MattingEngine, pictures: list[Tensor]) -> None:
    fresh = play(engine, pictures)
    engine.reset()
    for wanted, found in zip(fresh, play(engine, pictures), strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("count", [1, 2])
def test_a_nan_does_not_outlive_a_reset(engine: MattingEngine, pictures: list[Tensor], count: int) -> None:
    fresh = play(engine, pictures)
    for _ in range(count):  # either set of states
        engine.reset()
        bad = engine.matte(np.full_like(pictures[0], np.nan), Stamp(0, 0))
        assert not np.isfinite(bad.a[3] + bad.b[3]).all()
    engine.reset()
    for wanted, found in zip(fresh, play(engine, pictures), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_another_size_is_refused(engine: MattingEngine) -> None:
    with pytest.raises(EngineError, match="expects a picture"):
        engine.matte(np.zeros((3, 8, 8), np.float32), Stamp(0, 0))
    with pytest.raises(EngineError, match="expects a picture"):
        engine.matte(np.zeros((1, SIZE.height, SIZE.width), np.float32), Stamp(0, 0))


def test_closing_twice_is_harmless_and_opening_again_works(
    make_engine: Callable[[], MattingEngine], pictures: list[Tensor]
) -> None:
    engine = make_engine()
    with engine:
        fresh = play(engine, pictures)
    engine.__exit__(None, None, None)
    with pytest.raises(EngineError, match="not open"):
        engine.matte(pictures[0], Stamp(0, 0))
    with engine:
        for wanted, found in zip(fresh, play(engine, pictures), strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_two_engines_do_not_share_state(make_engine: Callable[[], MattingEngine], pictures: list[Tensor]) -> None:
    with ExitStack() as stack:
        one, other = (stack.enter_context(make_engine()) for _ in range(2))
        alone = play(one, pictures)
        one.reset()
        for index, picture in enumerate(pictures):
            np.testing.assert_array_equal(copy_of(one.matte(picture, Stamp(0, 0))), alone[index])
            other.matte(pictures[-1 - index], Stamp(0, 0))


def test_the_labels_come_from_closed_sets(engine: MattingEngine) -> None:
    info = engine.info
    assert info.engine in {"onnxruntime", "openvino"}
    assert info.precision in {"fp32", "fp16", "bf16"}
    assert info.device == "cpu"
    assert info.size == SIZE
