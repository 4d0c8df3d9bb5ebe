"""What is done to a frame's matte before it composes, on the GPU: memory only where it is asked for."""

from dataclasses import replace

from vcam.compose.gpu_live import LiveBlock
from vcam.compose.gpu_program import Recorder
from vcam.compose.gpu_tensors import EngineTensors
from vcam.cuda.device import Device
from vcam.cuda.edge import DeviceEdge, edge_bytes
from vcam.cuda.grow import DeviceGrow, grow_bytes
from vcam.cuda.kernels import DeviceMatte
from vcam.stages import MatteControls

_NO_FRAME = 0xFF
"""In each byte it makes NaN: a state that nothing follows."""


class Edges:
    """For the mattes of one engine; the twin of vcam.compose.post. controls: what is asked for now.

    What smoothing remembers is forgotten when it is asked for after a time without it.
    """

    def __init__(self, device: Device, recorder: Recorder, tensors: EngineTensors, block: LiveBlock) -> None:
        self._device = device
        self._recorder = recorder
        self._tensors = tensors
        self._block = block
        self._edge: DeviceEdge | None = None
        self._grow: DeviceGrow | None = None
        self._address = 0
        self._remembers = False
        self.controls = MatteControls()

    def ask(self, controls: MatteControls) -> None:
        """From the next frame on. Raises GpuError."""
        if _corrects(controls) and self._edge is None:
            self._address = self._device.buffer(edge_bytes(self._tensors.size)).address
            self._edge = DeviceEdge(self._recorder, self._tensors.size, self._address)
        if controls.grow and self._grow is None:
            memory = self._device.buffer(grow_bytes(self._tensors.size)).address
            self._grow = DeviceGrow(self._recorder, self._tensors.size, memory, self._block.folded)
        if not self.controls.smoothing:
            self._remembers = False
        self.controls = controls

    def forget(self) -> None:
        """Forget earlier frames: before the next frame, by ``queue_forgetting``."""
        self._remembers = False

    def queue_forgetting(self, *, cuda_stream: int) -> None:
        """Queue what makes the next frame the first one, where that is so."""
        if self._edge is not None and self.controls.smoothing and not self._remembers:
            self._device.fill(self._address, _NO_FRAME, self._edge.state_bytes, cuda_stream=cuda_stream)
        self._remembers = True

    def record(self, turn: int, *, cuda_stream: int) -> DeviceMatte:
        """Record what is done to one turn's matte, and what its frame tells of the edge; the matte to be composed."""
        matte, tensors = self._tensors.matte(), self._tensors
        if self._grow is not None and self.controls.grow:
            matte = self._grow.grow(tensors.src, matte, small_half=tensors.src_half, cuda_stream=cuda_stream)
        if self._edge is None or not _corrects(self.controls):
            return matte
        return self._edge.prepare(
            tensors.src, matte, self.controls, turn, small_half=tensors.src_half, cuda_stream=cuda_stream
        )

    def matte(self, turn: int) -> DeviceMatte:
        """The matte of the last frame, which was of this turn, as it was composed."""
        matte = self._tensors.matte()
        if self._grow is not None and self.controls.grow:
            matte = self._grow.grown(matte)
        if self._edge is None or not _corrects(self.controls):
            return matte
        return replace(matte, corrections=self._edge.corrections(self.controls, turn))


def _corrects(controls: MatteControls) -> bool:
    return max(controls.smoothing, controls.refine, controls.despill) > 0
