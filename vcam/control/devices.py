"""Cameras and virtual cameras as an answer; ``vcam devices --json`` prints the same."""

from pydantic import BaseModel

from vcam.v4l2.devices import Camera, Inventory, VirtualCamera


class ModeView(BaseModel):
    """A picture that a camera offers. Pixels; frames a second, null where it does not say."""

    fourcc: str
    width: int
    height: int
    fps: float | None


class CameraView(BaseModel):
    """by_id: names that survive replugging. readable: vcam can use one of its modes."""

    path: str
    card: str
    driver: str
    bus: str
    by_id: list[str]
    readable: bool
    modes: list[ModeView]


class VirtualCameraView(BaseModel):
    """Null: that cannot be known; of the format, that nobody has written yet."""

    path: str
    card: str
    driver: str
    format: str | None
    readers: int | None
    exclusive_caps: bool | None


class UnreadableView(BaseModel):
    """A node that could not be asked."""

    path: str
    reason: str


class DevicesView(BaseModel):
    """Everything under /dev/video*."""

    cameras: list[CameraView]
    virtual_cameras: list[VirtualCameraView]
    unreadable: list[UnreadableView]


def devices_view(inventory: Inventory) -> DevicesView:
    """All that is known."""
    return DevicesView(
        cameras=[_camera(camera) for camera in inventory.cameras],
        virtual_cameras=[_virtual_camera(device) for device in inventory.virtual_cameras],
        unreadable=[UnreadableView(path=str(node.path), reason=node.reason) for node in inventory.unreadable],
    )


def _camera(camera: Camera) -> CameraView:
    modes = [
        ModeView(
            fourcc=mode.fourcc,
            width=mode.size.width,
            height=mode.size.height,
            fps=round(mode.fps, 3) if mode.interval_s else None,
        )
        for mode in camera.modes
    ]
    return CameraView(
        path=str(camera.path),
        card=camera.card,
        driver=camera.driver,
        bus=camera.bus,
        by_id=[str(path) for path in camera.by_id],
        readable=camera.readable,
        modes=modes,
    )


def _virtual_camera(device: VirtualCamera) -> VirtualCameraView:
    return VirtualCameraView(
        path=str(device.path),
        card=device.card,
        driver=device.driver,
        format=None if device.format is None else f"{device.format.fourcc} {device.format.size}",
        readers=device.readers,
        exclusive_caps=device.exclusive_caps,
    )
