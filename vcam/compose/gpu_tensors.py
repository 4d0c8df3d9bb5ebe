"""The tensors of an engine on the GPU: its picture, its coefficients, and two sets of recurrent states to swap."""

from collections.abc import Mapping

from vcam.compose.gpu_layout import aligned
from vcam.compose.gpu_live import LiveBlock
from vcam.cuda.device import Device
from vcam.cuda.kernels import DeviceMatte
from vcam.errors import EngineError
from vcam.frame import Size
from vcam.rvm import COEFFICIENTS, SRC, STATES_IN, STATES_OUT
from vcam.stages import DeviceEngine, TensorSpec

_TURNS = 2
_NAN = 0xFF
"""In each byte it makes NaN, in float16 and in float32."""
_COLOURS = 3
_CHANNELS = 4


class EngineTensors:
    """All tensors of an entered engine in one block, bound for both turns. States are what was there before: zero
    them before the first frame.

    block: what kernels read of its mattes. Raises EngineError when the engine's tensors are not those of a core,
    GpuError.
    """

    def __init__(self, device: Device, engine: DeviceEngine, block: LiveBlock) -> None:
        specs = engine.tensors
        _check(specs, engine)
        self._device = device
        self._block = block
        self._size = engine.input_size
        self._half = specs[COEFFICIENTS[0]].half
        self.src_half = specs[SRC].half
        places: dict[str, int] = {}
        end = 0
        states = [name for name in STATES_IN if name in specs]
        # Coefficients first and states last: one fill each.
        order = [*COEFFICIENTS, SRC, *(f"{name}/{turn}" for turn in range(_TURNS) for name in states)]
        for name in order:
            places[name] = end
            end += aligned(specs[name.partition("/")[0]].nbytes)
        self._memory = device.buffer(end)
        at = {name: self._memory.address + place for name, place in places.items()}
        self.src = at[SRC]
        self._a, self._b = (at[name] for name in COEFFICIENTS)
        self._poisoned = places[SRC]
        self._states = (at[f"{states[0]}/0"], end - places[f"{states[0]}/0"]) if states else None
        for turn in range(_TURNS):
            engine.bind(turn, _bindings(at, states, turn))

    def poison(self, *, cuda_stream: int) -> None:
        """Queue making A and b NaN, so that what the engine does not write cannot pass for a matte."""
        self._device.fill(self._a, _NAN, self._poisoned, cuda_stream=cuda_stream)

    def forget(self, *, cuda_stream: int) -> None:
        """Queue zeroing both sets of states: nothing that was in them can return."""
        if self._states is not None:
            address, nbytes = self._states
            self._device.fill(address, 0, nbytes, cuda_stream=cuda_stream)

    def matte(self) -> DeviceMatte:
        """What the engine writes, for the camera's own pictures."""
        return DeviceMatte(self._a, self._b, self._size, self._half, self._block.view(), self._block.live)

    @property
    def size(self) -> Size:
        return self._size


def _bindings(at: Mapping[str, int], states: list[str], turn: int) -> dict[str, int]:
    """Turn 0 reads set 0 and writes set 1, turn 1 the reverse."""
    bound = {name: at[name] for name in (SRC, *COEFFICIENTS)}
    for name, written in zip(STATES_IN, STATES_OUT, strict=True):
        if name in states:
            bound[name], bound[written] = at[f"{name}/{turn}"], at[f"{name}/{1 - turn}"]
    return bound


def _check(specs: Mapping[str, TensorSpec], engine: DeviceEngine) -> None:
    size = engine.input_size
    coefficients = (1, _CHANNELS, size.height, size.width)
    wanted = {SRC: (1, _COLOURS, size.height, size.width), **dict.fromkeys(COEFFICIENTS, coefficients)}
    problem = ""
    for name, shape in wanted.items():
        if name not in specs or specs[name].shape != shape:
            problem = f"its tensor {name} should be {shape}, it is {specs[name].shape if name in specs else 'absent'}"
    a, b = (specs.get(name) for name in COEFFICIENTS)
    if not problem and a != b:
        problem = "A and b are of two types"
    for name, written in zip(STATES_IN, STATES_OUT, strict=True):
        if specs.get(name) != specs.get(written):
            problem = f"its states {name} and {written} do not fit each other"
    strangers = sorted(specs.keys() - {SRC, *COEFFICIENTS, *STATES_IN, *STATES_OUT})
    if strangers:
        problem = f"nobody knows its tensor {strangers[0]}"
    if problem:
        raise EngineError(
            f"the engine {engine.info.engine} is not that of a core: {problem}",
            hint="prepare the model again: vcam model prepare",
        )
