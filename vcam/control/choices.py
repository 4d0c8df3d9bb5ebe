"""What may be asked for: what the scene's own grammar allows, of files those that were uploaded or are configured.

Who asks names no path: a name is looked up among uploads and among what the settings in effect, those that were read,
and profiles name for the same purpose. Nothing is made a path of.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from itertools import chain
from types import MappingProxyType

from vcam.control.desk import Desk
from vcam.control.media import MediaFolder
from vcam.control.naming import files_in, name_of, shown, texts_of, with_files
from vcam.control.profiles import Profiles
from vcam.control.refusal import RefusedError
from vcam.errors import ConfigError, MediaError
from vcam.scene.layer_spec import parse_layer
from vcam.scene.named import FileRole
from vcam.scene.spec import parse_background, parse_color
from vcam.scene_settings import Values, scene_values

_PARSE: Mapping[str, Callable[[str], object]] = MappingProxyType(
    {"background": parse_background, "layers": parse_layer, "color": parse_color}
)
"""The settings that are texts with a grammar."""


_SLIDES_HINT = (
    "a folder cannot be handed over: name it in vcam.toml or in a profile, by background = 'slides:FOLDER'; then it "
    "can be asked for by its name"
)


class Choices:
    """Any thread."""

    def __init__(self, desk: Desk, media: MediaFolder, profiles: Profiles) -> None:
        self._desk = desk
        self._media = media
        self._profiles = profiles

    def resolved(self, values: Values) -> Values:
        """What was asked for, with paths. Raises ConfigError, RefusedError (404): there is no such upload."""
        return {key: self._resolved(key, value) if key in _PARSE else value for key, value in values.items()}

    def _resolved(self, key: str, value: object) -> object:
        texts = [self._one(key, text) for text in texts_of(value)]
        return tuple(texts) if isinstance(value, list | tuple) else texts[0]

    def _one(self, key: str, text: str) -> str:
        """What is in effect already stays as it is written there."""
        for now in texts_of(scene_values(self._desk.config)[key]):
            if text in texts_of(shown({key: now})[key]):
                return now
        _PARSE[key](text)
        return text if key == "color" else with_files(key, text, lambda role, name: self._path(key, role, name))

    def _path(self, key: str, role: FileRole, name: str) -> str:
        configured = (files_in(scene_values(each)) for each in (self._desk.config, self._desk.settings))
        if (own := _found(chain(*configured), (key, role, name))) is not None:
            return own
        if self._media.folder / name in self._media and role is not FileRole.SLIDES:
            return str(self._media.find(name))
        if (own := _found(self._profiles.files(), (key, role, name))) is not None:
            return own
        if role is FileRole.SLIDES:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"there are no slides {name!r}", hint=_SLIDES_HINT)
        return str(self._media.find(name))


def _found(files: Iterable[tuple[str, FileRole, str]], wanted: tuple[str, FileRole, str]) -> str | None:
    """The path of that name, for that purpose."""
    return next((path for key, role, path in files if (key, role, name_of(path)) == wanted), None)


@contextmanager
def without_folders(values: Values) -> Iterator[None]:
    """Errors tell no folder of the files that the values name."""
    try:
        yield
    except (ConfigError, MediaError) as error:
        problem, hint = error.problem, error.hint
        for _, _, path in files_in(values):
            problem, hint = problem.replace(path, name_of(path)), hint.replace(path, name_of(path))
        raise type(error)(problem, hint=hint) from error
