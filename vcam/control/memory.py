"""What was chosen while vcam ran, for its next start: scene and profile, and whether it is paused."""

import json
import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from vcam.config import Config
from vcam.scene_settings import SceneSettings, Values, given_values, scene_values
from vcam.whole_file import write_whole

_log = logging.getLogger(__name__)

_MOST_BYTES = 65_536
_OWNER_ONLY = 0o600
_SHOWS_THE_ROOM = ("background", "none")
"""A background for a moment: whoever chose it days ago has forgotten it by now."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """scene: where it is not as the settings say."""

    paused: bool = False
    profile: str | None = None
    scene: Values = field(default_factory=dict)


class _Kept(BaseModel):
    """The file. configured: the scene of the settings at that time, but for what was typed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    configured: Values
    paused: bool
    profile: str | None
    scene: Values


class Memory:
    """Any thread. typed: settings that the command line says, which go before what was chosen."""

    def __init__(self, file: Path, *, typed: Collection[str] = ()) -> None:
        self._file = file
        self._typed = frozenset(typed)
        self._lock = threading.Lock()
        self._last: str | None = None

    def recall(self, settings: Config) -> Chosen:
        """What was chosen; the scene only while the settings say the same of it as then. A broken file is told."""
        try:
            kept = self._read()
            scene = {} if kept is None else given_values(SceneSettings.model_validate(kept.scene))
        except (OSError, ValueError, RecursionError) as error:
            what = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
            problem = f"what was chosen before cannot be read from {self._file}: {what}"
            _log.warning(
                "chosen.unreadable", extra={"problem": problem, "hint": "it is written anew at the next choice"}
            )
            return Chosen()
        if kept is None:
            self._last = self._text(Chosen(), settings)
            return Chosen()
        now = self._configured(settings)
        if any(kept.configured[key] != now[key] for key in kept.configured.keys() & now.keys()):
            return Chosen(kept.paused)
        lasting = {item for item in scene if (item, scene[item]) != _SHOWS_THE_ROOM}
        free = {key: value for key, value in scene.items() if key in lasting - self._typed}
        return Chosen(kept.paused, kept.profile if free == scene else None, free)

    def keep(self, chosen: Callable[[], Chosen], settings: Config) -> None:
        """Write it, if it is another; what cannot be written is told, and that is all. chosen: the latest."""
        with self._lock:
            text = self._text(chosen(), settings)
            if text == self._last:
                return
            try:
                write_whole(self._file, text.encode(), _OWNER_ONLY)
                self._last = text
            except OSError as error:
                problem = f"what was chosen will be forgotten: {self._file}: {error.strerror or error}"
                hint = "make that folder writable; remember = false, if nothing is to be kept"
                _log.warning("chosen.not_kept", extra={"problem": problem, "hint": hint})

    def _read(self) -> _Kept | None:
        """Raises OSError, ValueError."""
        try:
            with self._file.open("rb") as file:
                return _Kept.model_validate_json(file.read(_MOST_BYTES))
        except FileNotFoundError:
            return None

    def _text(self, chosen: Chosen, settings: Config) -> str:
        kept = _Kept(
            configured=self._configured(settings),
            paused=chosen.paused,
            profile=chosen.profile,
            scene=_plain(chosen.scene),
        )
        return kept.model_dump_json(indent=1)

    def _configured(self, settings: Config) -> Values:
        return _plain({key: value for key, value in scene_values(settings).items() if key not in self._typed})


def _plain(values: Values) -> Values:
    """As they are read again."""
    told: Values = json.loads(json.dumps(values))
    return told
