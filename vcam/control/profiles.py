"""Scenes by name: a TOML file each, in a folder of the configuration, written by people or by the API."""

import json
import logging
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from vcam.control.media import MediaFolder, unwritable
from vcam.control.naming import all_with_files, files_in, shown
from vcam.control.refusal import RefusedError, conflict, not_found
from vcam.errors import ConfigError, VcamError
from vcam.scene.named import FileRole
from vcam.scene_settings import SceneSettings, Values, given_values
from vcam.whole_file import write_whole

_log = logging.getLogger(__name__)

MOST_PROFILES = 200
MOST_BYTES = 16_384

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_SUFFIX = ".toml"
_READABLE = 0o644


class ProfileView(BaseModel):
    """A named scene. What it leaves out stays as it is when it is applied."""

    name: str
    scene: Values | None
    problem: Annotated[str | None, Field(description="Why it cannot be applied.")] = None


class Profiles:
    """Any thread. media: where ``image:NAME`` is looked for first; another path is as vcam.toml has it."""

    def __init__(self, folder: Path, media: MediaFolder) -> None:
        self._folder = folder
        self._media = media

    def views(self) -> list[ProfileView]:
        """All of them, by name; those that are broken say why."""
        names = sorted(path.stem for path in self._folder.glob(f"*{_SUFFIX}")) if self._folder.is_dir() else []
        return [self._view(name) for name in names if _NAME.fullmatch(name)][:MOST_PROFILES]

    def view(self, name: str) -> ProfileView:
        """Raises RefusedError (404)."""
        self._path(name)
        return self._view(name)

    def values(self, name: str) -> dict[str, object]:
        """What it sets, by key of Config. Raises RefusedError (404), ConfigError."""
        return all_with_files(given_values(self._read(name)), self._located)

    def after(self, name: str | None) -> str | None:
        """The next one that can be applied, the first after the last; None where there is none."""
        good = [view.name for view in self.views() if view.problem is None]
        if name not in good:
            return good[0] if good else None
        return good[(good.index(name) + 1) % len(good)]

    def save(self, name: str, values: Mapping[str, object]) -> bool:
        """Write it, replacing one of that name; whether it is new. Raises RefusedError."""
        if not _NAME.fullmatch(name):
            raise RefusedError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"{name!r} is no name for a profile",
                hint="take up to 40 letters of a-z, A-Z, 0-9, - and _, beginning with a letter or digit",
            )
        path = self._folder / (name + _SUFFIX)
        new = not path.exists()
        if new and len(self.views()) >= MOST_PROFILES:
            raise conflict(f"there are {MOST_PROFILES} profiles", hint="delete some of them")
        named = all_with_files(values, self._named)
        try:
            text = "".join(f"{key} = {_toml(value)}\n" for key, value in named.items())
            write_whole(path, text.encode(), _READABLE)
        except OSError as error:
            raise unwritable(self._folder, error, setting="profiles_dir") from error
        _log.info("profile.saved", extra={"profile": name})
        return new

    def delete(self, name: str) -> None:
        """Raises RefusedError."""
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self._folder, error, setting="profiles_dir") from error
        _log.info("profile.deleted", extra={"profile": name})

    def files(self) -> Iterator[tuple[str, FileRole, str]]:
        """All that they name, as vcam.control.naming has it; a broken one names none."""
        for view in self.views():
            with suppress(VcamError):
                yield from files_in(self.values(view.name))

    def _located(self, _: FileRole, name: str) -> str | Path:
        """An uploaded picture by its path; what is none stays as it is."""
        path = self._media.folder / name
        return path if path in self._media else name

    def _named(self, _: FileRole, path: str) -> str:
        """An uploaded picture by its name: the profile outlives the folder's place."""
        return Path(path).name if Path(path) in self._media else path

    def _path(self, name: str) -> Path:
        path = self._folder / (name + _SUFFIX)
        if not _NAME.fullmatch(name) or not path.is_file():
            raise not_found("profile", name, where="/api/v1/profiles")
        return path

    def _view(self, name: str) -> ProfileView:
        try:
            scene = shown(given_values(self._read(name)))
        except ConfigError as error:
            return ProfileView(name=name, scene=None, problem=error.problem)
        return ProfileView(name=name, scene=scene)

    def _read(self, name: str) -> SceneSettings:
        path = self._path(name)
        try:
            with path.open("rb") as file:
                return SceneSettings.model_validate(tomllib.loads(file.read(MOST_BYTES).decode()))
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            raise ConfigError(f"profile {name}: {wrong}", hint=f"mend {path.name} in profiles_dir") from error
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(
                f"profile {name} cannot be read: {error}", hint=f"mend {path.name} in profiles_dir"
            ) from error


def _toml(value: object) -> str:
    """A text, a number, a switch, or a list of those. JSON's escapes are TOML's, but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
