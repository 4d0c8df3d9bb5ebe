"""The TensorRT engine on a fake library: what it binds and queues, what it refuses, what it leaves behind."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.tensorrt_fake import INPUTS, REFUSAL, VERSION, FakeTensorRt, fake_plan, plan_of
from vcam.cuda.driver import DeviceFacts
from vcam.engines.core_tensors import Interface, core_interface
from vcam.engines.sealed_file import make_folder, write_sealed
from vcam.engines.tensorrt import TensorRtEngine
from vcam.engines.tensorrt_flavour import Flavour
from vcam.engines.tensorrt_key import PlanRequest, plan_key
from vcam.errors import EngineError, EngineUnavailableError, ModelMismatchError
from vcam.frame import Size
from vcam.rvm import COEFFICIENTS, SRC, STATES_IN, STATES_OUT, core_shapes
from vcam.stages import CoreModel, DeviceEngine, EngineInfo, TensorSpec

SIZE = Size(64, 48)
GPU = DeviceFacts(0, "NVIDIA GeForce RTX 4070", (8, 9), 12 << 30, 13010)
STREAM = 77


@dataclass
class Rig:
    """An engine on the fake library, with its plan in its folder."""

    library: FakeTensorRt
    request: PlanRequest
    plan: Path

    def engine(self) -> TensorRtEngine:
        return TensorRtEngine(self.request, self.library.load)


MakeRig = Callable[..., Rig]


@pytest.fixture
def make_rig(tmp_path: Path) -> MakeRig:
    def make(
        precision: str = "fp16",
        flavour: Flavour = Flavour.TENSORRT,
        change: Callable[[Interface], None] = lambda _interface: None,
    ) -> Rig:
        network = tmp_path / "core.onnx"
        network.write_bytes(b"a network")
        request = PlanRequest(CoreModel(network, "net", SIZE, precision), flavour, tmp_path / "plans", GPU)
        make_folder(request.folder)
        key = plan_key(request, VERSION)
        plan = request.folder / key.file_name
        write_sealed(plan, key.facts, fake_plan(request.core, change))
        return Rig(FakeTensorRt(), request, plan)

    return make


@pytest.fixture
def rig(make_rig: MakeRig) -> Rig:
    return make_rig()


def places(engine: DeviceEngine, base: int = 1 << 20) -> dict[str, int]:
    """Memory for every tensor, one after the other."""
    addresses = {}
    for name, spec in engine.tensors.items():
        addresses[name] = base
        base += -(-spec.nbytes // 256) * 256
    return addresses


@pytest.mark.parametrize(("precision", "half"), [("fp16", True), ("fp32", False)])
@pytest.mark.parametrize("flavour", Flavour)
def test_it_tells_what_it_is_and_what_it_takes(make_rig: MakeRig, precision: str, half: bool, flavour: Flavour) -> None:
    engine: DeviceEngine = make_rig(precision, flavour).engine()
    assert engine.info == EngineInfo(str(flavour), "net", precision, SIZE, GPU.name)
    assert engine.input_size == SIZE
    with engine:
        assert engine.tensors == {
            name: TensorSpec(shape, half and name in (SRC, *COEFFICIENTS)) for name, shape in core_shapes(SIZE).items()
        }


def test_each_turn_has_a_context_and_tensors_of_its_own(rig: Rig) -> None:
    with rig.engine() as engine:
        first = places(engine)
        second = first | dict(zip(STATES_IN, (first[name] for name in STATES_OUT), strict=True))
        second |= dict(zip(STATES_OUT, (first[name] for name in STATES_IN), strict=True))
        engine.bind(0, first)
        engine.bind(1, second)
        for frame in range(4):
            engine.enqueue(frame % 2, cuda_stream=STREAM)
    assert rig.library.queued == [(0, first, STREAM), (1, second, STREAM)] * 2


def test_tensors_can_be_bound_anew(rig: Rig) -> None:
    with rig.engine() as engine:
        engine.bind(0, places(engine))
        moved = places(engine, 2 << 20)
        engine.bind(0, moved)
        engine.enqueue(0, cuda_stream=STREAM)
    assert rig.library.queued == [(0, moved, STREAM)]


def spoil(addresses: dict[str, int], how: str) -> None:
    match how:
        case "absent":
            del addresses["A"]
        case "unknown":
            addresses["C"] = 1 << 30
        case "crooked":
            addresses["A"] += 16
        case "null":
            addresses["A"] = 0
        case "shared":
            addresses[STATES_OUT[0]] = addresses[STATES_IN[0]]


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("absent", "do not match: A"),
        ("unknown", "do not match: C"),
        ("crooked", "a multiple of 256: A"),
        ("null", "a multiple of 256: A"),
        ("shared", "the memory of r1i and r1o overlaps"),
    ],
)
def test_tensors_that_have_no_place_of_their_own_are_refused(rig: Rig, how: str, told: str) -> None:
    with rig.engine() as engine:
        addresses = places(engine)
        spoil(addresses, how)
        with pytest.raises(EngineError, match=told):
            engine.bind(0, addresses)
        with pytest.raises(EngineError, match="turn 0 of the engine has no tensors"):
            engine.enqueue(0, cuda_stream=STREAM)


def test_a_refused_address_tells_the_librarys_words_and_unbinds_the_turn(rig: Rig) -> None:
    with rig.engine() as engine:
        engine.bind(0, places(engine))
        rig.library.faults["set_tensor_address"] = "not my kind of memory"
        with pytest.raises(EngineError, match=rf"tensorrt {VERSION} takes no address for src: not my kind of memory"):
            engine.bind(0, places(engine))
        with pytest.raises(EngineError, match="turn 0"):
            engine.enqueue(0, cuda_stream=STREAM)


def test_an_inference_that_cannot_be_queued_tells_the_librarys_errors_only_and_once(rig: Rig) -> None:
    with rig.engine() as engine:
        engine.bind(0, places(engine))
        rig.library.faults["execute_async_v3"] = "Cuda failure: 700"
        with pytest.raises(EngineError) as caught:
            engine.enqueue(0, cuda_stream=STREAM)
        assert caught.value.problem == f"tensorrt {VERSION} could not queue an inference: Cuda failure: 700"
        rig.library.faults["execute_async_v3"] = "Cuda failure: 2"
        rig.library.complain("something that did no harm")
        with pytest.raises(EngineError) as caught:
            engine.enqueue(0, cuda_stream=STREAM)
        assert caught.value.problem.endswith("could not queue an inference: Cuda failure: 2")
        assert caught.value.retryable
        del rig.library.faults["execute_async_v3"]
        engine.enqueue(0, cuda_stream=STREAM)


def test_closed_it_does_nothing(rig: Rig) -> None:
    engine = rig.engine()
    with pytest.raises(EngineError, match="not open"):
        engine.bind(0, {})
    with engine:
        pass
    assert engine.tensors == {}
    with pytest.raises(EngineError, match="not open"):
        engine.enqueue(0, cuda_stream=STREAM)


def test_all_is_freed_in_reverse_and_only_once(rig: Rig) -> None:
    with rig.engine() as engine:
        engine.bind(0, places(engine))
    engine.__exit__(None, None, None)
    assert rig.library.events[3:] == ["context 1 freed", "context 0 freed", "engine freed", "runtime freed"]


def test_it_opens_again(rig: Rig) -> None:
    engine = rig.engine()
    for _ in range(2):
        with engine:
            engine.bind(1, places(engine))
            engine.enqueue(1, cuda_stream=STREAM)
    assert len(rig.library.queued) == 2


@pytest.mark.parametrize("nth", [0, 1])
def test_half_an_opening_leaves_nothing(rig: Rig, nth: int) -> None:
    rig.library.faults["create_execution_context"] = "out of memory"
    rig.library.after["create_execution_context"] = nth
    with pytest.raises(EngineError, match="makes no execution context: out of memory"), rig.engine():
        pass
    assert rig.library.events[-2:] == ["engine freed", "runtime freed"]
    assert rig.plan.is_file()


def rename(interface: Interface) -> None:
    interface["coefficients"] = interface.pop("A")


def half_state(interface: Interface) -> None:
    interface[STATES_IN[0]] = (interface[STATES_IN[0]][0], "float16")


def integer(interface: Interface) -> None:
    interface[SRC] = (interface[SRC][0], "int8")


def other_size(interface: Interface) -> None:
    interface.update(core_interface(CoreModel(Path(), "", Size(128, 96), "fp16")))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (rename, "tensor A should be float16 1x4x48x64, it is absent"),
        (half_state, "tensor r1i should be float32 1x16x24x32, it is float16"),
        (integer, "tensor src should be float16 1x3x48x64, it is DataType.INT8"),
        (other_size, "should be float16 1x4x48x64, it is float16 1x4x96x128"),
    ],
)
def test_a_plan_of_another_network_is_refused_before_it_runs(
    make_rig: MakeRig, change: Callable[[Interface], None], told: str
) -> None:
    rig = make_rig(change=change)
    with pytest.raises(ModelMismatchError, match=told), rig.engine():
        pass
    assert rig.library.events == ["engine made", "engine freed", "runtime freed"]


def test_a_plan_whose_states_only_come_out_is_refused(rig: Rig) -> None:
    key = plan_key(rig.request, VERSION)
    rig.plan.unlink()
    write_sealed(rig.plan, key.facts, plan_of(core_interface(rig.request.core), INPUTS[:-1]))
    with pytest.raises(ModelMismatchError, match="takes r1i, r2i, r3i, src, not r1i, r2i, r3i, r4i, src"), rig.engine():
        pass


def test_without_a_plan_it_says_how_to_get_one(rig: Rig) -> None:
    rig.plan.unlink()
    with pytest.raises(EngineError, match="cannot be loaded") as caught, rig.engine():
        pass
    assert "vcam model prepare -e tensorrt" in caught.value.hint
    assert rig.library.events == []


def test_a_plan_of_another_version_is_not_loaded(rig: Rig) -> None:
    rig.library.__version__ = "11.0.0.0"
    with pytest.raises(EngineError, match="cannot be loaded"), rig.engine():
        pass


def test_a_truncated_plan_is_not_given_to_the_library(rig: Rig) -> None:
    rig.plan.write_bytes(rig.plan.read_bytes()[:-1])
    with pytest.raises(EngineError, match="cannot be loaded: it holds"), rig.engine():
        pass
    assert rig.library.events == []


def test_a_plan_that_the_library_refuses_is_removed_so_that_it_is_built_anew(rig: Rig) -> None:
    rig.library.faults["deserialize_cuda_engine"] = REFUSAL
    with pytest.raises(EngineError, match=r"refuses the plan: Error Code 1"), rig.engine():
        pass
    assert not rig.plan.exists()


def test_a_plan_that_does_not_fit_into_memory_stays(rig: Rig) -> None:
    rig.library.faults["deserialize_cuda_engine"] = "Error Code 2: OutOfMemory (no further information)"
    with pytest.raises(EngineError, match="OutOfMemory"), rig.engine():
        pass
    assert rig.plan.is_file()


def test_a_library_that_makes_no_runtime_is_told(rig: Rig) -> None:
    rig.library.faults["Runtime"] = "CUDA initialization failure with error: 35"
    with pytest.raises(EngineError, match="finds no GPU that it can use: CUDA initialization failure") as caught:
        rig.engine().__enter__()
    assert "vcam doctor" in caught.value.hint
    assert rig.plan.is_file()


def test_without_a_gpu_the_library_is_not_even_touched(rig: Rig) -> None:
    with pytest.raises(EngineUnavailableError, match="needs an NVIDIA GPU"):
        TensorRtEngine(replace(rig.request, gpu=None), rig.library.load)
