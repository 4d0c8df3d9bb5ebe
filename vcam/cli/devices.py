"""``vcam devices``: what could be an input, what could be an output."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from vcam.control.devices import devices_view
from vcam.v4l2.devices import Camera, Inventory, VirtualCamera
from vcam.v4l2.modes import READABLE, Mode


def show(inventory: Inventory, console: Console) -> None:
    """Tables for people, with what to do where there is nothing."""
    if inventory.cameras:
        console.print(_cameras(inventory.cameras))
    else:
        console.print("No camera was found. [dim]vcam demo and -i test:1280x720@30 need none.[/dim]")
    if inventory.virtual_cameras:
        console.print(_virtual_cameras(inventory.virtual_cameras))
    else:
        console.print(
            "No virtual camera was found. Make one with: [bold]sudo modprobe v4l2loopback video_nr=10 "
            'card_label="AI-Camera" exclusive_caps=1[/bold]',
            soft_wrap=True,
        )
    for node in inventory.unreadable:
        console.print(f"{node.path}: {node.reason}", style="yellow", soft_wrap=True)


def as_json(inventory: Inventory) -> str:
    """All that is known, for machines: as the API tells it."""
    return devices_view(inventory).model_dump_json(indent=2)


def _cameras(cameras: Sequence[Camera]) -> Table:
    table = Table(title="Cameras (vcam run -i PATH)", title_justify="left")
    table.add_column("path", no_wrap=True)
    table.add_column("camera")
    table.add_column("modes")
    for camera in cameras:
        names = "\n".join(str(path) for path in (camera.path, *camera.by_id))
        modes = _modes(camera.modes) if camera.readable else f"none that vcam reads: {_fourccs(camera.modes)}"
        table.add_row(names, f"{camera.card}\n[dim]{camera.driver}, {camera.bus}[/dim]", modes)
    return table


def _modes(modes: Sequence[Mode]) -> str:
    """One line per format and size, with its rates; what vcam reads only."""
    rates: dict[str, list[str]] = {}
    for mode in modes:
        if mode.fourcc in READABLE:
            rate = f"{mode.fps:g}" if mode.interval_s else "?"
            rates.setdefault(f"{mode.fourcc} {mode.size}", []).append(rate)
    return "\n".join(f"{name} @ {', '.join(fps)}" for name, fps in rates.items())


def _fourccs(modes: Iterable[Mode]) -> str:
    return ", ".join(sorted({mode.fourcc for mode in modes})) or "it offers no mode"


def _virtual_cameras(devices: Sequence[VirtualCamera]) -> Table:
    table = Table(title="Virtual cameras (vcam run -o PATH)", title_justify="left")
    for column in ("path", "name", "driver", "format", "readers", "exclusive_caps"):
        table.add_column(column, no_wrap=column == "path")
    for device in devices:
        caps = {True: "yes", False: "no: Chrome does not list it", None: "?"}[device.exclusive_caps]
        readers = "?" if device.readers is None else str(device.readers)
        table.add_row(str(device.path), device.card, device.driver, _format(device) or "none yet", readers, caps)
    return table


def _format(device: VirtualCamera) -> str | None:
    return None if device.format is None else f"{device.format.fourcc} {device.format.size}"
