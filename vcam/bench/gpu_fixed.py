"""An engine on the GPU that has its answer ready, so that all the rest can be measured, with or without TensorRT."""

from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import numpy as np

from vcam.bench.compose import coefficients
from vcam.cuda.device import Device
from vcam.cuda.driver import Bytes, Driver
from vcam.frame import Size
from vcam.rvm import COEFFICIENTS, SRC
from vcam.stages import EngineInfo, TensorSpec


class FixedDeviceEngine:
    """Satisfies DeviceEngine. matte: see compose.coefficients; float16. What it takes is a copy of A and b."""

    def __init__(self, driver: Driver, size: Size, matte: str = "realistic") -> None:
        self._device = Device(driver)
        self._size = size
        self._matte = matte
        self._answers: tuple[Bytes, ...] = ()
        self._bound: dict[int, tuple[int, ...]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            device = stack.enter_context(self._device)
            answers = []
            for values in coefficients(self._matte, self._size):
                half = np.ascontiguousarray(values, dtype=np.float16).view(np.uint8).reshape(-1)
                answers.append(device.pinned(half.size).array)
                answers[-1][:] = half
            self._answers = tuple(answers)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._stack.close()

    @property
    def info(self) -> EngineInfo:
        return EngineInfo("fixed", "none", "fp16", self._size, str(self._device.facts))

    @property
    def input_size(self) -> Size:
        return self._size

    @property
    def tensors(self) -> Mapping[str, TensorSpec]:
        height, width = self._size.height, self._size.width
        matte = TensorSpec((1, 4, height, width), half=True)
        return {SRC: TensorSpec((1, 3, height, width), half=True), **dict.fromkeys(COEFFICIENTS, matte)}

    def bind(self, turn: int, addresses: Mapping[str, int]) -> None:
        self._bound[turn] = tuple(addresses[name] for name in COEFFICIENTS)

    def enqueue(self, turn: int, *, cuda_stream: int) -> None:
        for address, answer in zip(self._bound[turn], self._answers, strict=True):
            self._device.upload(address, answer, cuda_stream=cuda_stream)
