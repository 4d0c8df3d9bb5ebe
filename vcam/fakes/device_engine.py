"""A device engine whose work is done by NumPy on a fake GPU, when its turn on the stream comes."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self, TypeAlias

import numpy as np
import numpy.typing as npt

from vcam.errors import EngineError
from vcam.fakes.cuda import FakeDriver
from vcam.fakes.cuda_memory import FakeMemory
from vcam.fakes.stages import Fault
from vcam.frame import Size, Tensor
from vcam.rvm import COEFFICIENTS, SRC, STATES_IN, STATES_OUT, core_shapes
from vcam.stages import EngineInfo, TensorSpec

Tensors: TypeAlias = Mapping[str, Tensor]

Compute: TypeAlias = Callable[[Tensors], Tensors]
"""Inputs by tensor name -> outputs by tensor name, float32; an output that is left out is not written."""

_HALF = frozenset({SRC, *COEFFICIENTS})


class FakeDeviceEngine:
    """Satisfies DeviceEngine, on a FakeDriver. ``faults[n]`` is called before the n-th inference is queued.

    half: as in a float16 core, whose states are float32. opened, ran, bound: how often entered; how many inferences
    were done; the addresses of each turn.
    """

    def __init__(
        self,
        driver: FakeDriver,
        size: Size,
        compute: Compute,
        *,
        half: bool = False,
        faults: Mapping[int, Fault] | None = None,
    ) -> None:
        self._driver = driver
        self._size = size
        self._compute = compute
        self._half = half
        self._faults = dict(faults or {})
        self._queued = 0
        self.opened = 0
        self.is_open = False
        self.ran = 0
        self.bound: dict[int, dict[str, int]] = {}

    def __enter__(self) -> Self:
        self.opened += 1
        self.is_open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.is_open = False
        self.bound.clear()

    @property
    def info(self) -> EngineInfo:
        return EngineInfo("fake", "fake", "fp16" if self._half else "fp32", self._size, "Fake GPU")

    @property
    def input_size(self) -> Size:
        return self._size

    @property
    def tensors(self) -> Mapping[str, TensorSpec]:
        shapes = core_shapes(self._size)
        return {name: TensorSpec(shape, self._half and name in _HALF) for name, shape in shapes.items()}

    def bind(self, turn: int, addresses: Mapping[str, int]) -> None:
        """Raises EngineError unless every tensor, and no other, has an address."""
        if addresses.keys() != self.tensors.keys():
            raise EngineError("not every tensor is bound", hint="bind them all")
        self.bound[turn] = dict(addresses)

    def enqueue(self, turn: int, *, cuda_stream: int) -> None:
        index, self._queued = self._queued, self._queued + 1
        if index in self._faults:
            self._faults[index]()
        bound = self.bound[turn]
        self._driver.enqueue("engine", lambda memory: self._run(memory, bound), cuda_stream=cuda_stream)

    def _run(self, memory: FakeMemory, bound: Mapping[str, int]) -> None:
        arrays = {name: self._array(memory, name, address) for name, address in bound.items()}
        outputs = self._compute({name: arrays[name].astype(np.float32) for name in (SRC, *STATES_IN)})
        for name, values in outputs.items():
            np.copyto(arrays[name], values, casting="same_kind")
        self.ran += 1

    def _array(self, memory: FakeMemory, name: str, address: int) -> npt.NDArray[np.generic]:
        spec = self.tensors[name]
        return memory.array(address, spec.shape, np.float16 if spec.half else np.float32)


def steady(mask: Tensor) -> Compute:
    """The same mask for each frame, (h, w) float32 in [0, 1]; states are passed on."""
    a = np.zeros((1, 4, *mask.shape), np.float32)
    b = a.copy()
    b[0, 3] = mask
    coefficients = dict(zip(COEFFICIENTS, (a, b), strict=True))

    def compute(inputs: Tensors) -> Tensors:
        return {**coefficients, **dict(zip(STATES_OUT, (inputs[name] for name in STATES_IN), strict=True))}

    return compute
