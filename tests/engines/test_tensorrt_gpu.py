"""The engine on a real GPU: plans built there, loaded, run in turns, against the same core on the processor."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest

from tests.engines.conftest import MakeCore
from tests.support.gpu import real_driver
from tests.support.rvm_like import Refiner
from vcam.cuda.device import Device, DeviceBuffer
from vcam.engine_names import EngineName
from vcam.engines.select import choose, look
from vcam.engines.tensorrt import TensorRtEngine
from vcam.engines.tensorrt_builder import ensure_plan
from vcam.engines.tensorrt_flavour import Flavour
from vcam.engines.tensorrt_key import PlanRequest
from vcam.errors import EngineUnavailableError
from vcam.frame import Tensor
from vcam.model.runtime import Network
from vcam.model.verify import next_states, zero_states
from vcam.rvm import COEFFICIENTS, SRC, STATES_IN, STATES_OUT
from vcam.stages import CoreModel

pytestmark = pytest.mark.gpu

Array = npt.NDArray[np.float16 | np.float32]


@pytest.fixture(params=Flavour)
def flavour(request: pytest.FixtureRequest) -> Flavour:
    found: Flavour = request.param
    if find_spec(found.module) is None:
        pytest.skip(f"{found.module} is not installed")
    try:
        choose(look(model=True), EngineName(found.value))
    except EngineUnavailableError as error:
        pytest.skip(error.problem)
    return found


def bindings(buffers: dict[str, DeviceBuffer], turn: int) -> dict[str, int]:
    """Turn 0 reads the states that turn 1 writes."""
    addresses = {name: buffer.address for name, buffer in buffers.items()}
    if turn:
        pairs = list(zip(STATES_IN, STATES_OUT, strict=True))
        addresses |= {into: buffers[out].address for into, out in pairs}
        addresses |= {out: buffers[into].address for into, out in pairs}
    return addresses


def run(engine: TensorRtEngine, device: Device, pictures: list[Tensor]) -> list[Tensor]:
    """A and b, stacked, of each picture."""
    specs, results = engine.tensors, []
    buffers = {name: device.buffer(spec.nbytes) for name, spec in specs.items()}
    stream = device.cuda_stream
    for name in STATES_IN:
        device.fill(buffers[name].address, 0, buffers[name].nbytes, cuda_stream=stream)
    for turn in (0, 1):
        engine.bind(turn, bindings(buffers, turn))
    for index, picture in enumerate(pictures):
        pinned = {name: device.pinned(specs[name].nbytes) for name in (SRC, *COEFFICIENTS)}
        kinds = {name: np.float16 if specs[name].half else np.float32 for name in pinned}
        pinned[SRC].array[:] = picture.astype(kinds[SRC]).ravel().view(np.uint8)
        device.upload(buffers[SRC].address, pinned[SRC].array, cuda_stream=stream)
        engine.enqueue(index % 2, cuda_stream=stream)
        for name in COEFFICIENTS:
            device.download(pinned[name].array, buffers[name].address, cuda_stream=stream)
        device.synchronize()
        found = [pinned[name].array.view(kinds[name]).reshape(specs[name].shape)[0] for name in COEFFICIENTS]
        results.append(np.stack(found).astype(np.float32))
    return results


def reference(core: CoreModel, pictures: list[Tensor]) -> list[Tensor]:
    network = Network(onnx.load(core.path), threads=1)
    states, results = zero_states(core.size), []
    for picture in pictures:
        outputs = network.run({SRC: picture[None], **states})
        results.append(np.stack([outputs[name][0] for name in COEFFICIENTS]).astype(np.float32))
        states = next_states(outputs)
    return results


@pytest.mark.parametrize("refiner", ["deep", "fast"])
@pytest.mark.parametrize(("precision", "mean"), [("fp32", 1e-4), ("fp16", 2e-3)])
def test_states_are_carried_from_turn_to_turn(
    flavour: Flavour,
    make_core: MakeCore,
    pictures: list[Tensor],
    tmp_path: Path,
    refiner: Refiner,
    precision: str,
    mean: float,
) -> None:
    with Device(real_driver()) as device, device.current():
        request = PlanRequest(make_core(refiner, precision), flavour, tmp_path / "plans", device.facts)
        ensure_plan(request)
        with TensorRtEngine(request) as engine:
            found = run(engine, device, pictures)
    for picture, ours, theirs in zip(pictures, found, reference(make_core(refiner), pictures), strict=True):
        gray = picture.mean(axis=0)
        alphas = [np.clip(a[3] * gray + b[3], 0, 1) for a, b in (ours, theirs)]
        assert np.isfinite(ours).all()
        assert np.abs(alphas[0] - alphas[1]).mean() < mean
