"""Robust Video Matting's core in ONNX Runtime, on the CPU."""

from types import TracebackType
from typing import Self

from vcam.engines.core_tensors import DIRECTIONS, CoreTensors, check_threads
from vcam.engines.onnx_session import OnnxSession
from vcam.engines.recurrent import RecurrentCore, opened
from vcam.frame import AffineMatte, Size, Stamp, Tensor
from vcam.stages import CoreModel, EngineInfo


class OnnxRuntimeEngine:
    """Satisfies MattingEngine. Nothing is allocated per frame: both directions of the states are bound once."""

    def __init__(self, model: CoreModel, *, threads: int) -> None:
        self._model = model
        self._threads = check_threads(threads)
        self._core: RecurrentCore | None = None

    def __enter__(self) -> Self:
        session = OnnxSession(self._model.path, threads=self._threads)
        tensors = CoreTensors(self._model)
        found = {
            each.name: (tuple(size or 0 for size in each.shape), each.dtype)
            for each in (*session.inputs, *session.outputs)
        }
        tensors.check(found, self._model)
        runs = [session.bind(tensors.inputs(each), tensors.outputs(each)) for each in range(DIRECTIONS)]
        self._core = RecurrentCore(tensors, runs)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._core = None

    @property
    def info(self) -> EngineInfo:
        return EngineInfo("onnxruntime", self._model.name, self._model.precision, self._model.size, "cpu")

    @property
    def input_size(self) -> Size:
        return self._model.size

    def matte(self, small: Tensor, stamp: Stamp) -> AffineMatte:
        return opened(self._core).matte(small, stamp)

    def reset(self) -> None:
        opened(self._core).reset()
