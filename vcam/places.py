"""Where files are kept when no setting says so. Variables come as a mapping: only vcam.cli reads the real ones."""

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

_CHECKOUT_MODELS = Path(__file__).parents[1] / "models"
_SYSTEM_STATE = Path("/var/lib/vcam")
_SYSTEM_RUN = Path("/run/vcam")
_NAME_LETTERS = 60

_NOTHING: Mapping[str, str] = MappingProxyType({})


def models_folder(environ: Mapping[str, str] = _NOTHING) -> Path:
    """models/ of a checkout, else that of the state folder."""
    return _CHECKOUT_MODELS if (_CHECKOUT_MODELS / "manifest.toml").is_file() else _state(environ) / "models"


def media_folder(environ: Mapping[str, str] = _NOTHING) -> Path:
    """Of backgrounds that were uploaded."""
    return _state(environ) / "media"


def chosen_file(outputs: Sequence[str], environ: Mapping[str, str] = _NOTHING) -> Path:
    """What was chosen live, of the vcam with these outputs: several at one computer have one each."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", " ".join(outputs)).strip("-")[:_NAME_LETTERS]
    digest = hashlib.sha256("\n".join(outputs).encode()).hexdigest()[:8]
    return _state(environ) / "chosen" / f"{name}-{digest}.json"


def profiles_folder(settings_file: Path | None, environ: Mapping[str, str] = _NOTHING) -> Path:
    """profiles/ beside the file of settings that is read, else in the user's XDG configuration."""
    if settings_file is not None:
        return settings_file.absolute().parent / "profiles"
    config = environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "vcam" / "profiles"


def control_sockets(environ: Mapping[str, str] = _NOTHING) -> list[Path]:
    """Where a running vcam may listen, best first: the folder of the session, of the system, the state folder.

    Only those that this user may write, as their owner does.
    """
    session = environ.get("XDG_RUNTIME_DIR")
    folders = [*([Path(session) / "vcam"] if session else []), _SYSTEM_RUN, _SYSTEM_STATE]
    return [folder / "control.sock" for folder in folders if _writable(folder)]


def _state(environ: Mapping[str, str]) -> Path:
    """/var/lib/vcam where that can be written, else the user's XDG data folder."""
    if os.access(_SYSTEM_STATE, os.W_OK):
        return _SYSTEM_STATE
    data = environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "vcam"


def _writable(folder: Path) -> bool:
    """Or could be made in a parent that is."""
    return os.access(folder, os.W_OK) if folder.exists() else os.access(folder.parent, os.W_OK)
