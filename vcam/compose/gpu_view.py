"""The camera's picture as outputs of one size show it, in device memory: the twin of vcam.compose.view."""

from dataclasses import replace

from vcam.compose.gpu_layout import picture_at
from vcam.cuda.arguments import DeviceWash
from vcam.cuda.blur import DeviceBlur, blur_bytes
from vcam.cuda.device import Device, DeviceBuffer
from vcam.cuda.kernels import DeviceMatte, DevicePicture, Kernels
from vcam.cuda.light import DeviceLight, light_bytes
from vcam.frame import Size, VideoFormat, frame_bytes


class DeviceView:
    """One camera format at one output size: what a scene's framing shows of it, scaled; nothing happens where both are
    equal and nothing is framed. address: of its ViewStruct. Memory is allocated when first needed.
    """

    def __init__(self, device: Device, kernels: Kernels, camera: VideoFormat, size: Size, address: int) -> None:
        self._device = device
        self._kernels = kernels
        self._format = camera.resized(size)
        self._address = address
        self._crops = camera.size != size
        self._scaled: DeviceBuffer | None = None
        self._memory: list[DeviceBuffer] = []
        self._blur: DeviceBlur | None = None
        self._person: DeviceBlur | None = None
        self._light: DeviceLight | None = None

    def picture(self, source: DevicePicture, *, framed: bool, cuda_stream: int) -> DevicePicture:
        """The part of ``source`` that is shown, at the output's size; queues the scaling where one is needed.

        framed: also where the sizes are equal.
        """
        if not self._crops and not framed:
            return source
        if self._scaled is None:
            self._scaled = self._allocate(frame_bytes(self._format))
        shown = picture_at(self._scaled.address, self._format)
        self._kernels.scale(source, shown, self._address, cuda_stream=cuda_stream)
        return shown

    def matte(self, whole: DeviceMatte) -> DeviceMatte:
        """The matte of the whole camera picture, as it covers the view."""
        return replace(whole, view=self._address)

    def gather(self, picture: DevicePicture, matte: DeviceMatte, *, cuda_stream: int) -> DeviceBlur:
        """Queue blurring the room of the picture."""
        if self._blur is None:
            self._blur = self._make_blur(person=False)
        self._blur.gather(picture, matte, cuda_stream=cuda_stream)
        return self._blur

    def anonymise(self, picture: DevicePicture, matte: DeviceMatte, *, cuda_stream: int) -> DeviceWash:
        """Queue blurring the person of the picture: the colours to show instead."""
        if self._person is None:
            self._person = self._make_blur(person=True)
        self._person.gather(picture, matte, cuda_stream=cuda_stream)
        return self._person.wash

    def light(
        self, picture: DevicePicture, background: DevicePicture, matte: DeviceMatte, *, cuda_stream: int
    ) -> DeviceWash:
        """Queue finding the light that the background sheds on the person."""
        if self._light is None:
            size = self._format.size
            self._light = DeviceLight(self._kernels, size, self._allocate(light_bytes(size)).address)
        return self._light.gather(picture, background, matte, cuda_stream=cuda_stream)

    def release(self) -> None:
        """Free the memory. Nothing that is queued may still use it."""
        for buffer in self._memory:
            buffer.release()

    def _make_blur(self, *, person: bool) -> DeviceBlur:
        size = self._format.size
        return DeviceBlur(self._kernels, size, self._allocate(blur_bytes(size)).address, person=person)

    def _allocate(self, nbytes: int) -> DeviceBuffer:
        buffer = self._device.buffer(nbytes)
        self._memory.append(buffer)
        return buffer
