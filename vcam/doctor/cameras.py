"""The cameras: what they can give over their bus, and whether the one that the settings name can be used."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from vcam.doctor.access import entry_remedy
from vcam.doctor.case import Case
from vcam.doctor.finding import Finding, fail, ok, warn
from vcam.errors import FormatRejectedError
from vcam.frame import Size
from vcam.sources.spec import SourceKind
from vcam.v4l2 import queries
from vcam.v4l2.devices import Camera
from vcam.v4l2.kernel import Descriptor
from vcam.v4l2.modes import READABLE, Mode, choose_mode

CHECK, INPUT = "camera", "input"

_NEARLY = 0.9
_USB = ((5000.0, "USB 3"), (480.0, "USB 2"), (0.0, "USB 1"))
"""From so many megabits a second on (``speed`` in sysfs)."""
_USB_3, _USB_2 = _USB[0][0], _USB[1][0]
_COMPRESSED = frozenset({"MJPG", "JPEG"})


def check_cameras(case: Case) -> Sequence[Finding]:
    """Each camera that there is: which mode vcam would take, at which rate, over which USB."""
    return [_judged(case, camera) for camera in case.inventory.cameras]


def check_input(case: Case) -> Sequence[Finding]:
    """The source that the settings name: is it there, is it free?"""
    source, view = case.source, case.view
    if source.kind is SourceKind.SCENE:
        return [ok(INPUT, f"{source.text}: a drawn scene, no camera")]
    node = view.path(source.path or "")
    if source.kind is SourceKind.FILE:
        path = source.path or Path()
        there = path.is_file()
        return [ok(INPUT, source.text) if there else fail(INPUT, f"there is no file {path}", "vcam run -i file:PATH")]
    if not node.exists():
        return [fail(INPUT, f"there is no {source.text}", _other(case))]
    return [_usable(case, node)]


def usb_speed(case: Case, node: Path) -> float | None:
    """Megabits a second; None where it is on no USB."""
    interface = case.view.path(f"sys/class/video4linux/{node.resolve().name}/device").resolve()
    for folder in (interface, interface.parent):
        with suppress(OSError, ValueError):
            return float((folder / "speed").read_text())
    return None


def _judged(case: Case, camera: Camera) -> Finding:
    wanted, fps = Size(case.config.width, case.config.height), float(case.config.fps)
    name = f'{case.view.name(camera.path)} "{camera.card}"'
    try:
        chosen = choose_mode(camera.modes, wanted, fps)
    except FormatRejectedError as error:
        return warn(CHECK, f"{name}: {error.problem}", "another camera; an infrared one is of no use")
    speed = usb_speed(case, camera.path)
    bus = "" if speed is None else f", {next(label for least, label in _USB if speed >= least)}"
    facts = f"{name} gives {_mode(chosen)}{bus}{_raw_trap(camera, chosen, fps)}"
    if chosen.fps < _NEARLY * fps:
        return warn(CHECK, f"{facts}: less than the {fps:g} fps asked for", _faster(camera, chosen, fps, speed))
    if speed is not None and speed < _USB_2:
        return warn(CHECK, facts, "plug it in without that old hub or cable between")
    return ok(CHECK, facts)


def _raw_trap(camera: Camera, chosen: Mode, fps: float) -> str:
    """Many webcams list uncompressed pictures first, at full size, and give 5 of them a second over USB 2."""
    raw = [mode.fps for mode in camera.modes if mode.size == chosen.size and mode.fourcc not in _COMPRESSED]
    if chosen.fourcc not in _COMPRESSED or not raw or max(raw) >= _NEARLY * fps:
        return ""
    return f" (uncompressed it would be {max(raw):g} fps)"


def _faster(camera: Camera, chosen: Mode, fps: float, speed: float | None) -> str:
    """The largest mode at the wanted rate, if there is one."""
    fast = [mode for mode in camera.modes if mode.fourcc in READABLE and mode.fps >= _NEARLY * fps]
    if fast:
        size = max((mode.size for mode in fast), key=lambda size: size.width * size.height)
        return f"vcam run -W {size.width} -H {size.height}"
    port = "; or a USB 3 port, if the camera is made for it" if speed is not None and speed < _USB_3 else ""
    return f"vcam run --fps {max(1, int(chosen.fps))}{port}"


def _mode(mode: Mode) -> str:
    return f"{mode.fourcc} {mode.size}" + (f" at {mode.fps:g} fps" if mode.interval_s else "")


def _usable(case: Case, node: Path) -> Finding:
    """Asks for its buffers and gives them back: that turns on no light, and fails when the camera is busy."""
    name, ours = case.config.input, case.ours(node)
    if ours is not None:
        return ok(INPUT, f"{name} is read by {ours}")
    try:
        device = Descriptor(case.view.kernel, node)
    except OSError as error:
        if isinstance(error, PermissionError):
            return fail(INPUT, f"{name} may not be opened by this user", entry_remedy(case.view, node))
        return fail(INPUT, f"{name} cannot be opened: {error.strerror or error}", "plug the camera in again")
    try:
        offered = queries.formats(device)
        readable = any(fourcc in READABLE for fourcc in offered)
        free = readable and queries.is_free(device)
    except OSError as error:
        return fail(INPUT, f"{name} does not answer: {error.strerror or error}", "plug the camera in again")
    finally:
        device.close()
    if not readable:
        told = ", ".join(offered) or "nothing: it is no camera, or a virtual one that nobody writes to"
        return fail(INPUT, f"{name} offers {told}", _other(case))
    return ok(INPUT, f"{name} is there and free") if free else _busy(case, node)


def _busy(case: Case, node: Path) -> Finding:
    name, others = case.config.input, ", ".join(map(str, case.holders(node)))
    if not others and case.running:
        return ok(INPUT, f"{name} is in use, by the vcam that runs, it seems")
    return fail(
        INPUT, f"{name} is in use by {others or 'another program'}", f"close it; sudo fuser -v {name} names all"
    )


def _other(case: Case) -> str:
    cameras = [camera for camera in case.inventory.cameras if camera.readable]
    if not cameras:
        return "plug a camera in; vcam demo and vcam run -i test: need none"
    best = cameras[0]
    return f"vcam run -i {case.view.name(best.by_id[0] if best.by_id else best.path)}"
