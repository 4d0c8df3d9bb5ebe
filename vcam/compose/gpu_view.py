"""The camera's picture as outputs of one size show it, in device memory: the twin of vcam.compose.view."""

from dataclasses import replace

from vcam.compose.gpu_layout import picture_at
from vcam.compose.view import cover_window
from vcam.cuda.blur import DeviceBlur, blur_bytes
from vcam.cuda.device import Device, DeviceBuffer
from vcam.cuda.kernels import DeviceMatte, DevicePicture, Kernels
from vcam.frame import Size, VideoFormat, Window, frame_bytes
from vcam.native import BLUR_SIGMA

_FULL_STRENGTH = 100.0


class DeviceView:
    """One camera format at one output size: cropped to cover it, then scaled; nothing happens where both are equal."""

    def __init__(self, device: Device, kernels: Kernels, camera: VideoFormat, size: Size) -> None:
        self._device = device
        self._kernels = kernels
        self._camera = camera
        self._format = camera.resized(size)
        self._crop = cover_window(camera.size, size)
        self._scaled: DeviceBuffer | None = None if camera.size == size else device.buffer(frame_bytes(self._format))
        self._blur_memory: DeviceBuffer | None = None
        self._blur: DeviceBlur | None = None

    def picture(self, source: DevicePicture, *, cuda_stream: int) -> DevicePicture:
        """The part of ``source`` that is shown, at the output's size; queues the scaling where one is needed."""
        if self._scaled is None:
            return source
        shown = picture_at(self._scaled.address, self._format)
        self._kernels.scale(source, shown, self._crop, cuda_stream=cuda_stream)
        return shown

    def matte(self, whole: DeviceMatte) -> DeviceMatte:
        """The part of the matte of the whole camera picture that covers the view."""
        x, y = whole.size.width / self._camera.width, whole.size.height / self._camera.height
        crop = self._crop
        return replace(whole, window=Window(x * crop.x, y * crop.y, x * crop.width, y * crop.height))

    def gather(self, picture: DevicePicture, matte: DeviceMatte, strength: float, *, cuda_stream: int) -> DeviceBlur:
        """Queue blurring the room of the picture; strength as in native.MaskedBlur.gather."""
        if self._blur is None:
            size = self._format.size
            self._blur_memory = self._device.buffer(blur_bytes(size))
            self._blur = DeviceBlur(self._kernels, size, self._blur_memory.address)
        sigma_px = strength / _FULL_STRENGTH * BLUR_SIGMA * self._format.width
        self._blur.gather(picture, matte, sigma_px, cuda_stream=cuda_stream)
        return self._blur

    def release(self) -> None:
        """Free the memory. Nothing that is queued may still use it."""
        for buffer in (self._scaled, self._blur_memory):
            if buffer is not None:
                buffer.release()
