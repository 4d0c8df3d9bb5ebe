"""``vcam ctl``: change a running vcam from a shell, a key binding, a script."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote

import typer

from vcam.cli.options import (
    CtlBackgroundOptions,
    CtlColorOptions,
    CtlOptions,
    CtlProfileOptions,
    CtlSnapshotOptions,
    takes,
)
from vcam.errors import ConfigError, ControlError

if TYPE_CHECKING:
    from vcam.control.client import Client

_ANY_PICTURE = "image/jpeg"
"""What it is, vcam finds out itself."""

_FORMS = "green, color, color:R,G,B, blur, blur:1..100, image:FILE, image:FILE,fit=contain, none"
_ANY = MappingProxyType({"0.0.0.0": "127.0.0.1", "::": "::1"})


def add_commands(group: typer.Typer) -> None:
    """All of ``vcam ctl``."""
    group.command("status")(_status)
    group.command("background")(_background)
    group.command("color")(_color)
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

    told = _ask(options, "GET", "/state")
    _tell(options, told, status_text(told))


@takes(CtlBackgroundOptions)
def _background(options: CtlBackgroundOptions) -> None:
    """Show another background: green, color, blur:40, image:beach.jpg, none. A picture file is handed over first."""
    try:
        told = _ask(options, "PATCH", "/scene", {"background": _handed_over(options)})
    except ControlError as error:
        raise _clearer(
            error, f"background {options.spec!r} is none that can be shown", f"write one of: {_FORMS}"
        ) from error
    _tell(options, told, f"background: {told['background']}")


@takes(CtlColorOptions)
def _color(options: CtlColorOptions) -> None:
    """Show one colour: R,G,B with 0 to 255 each, or #rrggbb."""
    try:
        told = _ask(options, "PATCH", "/scene", {"background": "color", "color": options.rgb.replace(" ", "")})
    except ControlError as error:
        raise _clearer(
            error, f"{options.rgb!r} is no colour", "write R,G,B with 0 to 255 each, or '#rrggbb'"
        ) from error
    _tell(options, told, f"background: {told['background']} ({told['color']})")


@takes(CtlProfileOptions)
def _profile(options: CtlProfileOptions) -> None:
    """Show the scene of that name; without a name, list them."""
    if options.name is None:
        if options.save or options.delete:
            raise ConfigError("which profile?", hint="vcam ctl profile NAME --save")
        told = _ask(options, "GET", "/profiles")
        _tell(
            options, told, "\n".join(_profile_line(each) for each in _list(told, "profiles")) or "no profile is saved"
        )
    elif options.save:
        told = _ask(options, "PUT", f"/profiles/{_quoted(options.name)}", {})
        _tell(options, told, f"saved: {options.name}")
    elif options.delete:
        _tell(options, _ask(options, "DELETE", f"/profiles/{_quoted(options.name)}"), f"deleted: {options.name}")
    else:
        told = _ask(options, "POST", f"/profiles/{_quoted(options.name)}/apply")
        _tell(options, told, f"profile: {options.name}; background: {told['background']}")


@takes(CtlSnapshotOptions)
def _snapshot(options: CtlSnapshotOptions) -> None:
    """Save what viewers see now, as JPEG."""
    from vcam.control.client import Call

    jpeg = _client(options).ask(Call("GET", "/snapshot.jpg", query=(("matte", "1"),) if options.matte else ()))
    if str(options.file) == "-":
        sys.stdout.buffer.write(jpeg)
        return
    try:
        options.file.write_bytes(jpeg)
    except OSError as error:
        raise ConfigError(f"cannot write {options.file}: {error.strerror}", hint="name another file") from error
    _tell(options, {"file": str(options.file), "bytes": len(jpeg)}, f"{options.file}: {len(jpeg)} bytes")


def _post(name: str) -> Callable[..., None]:
    @takes(CtlOptions)
    def command(options: CtlOptions) -> None:
        told = _ask(options, "POST", f"/{name}")
        reason = f" ({told['safe_reason']})" if told["safe_reason"] else ""
        _tell(options, told, f"{name}: done; viewers see: {told['state']}{reason}")

    return command


def _handed_over(options: CtlBackgroundOptions) -> str:
    """The SPEC for the running vcam: a picture of this computer is uploaded, and its name there put in."""
    from vcam.control.client import Call
    from vcam.control.naming import image_of, with_image
    from vcam.words import expanded

    path = expanded(image_of(options.spec)[0] or os.devnull)
    if not path.is_file():
        return options.spec.strip()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", hint="name a picture that you may read") from error
    call = Call("POST", "/backgrounds", data, _ANY_PICTURE, (("name", path.name),))
    name = str(_client(options).json(call)["name"])
    return with_image(options.spec, lambda _: name)


def _client(options: CtlOptions) -> "Client":
    from vcam.config import Config, find_config_file, load_config
    from vcam.control.client import Client
    from vcam.places import control_sockets

    token = options.token_file
    if options.url is not None:
        return Client([options.url], None if token is None else _token(token))
    if options.socket is not None:
        return Client([options.socket])
    config: Config = load_config(find_config_file(options.config), os.environ, {})
    places: list[Path | str] = [path for path in control_sockets(os.environ) if path.is_socket()]
    if config.control_socket is not None:
        places = [config.control_socket] if isinstance(config.control_socket, Path) else []
    if config.control_port:
        host = _ANY.get(config.control_host, config.control_host)
        places.append(f"http://{f'[{host}]' if ':' in host else host}:{config.control_port}")
    token = token or config.control_token_file
    return Client(places, None if token is None or not os.access(token, os.R_OK) else _token(token))


def _token(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"token file {file} cannot be read: {error}", hint="name a file that you may read") from error


def _ask(options: CtlOptions, method: str, path: str, body: dict[str, object] | None = None) -> dict[str, object]:
    from vcam.control.client import Call

    return _client(options).json(Call(method, path, body))


def _tell(options: CtlOptions, told: Mapping[str, object], text: str) -> None:
    typer.echo(json.dumps(told, indent=2, ensure_ascii=False) if options.json else text)


def _clearer(error: ControlError, problem: str, hint: str) -> ControlError:
    """The server's hints are for programs; what was typed wrong is told in the words of a shell."""
    from vcam.control.refusal import RefusedError

    wrong = isinstance(error, RefusedError) and error.status is HTTPStatus.UNPROCESSABLE_ENTITY
    return ControlError(problem, hint=hint) if wrong else error


def _list(told: Mapping[str, object], key: str) -> list[dict[str, object]]:
    found = told[key]
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _profile_line(profile: Mapping[str, object]) -> str:
    scene = profile["scene"]
    return f"{profile['name']}: {scene['background'] if isinstance(scene, dict) else profile['problem']}"


def _quoted(name: str) -> str:
    return quote(name, safe="")
