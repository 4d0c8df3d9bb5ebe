"""Reaching the vcam that runs, for ``vcam ctl``: asking it, handing it files, telling its answer."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import typer

from vcam.cli.ctl_options import CtlOptions
from vcam.errors import ConfigError

if TYPE_CHECKING:
    from vcam.control.client import Client

_ANY_PICTURE, _ANY_VIDEO = "image/jpeg", "video/mp4"
"""What it is, vcam finds out itself; a video may be larger."""
_VIDEOS = (".mp4", ".mov", ".m4v", ".webm", ".mkv")
_FOR_PROGRAMS, _UPLOADS = "GET /api/v1", "/backgrounds"
_COMMANDS = MappingProxyType({"/profiles": "vcam ctl profile", "/state": "vcam ctl status", "/setup": "vcam devices"})
"""What tells people the same as those paths tell programs."""
_ANY = MappingProxyType({"0.0.0.0": "127.0.0.1", "::": "::1"})


def client(options: CtlOptions) -> "Client":
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


def ask(options: CtlOptions, method: str, path: str, body: dict[str, object] | None = None) -> dict[str, object]:
    """The answer. Raises ControlError, in the words of a shell."""
    from vcam.control.client import Call

    with _words_of_a_shell():
        return client(options).json(Call(method, path, body))


def ask_bytes(options: CtlOptions, path: str, *query: tuple[str, str]) -> bytes:
    """The same of what is no JSON."""
    from vcam.control.client import Call

    with _words_of_a_shell():
        return client(options).ask(Call("GET", path, query=query))


@contextmanager
def _words_of_a_shell() -> Iterator[None]:
    """Some of the server's hints are for programs; what it says is wrong stays as it is."""
    from vcam.control.refusal import RefusedError

    try:
        yield
    except RefusedError as error:
        path, _, rest = error.hint.removeprefix(_FOR_PROGRAMS).partition(" ")
        if not error.hint.startswith(_FOR_PROGRAMS):
            raise
        if path == _UPLOADS:
            problem, hint = f"{error.problem}, and no file of that name here", "name a file, or an upload"
        else:
            problem, hint = error.problem, f"{_COMMANDS.get(path, 'vcam ctl --help')} {rest}"
        raise RefusedError(error.status, problem, hint=hint) from error


def tell(options: CtlOptions, told: Mapping[str, object], text: str) -> None:
    typer.echo(json.dumps(told, indent=2, ensure_ascii=False) if options.json else text)


def handed_over(options: CtlOptions, values: dict[str, object]) -> dict[str, object]:
    """Values of the scene for the running vcam: files of this computer are uploaded, and their names there put in."""
    from vcam.control.naming import all_with_files
    from vcam.words import expanded

    def named(_: object, name: str) -> str:
        path = expanded(name)
        return _uploaded(options, path) if path.is_file() else name

    return all_with_files(values, named)


def _uploaded(options: CtlOptions, path: Path) -> str:
    """Its name there."""
    from vcam.control.client import Call

    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", hint="name a file that you may read") from error
    kind = _ANY_VIDEO if path.suffix.lower() in _VIDEOS else _ANY_PICTURE
    call = Call("POST", "/backgrounds", data, kind, (("name", path.name),))
    with _words_of_a_shell():
        return str(client(options).json(call)["name"])


def listed(told: Mapping[str, object], key: str) -> list[dict[str, object]]:
    found = told[key]
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
