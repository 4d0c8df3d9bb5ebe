"""TensorRT against ONNX Runtime in float32, over recurrent frames of a moving person."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import numpy.typing as npt

from vcam import native
from vcam.bench.clip import Clip, to_and_fro
from vcam.bench.gpu_room import GpuRoom
from vcam.bench.report import Row
from vcam.cuda.device import Device, DeviceBuffer, PinnedBuffer
from vcam.decode.turbo import TurboDecoder
from vcam.engines.rvm_onnxruntime import OnnxRuntimeEngine
from vcam.engines.select import default_threads
from vcam.frame import EncodedFrame, Stamp, Tensor
from vcam.rvm import COEFFICIENTS, SRC, STATES_IN, STATES_OUT
from vcam.stages import DeviceEngine, TensorSpec

_GROUP = "accuracy: alpha against ONNX Runtime in float32"
_TURNS = 2


def run(room: GpuRoom, name: str, clip: Clip) -> Row:
    """Of one engine; durations are of no interest here and are 0. Raises VcamError where it cannot be had."""
    largest, mean = [], []
    with ExitStack() as stack:
        reference = stack.enter_context(OnnxRuntimeEngine(room.reference(), threads=default_threads()))
        core = stack.enter_context(DeviceCore(room, name))
        decoder = stack.enter_context(TurboDecoder())
        small = np.empty((3, core.size.height, core.size.width), np.float32)
        for number, jpeg in zip(range(room.weight.compared), cycle(to_and_fro(clip.jpegs)), strict=False):
            native.sample(decoder.decode(EncodedFrame(jpeg, clip.format, Stamp(number, number))), small)
            matte = reference.matte(small, Stamp(number, number))
            off = np.abs(_alpha(small, *core.coefficients(small)) - _alpha(small, matte.a, matte.b))
            largest.append(float(off.max()))
            mean.append(float(off.mean()))
        info = core.info
    figures: dict[str, float | str] = {
        "largest": round(max(largest), 5),
        "mean": round(float(np.mean(mean)), 7),
        "mean_of_worst_frame": round(max(mean), 7),
        "mean_of_last_tenth": round(float(np.mean(mean[-max(1, len(mean) // 10) :])), 7),
    }
    return Row(f"{info.engine}, {info.precision}, {info.size}", 0.0, 0.0, 0.0, len(mean), figures, _GROUP)


def _alpha(picture: Tensor, a: Tensor, b: Tensor) -> Tensor:
    alpha: Tensor = np.clip(a[3] * picture.mean(axis=0) + b[3], 0, 1)
    return alpha


@dataclass(frozen=True, slots=True)
class _Tensor:
    """One tensor of the engine, on the GPU and beside it."""

    spec: TensorSpec
    there: DeviceBuffer
    here: PinnedBuffer

    def values(self) -> npt.NDArray[np.float16 | np.float32]:
        kind: npt.NDArray[np.float16 | np.float32] = self.here.array.view(np.float16 if self.spec.half else np.float32)
        return kind.reshape(self.spec.shape)


class DeviceCore:
    """A device engine run frame by frame from the host, its states kept on the GPU. Open while entered."""

    def __init__(self, room: GpuRoom, name: str) -> None:
        self._room, self._name = room, name
        self._stack = ExitStack()
        self._turn = 0

    def __enter__(self) -> "DeviceCore":
        with ExitStack() as stack:
            self._device = stack.enter_context(Device(self._room.driver))
            stack.enter_context(self._device.current())
            self._engine: DeviceEngine = stack.enter_context(self._room.engines[self._name]())
            self._tensors = {
                name: _Tensor(spec, self._device.buffer(spec.nbytes), self._device.pinned(spec.nbytes))
                for name, spec in self._engine.tensors.items()
            }
            for turn in range(_TURNS):
                self._engine.bind(turn, self._addresses(turn))
            for tensor in self._tensors.values():
                self._device.fill(tensor.there.address, 0, tensor.spec.nbytes, cuda_stream=self._device.cuda_stream)
            self.info, self.size = self._engine.info, self._engine.input_size
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def coefficients(self, small: Tensor) -> tuple[Tensor, Tensor]:
        """A and b, (4, h, w), of the next frame."""
        stream = self._device.cuda_stream
        src = self._tensors[SRC]
        np.copyto(src.values()[0], small, casting="same_kind")
        self._device.upload(src.there.address, src.here.array, cuda_stream=stream)
        self._engine.enqueue(self._turn, cuda_stream=stream)
        self._turn = (self._turn + 1) % _TURNS
        outputs = [self._tensors[name] for name in COEFFICIENTS]
        for output in outputs:
            self._device.download(output.here.array, output.there.address, cuda_stream=stream)
        self._device.synchronize()
        a, b = (output.values()[0].astype(np.float32) for output in outputs)
        return a, b

    def _addresses(self, turn: int) -> Mapping[str, int]:
        """Turn 0 reads the states where turn 1 writes them, and the reverse."""
        places = {name: tensor.there.address for name, tensor in self._tensors.items()}
        if turn:
            for read, written in zip(STATES_IN, STATES_OUT, strict=True):
                if read in places:
                    places[read], places[written] = places[written], places[read]
        return places
