"""The inventory for ``vcam devices``: cameras with their modes, virtual cameras with their state."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from vcam.v4l2 import queries, streaming
from vcam.v4l2.abi import BufType, Capability
from vcam.v4l2.kernel import Descriptor, Kernel, LinuxKernel
from vcam.v4l2.modes import READABLE, Mode

_LOOPBACK, _AKVCAM = "v4l2 loopback", "akvcam"
_PARAMETERS = Path("sys/module/v4l2loopback/parameters")


@dataclass(frozen=True, slots=True)
class Camera:
    """A device that captures. by_id: names that survive replugging. readable: vcam can use at least one mode."""

    path: Path
    card: str
    driver: str
    bus: str
    by_id: tuple[Path, ...]
    modes: tuple[Mode, ...]

    @property
    def readable(self) -> bool:
        return any(mode.fourcc in READABLE for mode in self.modes)


@dataclass(frozen=True, slots=True)
class VirtualCamera:
    """A v4l2loopback or akvcam device. format: None until a producer set one; readers, exclusive_caps: None where
    that cannot be known."""

    path: Path
    card: str
    driver: str
    format: streaming.PixFormat | None
    readers: int | None
    exclusive_caps: bool | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A node that could not be asked."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything under /dev/video*, by number; nodes for metadata, codecs and the like are left out."""

    cameras: tuple[Camera, ...] = ()
    virtual_cameras: tuple[VirtualCamera, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()


_Entry: TypeAlias = Camera | VirtualCamera | Unreadable | None


def list_devices(*, root: Path = Path("/"), kernel: Kernel | None = None) -> Inventory:
    """Ask every video node. Opens each for a moment, which turns no camera's light on."""
    loopbacks: list[Path] = []
    entries = [_entry(path, root, kernel or LinuxKernel(), loopbacks) for path in _nodes(root)]
    return Inventory(
        cameras=tuple(entry for entry in entries if isinstance(entry, Camera)),
        virtual_cameras=tuple(entry for entry in entries if isinstance(entry, VirtualCamera)),
        unreadable=tuple(entry for entry in entries if isinstance(entry, Unreadable)),
    )


def _nodes(root: Path) -> list[Path]:
    nodes = [path for path in (root / "dev").glob("video*") if path.name.removeprefix("video").isdigit()]
    return sorted(nodes, key=_number)


def _number(path: Path) -> int:
    return int(path.name.removeprefix("video"))


def _entry(path: Path, root: Path, kernel: Kernel, loopbacks: list[Path]) -> _Entry:
    try:
        device = Descriptor(kernel, path)
        try:
            return _ask(device, root, loopbacks)
        finally:
            device.close()
    except OSError as error:
        return Unreadable(path, error.strerror or str(error))


def _ask(device: Descriptor, root: Path, loopbacks: list[Path]) -> _Entry:
    identity = queries.identify(device)
    path, can = device.path, identity.capabilities
    if identity.driver == _LOOPBACK or identity.driver.startswith(_AKVCAM):
        exclusive = None
        if identity.driver == _LOOPBACK:
            exclusive = _exclusive_caps(root / _PARAMETERS, _number(path), len(loopbacks))
            loopbacks.append(path)
        if identity.driver != _LOOPBACK and Capability.VIDEO_OUTPUT not in can:
            return None
        return VirtualCamera(path, identity.card, identity.driver, _format(device, root), _readers(device), exclusive)
    if Capability.VIDEO_CAPTURE in can and Capability.VIDEO_M2M not in can:
        modes = tuple(queries.modes(device, queries.formats(device)))
        return Camera(path, identity.card, identity.driver, identity.bus, _by_id(root, path), modes)
    if Capability.VIDEO_CAPTURE_MPLANE in can and Capability.VIDEO_M2M_MPLANE not in can:
        return Unreadable(path, f"{identity.card} is multi-planar, which vcam cannot read")
    return None


def _by_id(root: Path, path: Path) -> tuple[Path, ...]:
    links = sorted((root / "dev/v4l/by-id").glob("*"))
    return tuple(link for link in links if link.resolve() == path.resolve())


def _format(device: Descriptor, root: Path) -> streaming.PixFormat | None:
    with suppress(OSError):
        # Without a producer v4l2loopback answers with a made-up format; this attribute of its own is empty then.
        if not (root / "sys/class/video4linux" / device.path.name / "format").read_text().strip():
            return None
    for kind in (BufType.VIDEO_OUTPUT, BufType.VIDEO_CAPTURE):
        # With exclusive_caps only the side that is up answers.
        with suppress(OSError):
            found = streaming.get_format(device, kind)
            if found.size.width:
                return found
    return None


def _readers(device: Descriptor) -> int | None:
    if not streaming.subscribe_client_usage(device):
        return None
    return streaming.next_client_usage(device) or 0


def _exclusive_caps(parameters: Path, number: int, position: int) -> bool | None:
    """The module takes one value per device it made, in the order of ``video_nr``; -1 there means any number."""
    try:
        flags = (parameters / "exclusive_caps").read_text().strip().split(",")
        numbers = (parameters / "video_nr").read_text().strip().split(",")
    except OSError:
        return None
    index = numbers.index(str(number)) if str(number) in numbers else position
    return flags[index] in ("Y", "1") if index < len(flags) else None
