"""The virtual cameras: those that there are, and those that the settings name."""

from collections.abc import Sequence
from pathlib import Path

from vcam.doctor.access import entry_remedy
from vcam.doctor.case import Case
from vcam.doctor.finding import Finding, fail, ok, skip, warn
from vcam.sinks.v4l2 import MODPROBE
from vcam.v4l2 import queries
from vcam.v4l2.abi import Capability
from vcam.v4l2.devices import VirtualCamera
from vcam.v4l2.kernel import Descriptor

CHECK, CAPS = "output", "virtual camera"

_RELOAD = "sudo modprobe -r v4l2loopback && sudo modprobe v4l2loopback"


def check_exclusive_caps(case: Case) -> Sequence[Finding]:
    """Each virtual camera that there is: would browsers list it?"""
    return [_listed(case, camera) for camera in case.inventory.virtual_cameras]


def check_outputs(case: Case) -> Sequence[Finding]:
    """Each one that the settings name: can it be written to?"""
    if not case.output_nodes:
        return [skip(CHECK, f"{', '.join(case.config.output)}: no virtual camera")]
    return [_writable(case, node) for node in case.output_nodes]


def _listed(case: Case, camera: VirtualCamera) -> Finding:
    name = f'{case.view.name(camera.path)} "{camera.card}"'
    if camera.exclusive_caps is False:
        return warn(
            CAPS,
            f"{name} has no exclusive_caps: Chrome and what is made of it do not list it",
            f"sudo modprobe -r v4l2loopback && {MODPROBE.format(number=camera.path.name.removeprefix('video'))}",
        )
    readers = "" if camera.readers is None else f", {camera.readers} reading"
    shows = "shows nothing yet" if camera.format is None else f"shows {camera.format.fourcc} {camera.format.size}"
    return ok(CAPS, f"{name} {shows}{readers}")


def _writable(case: Case, node: Path) -> Finding:
    name = case.view.name(node)
    ours = case.ours(node)
    if ours is not None:
        return ok(CHECK, f"{name} is written to by {ours}")
    try:
        device = Descriptor(case.view.kernel, node)
    except OSError as error:
        return _closed(case, node, error)
    try:
        identity = queries.identify(device)
    except OSError as error:
        return fail(CHECK, f"{name} is no video device ({error.strerror or error})", f"vcam run -o file:{name}")
    finally:
        device.close()
    if Capability.VIDEO_OUTPUT in identity.capabilities:
        return ok(CHECK, f'{name} "{identity.card}" takes pictures')
    if "loopback" not in identity.driver:
        return fail(CHECK, f'{name} is a camera, "{identity.card}"', _other(case))
    others = ", ".join(map(str, case.holders(node)))
    if others:
        return fail(CHECK, f"{name} has another producer: {others}", f"close it; sudo fuser -v {name} names all")
    if case.running:
        return ok(CHECK, f"{name} has a producer: the vcam that runs, it seems")
    return fail(CHECK, f"{name} is stuck: nobody writes to it, and it takes no producer", _RELOAD)


def _closed(case: Case, node: Path, error: OSError) -> Finding:
    name = case.view.name(node)
    if isinstance(error, PermissionError):
        return fail(CHECK, f"{name} may not be opened by this user", entry_remedy(case.view, node))
    if isinstance(error, FileNotFoundError):
        return fail(CHECK, f"there is no {name}", _other(case, node))
    return fail(CHECK, f"{name} cannot be opened: {error.strerror or error}", "sudo dmesg | tail")


def _other(case: Case, missing: Path | None = None) -> str:
    """One that there is, else how to make one."""
    there = case.inventory.virtual_cameras
    if there:
        return f"vcam run -o {case.view.name(there[0].path)}"
    number = missing.name.removeprefix("video") if missing else ""
    return f"sudo make install  # or: {MODPROBE.format(number=number if number.isdigit() else 10)}"
