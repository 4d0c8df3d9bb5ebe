"""Robust Video Matting's core in ONNX Runtime, on the CPU."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from vcam.engines.core_tensors import DIRECTIONS, CoreTensors, check_threads
from vcam.engines.onnx_session import OnnxSession
from vcam.errors import EngineError
from vcam.frame import AffineMatte, Size, Stamp, Tensor
from vcam.stages import CoreModel, EngineInfo


class OnnxRuntimeEngine:
    """Satisfies MattingEngine. Nothing is allocated per frame: both directions of the states are bound once."""

    def __init__(self, model: CoreModel, *, threads: int) -> None:
        self._model = model
        self._threads = check_threads(threads)
        self._tensors: CoreTensors | None = None
        self._run: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        session = OnnxSession(self._model.path, threads=self._threads)
        tensors = CoreTensors(self._model)
        found = {
            each.name: (tuple(size or 0 for size in each.shape), each.dtype)
            for each in (*session.inputs, *session.outputs)
        }
        tensors.check(found, self._model)
        self._run = [session.bind(tensors.inputs(each), tensors.outputs(each)) for each in range(DIRECTIONS)]
        for run in self._run:  # the first run plans memory; no frame should wait for that
            run()
        tensors.reset()
        self._tensors = tensors
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._run = []
        self._tensors = None

    @property
    def info(self) -> EngineInfo:
        return EngineInfo("onnxruntime", self._model.name, self._model.precision, self._model.size, "cpu")

    @property
    def input_size(self) -> Size:
        return self._model.size

    def matte(self, small: Tensor, stamp: Stamp) -> AffineMatte:
        tensors = self._opened()
        direction = tensors.load(small)
        try:
            self._run[direction]()
        except EngineError:
            tensors.reset()  # the states may be half written
            raise
        return tensors.matte(stamp)

    def reset(self) -> None:
        self._opened().reset()

    def _opened(self) -> CoreTensors:
        if self._tensors is None:
            raise EngineError("the engine is not open", hint="use it inside `with`")
        return self._tensors
