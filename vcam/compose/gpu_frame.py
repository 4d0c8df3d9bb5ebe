"""What the GPU holds for one format of the camera: its picture, the views of it, its alpha."""

from collections.abc import Iterable
from functools import partial

from vcam.compose.gpu_live import LiveBlock
from vcam.compose.gpu_pinned import PinnedPool
from vcam.compose.gpu_program import Recorder
from vcam.compose.gpu_upload import Upload
from vcam.compose.gpu_view import DeviceView
from vcam.cuda.device import Device, DeviceBuffer, PinnedBuffer
from vcam.cuda.kernels import DeviceMatte, DevicePicture
from vcam.frame import Image, Plane, Size, VideoFormat


class CameraFrame:
    """format: of the camera, packed. recorder: what the views put their work into. block: what that reads."""

    def __init__(
        self, device: Device, pool: PinnedPool, recorder: Recorder, block: LiveBlock, fmt: VideoFormat
    ) -> None:
        self.format = fmt
        self._device = device
        self._pool = pool
        self._recorder = recorder
        self._block = block
        self._upload: Upload | None = None
        self._alpha: DeviceBuffer | None = None
        self._host_alpha: PinnedBuffer | None = None
        self.views: dict[Size, DeviceView] = {}

    def show(self, sizes: Iterable[Size]) -> None:
        """Make a view for each output size."""
        for size in sizes:
            self.views[size] = DeviceView(self._device, self._recorder, self.format, size, self._block.view(size))

    def source(self, image: Image) -> DevicePicture:
        """The picture in device memory; queues its upload unless it was decoded there."""
        if image.device:
            return DevicePicture(self.format, image.device)
        if self._upload is None:
            self._upload = Upload(self._device, self._pool, self.format)
        self._upload.queue(image.planes)
        return self._upload.picture

    def alpha(self, source: DevicePicture, matte: DeviceMatte) -> Plane:
        """Record finding the alpha of a picture and bringing it here, (H, W) uint8: there once that is through."""
        width, height = self.format.width, self.format.height
        if self._alpha is None:
            self._alpha = self._device.buffer(width * height)
        if self._host_alpha is None:
            self._host_alpha = self._device.pinned(width * height)
        stream, address, host = self._device.cuda_stream, self._alpha.address, self._host_alpha.array
        self._recorder.alpha(source, matte, address, cuda_stream=stream)
        self._recorder.add(partial(self._device.download, host, address, cuda_stream=stream))
        return host.reshape(height, width)

    def release(self) -> None:
        """Free all memory. Nothing that is queued may still use it."""
        for part in (self._upload, self._alpha, self._host_alpha, *self.views.values()):
            if part is not None:
                part.release()
