"""``vcam ctl``: change a running vcam from a shell, a key binding, a script."""

import sys
from collections.abc import Callable, Mapping
from io import BytesIO
from types import MappingProxyType
from urllib.parse import quote

import typer

from vcam.cli.ctl_options import (
    CtlBackgroundOptions,
    CtlColorOptions,
    CtlOptions,
    CtlProfileOptions,
    CtlSnapshotOptions,
)
from vcam.cli.ctl_reach import ask, ask_bytes, handed_over, listed, tell
from vcam.cli.ctl_scene import effect, set_values
from vcam.cli.options import takes
from vcam.errors import ConfigError

_PICTURES = MappingProxyType({"": "JPEG", ".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"})
"""What a snapshot can be, by the suffix of its file."""


def add_commands(group: typer.Typer) -> None:
    """All of ``vcam ctl``."""
    group.command("status")(_status)
    group.command("background")(_background)
    group.command("color")(_color)
    group.command("set")(set_values)
    group.command("effect")(effect)
    group.command("profile")(_profile)
    for name, text in (
        ("pause", "Show the card instead of the person."),
        ("resume", "Show the person again."),
        ("reload", "Read the settings again; what was changed live is then as they say."),
        ("learn-plate", "Learn the empty room anew (engine plate): step out of the picture."),
    ):
        group.command(name, help=text)(_post(name))
    group.command("snapshot")(_snapshot)


@takes(CtlOptions)
def _status(options: CtlOptions) -> None:
    """Tell what viewers see, why, and how fast."""
    from vcam.cli.ctl_status import status_text

    told = ask(options, "GET", "/state")
    tell(options, told, status_text(told))


@takes(CtlBackgroundOptions)
def _background(options: CtlBackgroundOptions) -> None:
    """Show another background: green, color, blur:40, image:beach.jpg, none. A picture file is handed over first."""
    told = ask(options, "PATCH", "/scene", handed_over(options, {"background": options.spec.strip()}))
    tell(options, told, f"background: {told['background']}")


@takes(CtlColorOptions)
def _color(options: CtlColorOptions) -> None:
    """Show one colour: R,G,B with 0 to 255 each, or #rrggbb."""
    told = ask(options, "PATCH", "/scene", {"background": "color", "color": options.rgb.replace(" ", "")})
    tell(options, told, f"background: {told['background']} ({told['color']})")


@takes(CtlProfileOptions)
def _profile(options: CtlProfileOptions) -> None:
    """Show the scene of that name; without a name, list them."""
    if options.name is None:
        if options.save or options.delete:
            raise ConfigError("which profile?", hint="vcam ctl profile NAME --save")
        told = ask(options, "GET", "/profiles")
        tell(
            options, told, "\n".join(_profile_line(each) for each in listed(told, "profiles")) or "no profile is saved"
        )
    elif options.save:
        told = ask(options, "PUT", f"/profiles/{_quoted(options.name)}", {})
        tell(options, told, f"saved: {options.name}")
    elif options.delete:
        tell(options, ask(options, "DELETE", f"/profiles/{_quoted(options.name)}"), f"deleted: {options.name}")
    else:
        told = ask(options, "POST", f"/profiles/{_quoted(options.name)}/apply")
        tell(options, told, f"profile: {options.name}; background: {told['background']}")


@takes(CtlSnapshotOptions)
def _snapshot(options: CtlSnapshotOptions) -> None:
    """Save what viewers see now, as JPEG; as PNG or WebP in a file of that name."""
    if options.file.suffix.lower() not in _PICTURES:
        raise ConfigError(f"{options.file} would be no JPEG, PNG or WebP", hint="name it FILE.jpg, .png or .webp")
    jpeg = ask_bytes(options, "/snapshot.jpg", *([("matte", "1")] if options.matte else []))
    if str(options.file) == "-":
        sys.stdout.buffer.write(jpeg)
        return
    data = _as(_PICTURES[options.file.suffix.lower()], jpeg)
    try:
        options.file.write_bytes(data)
    except OSError as error:
        raise ConfigError(f"cannot write {options.file}: {error.strerror}", hint="name another file") from error
    tell(options, {"file": str(options.file), "bytes": len(data)}, f"{options.file}: {len(data)} bytes")


def _as(kind: str, jpeg: bytes) -> bytes:
    if kind == "JPEG":
        return jpeg
    from PIL import Image as Pillow

    written = BytesIO()
    with Pillow.open(BytesIO(jpeg)) as picture:
        picture.save(written, kind)
    return written.getvalue()


def _post(name: str) -> Callable[..., None]:
    @takes(CtlOptions)
    def command(options: CtlOptions) -> None:
        told = ask(options, "POST", f"/{name}")
        reason = f" ({told['safe_reason']})" if told["safe_reason"] else ""
        later = told["restart_needed"] if name == "reload" else []
        restart = f"; restart needed for: {', '.join(later)}" if isinstance(later, list) and later else ""
        tell(options, told, f"{name}: done{restart}; viewers see: {told['state']}{reason}")

    return command


def _profile_line(profile: Mapping[str, object]) -> str:
    scene = profile["scene"]
    return f"{profile['name']}: {scene['background'] if isinstance(scene, dict) else profile['problem']}"


def _quoted(name: str) -> str:
    return quote(name, safe="")
