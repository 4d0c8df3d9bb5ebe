"""The camera's picture as outputs of one size show it, in device memory: the twin of vcam.compose.view."""

from dataclasses import replace

from vcam.compose.gpu_layout import picture_at
from vcam.cuda.blur import DeviceBlur, blur_bytes
from vcam.cuda.device import Device, DeviceBuffer
from vcam.cuda.kernels import DeviceMatte, DevicePicture, Kernels
from vcam.frame import Size, VideoFormat, frame_bytes


class DeviceView:
    """One camera format at one output size: cropped to cover it, then scaled; nothing happens where both are equal.

    address: of its ViewStruct.
    """

    def __init__(self, device: Device, kernels: Kernels, camera: VideoFormat, size: Size, address: int) -> None:
        self._device = device
        self._kernels = kernels
        self._format = camera.resized(size)
        self._address = address
        self._scaled: DeviceBuffer | None = None if camera.size == size else device.buffer(frame_bytes(self._format))
        self._blur_memory: DeviceBuffer | None = None
        self._blur: DeviceBlur | None = None

    def picture(self, source: DevicePicture, *, cuda_stream: int) -> DevicePicture:
        """The part of ``source`` that is shown, at the output's size; queues the scaling where one is needed."""
        if self._scaled is None:
            return source
        shown = picture_at(self._scaled.address, self._format)
        self._kernels.scale(source, shown, self._address, cuda_stream=cuda_stream)
        return shown

    def matte(self, whole: DeviceMatte) -> DeviceMatte:
        """The part of the matte of the whole camera picture that covers the view."""
        return replace(whole, view=self._address)

    def gather(self, picture: DevicePicture, matte: DeviceMatte, *, cuda_stream: int) -> DeviceBlur:
        """Queue blurring the room of the picture."""
        if self._blur is None:
            size = self._format.size
            self._blur_memory = self._device.buffer(blur_bytes(size))
            self._blur = DeviceBlur(self._kernels, size, self._blur_memory.address)
        self._blur.gather(picture, matte, cuda_stream=cuda_stream)
        return self._blur

    def release(self) -> None:
        """Free the memory. Nothing that is queued may still use it."""
        for buffer in (self._scaled, self._blur_memory):
            if buffer is not None:
                buffer.release()
