"""What stands behind the person, in device memory: brought there only when it changed."""

from vcam.compose.gpu_layout import packed, picture_at
from vcam.compose.gpu_upload import Staging, check_shapes
from vcam.cuda.device import Device, DeviceBuffer
from vcam.cuda.kernels import DevicePicture
from vcam.frame import Image, VideoFormat, frame_bytes, plane_shapes
from vcam.stages import Backdrop


class Backdrops:
    """One picture per packed target format; written by uploads, or by the blur's kernels."""

    def __init__(self, device: Device, targets: tuple[VideoFormat, ...]) -> None:
        self._places = {target: _Place(device, target) for target in targets}
        self.pictures: dict[VideoFormat, DevicePicture] = {
            target: place.picture for target, place in self._places.items()
        }

    def render(self, backdrop: Backdrop, pts_ns: int) -> None:
        """Render for each target. Raises ValueError when a picture is not of its target's format."""
        for target, place in self._places.items():
            place.render(backdrop.render(target, pts_ns))

    def queue(self) -> None:
        """Queue the upload of what was rendered and is not there already. Raises GpuError."""
        for place in self._places.values():
            place.queue()

    def forget(self) -> None:
        """Upload everything anew: the memory holds, or may hold, something else."""
        for place in self._places.values():
            place.shown = place.wanted = None


class _Place:
    """wanted: what was rendered last; a still backdrop gives one object for ever. shown: what is on the device."""

    def __init__(self, device: Device, target: VideoFormat) -> None:
        self._device = device
        self._target = target
        self._shapes = plane_shapes(target)
        self._buffer: DeviceBuffer = device.buffer(frame_bytes(target))
        self._staging: Staging | None = None
        self.picture = picture_at(self._buffer.address, target)
        self.wanted: Image | None = None
        self.shown: Image | None = None

    def render(self, image: Image) -> None:
        if image is self.wanted:
            return
        if packed(image.format) != self._target:
            raise ValueError(f"a backdrop of {image.format} for an output of {self._target}")
        check_shapes(image.planes, self._shapes)
        self.wanted = image

    def queue(self) -> None:
        wanted = self.wanted
        if wanted is None or wanted is self.shown:
            return
        if self._staging is None:
            self._staging = Staging(self._device, self._target)
        self.shown = None
        self._staging.queue(wanted.planes, self._buffer.address)
        self.shown = wanted
