"""The settings in effect, and every change of them while the pipeline runs. Loads no web library."""

import logging
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import TypeAlias

from vcam.config import RELOADABLE, Config, Reload, changed
from vcam.control.memory import Chosen, Memory
from vcam.errors import VcamError
from vcam.pipeline.assemble import reload
from vcam.pipeline.assemble_model import ModelProgress, silent
from vcam.pipeline.supervisor import Pipeline
from vcam.scene_settings import scene_values

_log = logging.getLogger(__name__)

ReadSettings: TypeAlias = Callable[[], Config]
"""Reads file, environment and options again. Raises ConfigError."""


def _nothing(_: Config) -> None:
    """Nobody wants to know."""


class Desk:
    """One change at a time, from any thread; each is in effect between two frames, or raises and changes nothing.

    Camera and engine are opened after that: where they cannot be, those from before are; ``config`` says so,
    and ``refused`` why.
    applied: is told the settings that were read again and are in effect. memory: keeps what is chosen.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        config: Config,
        read: ReadSettings,
        *,
        applied: Callable[[Config], None] = _nothing,
        progress: ModelProgress = silent,
        memory: Memory | None = None,
    ) -> None:
        self.pipeline = pipeline
        self._config = self._settings = config
        self._read = read
        self._applied = applied
        self._progress = progress
        self._memory = memory
        self._lock = pipeline.changing
        self._profile: str | None = None
        self._changes = 0
        self._refused: Exception | None = None

    @property
    def config(self) -> Config:
        """The settings in effect: those that were read, with what was changed since."""
        return self._config

    @property
    def settings(self) -> Config:
        """The settings as they were read the last time."""
        return self._settings

    @property
    def restart_needed(self) -> list[str]:
        """Keys of settings that were read and are in effect only after a restart."""
        different = changed(self._config, self._settings)
        return sorted(key for key, kind in different.items() if kind is Reload.RESTART_PROCESS)

    @property
    def refused(self) -> Exception | None:
        """Why the camera or engine that was asked for last is not the one at work; None where it is."""
        return self._refused

    @property
    def profile(self) -> str | None:
        """The profile that was applied last, None when the scene was changed since."""
        return self._profile

    @property
    def version(self) -> Hashable:
        """Another value after each change."""
        return self._changes, self._profile, self.pipeline.paused

    def recall(self) -> None:
        """Put into effect what was chosen before the restart; called before the pipeline runs."""
        if self._memory is None or not self._config.remember:
            return
        chosen = self._memory.recall(self._settings)
        if chosen.paused:
            self.pipeline.pause(paused=True)
        if chosen.scene:
            try:
                self.change_scene(chosen.scene, profile=chosen.profile)
            except VcamError as error:
                _log.warning("chosen.refused", extra={"problem": error.problem, "hint": error.hint})
        if chosen.paused or chosen.scene:
            _log.info("chosen.recalled", extra={"paused": chosen.paused, "keys": " ".join(chosen.scene)})

    def pause(self, *, paused: bool) -> None:
        """Show the SAFE card instead of the person, or stop doing so; first of all, whatever else is at work."""
        self.pipeline.pause(paused=paused)
        self._keep()

    def change_scene(self, values: Mapping[str, object], *, profile: str | None = None) -> None:
        """Put values of the scene's keys, which are of the right kinds, into effect. Raises ConfigError, MediaError."""
        with self._lock:
            new = self._config.model_copy(update=dict(values))
            self._put(new)
            if changed_scene := scene_values(new) != scene_values(self._config) or profile is not None:
                self._profile = profile
            self._config, self._changes = new, self._changes + 1
        self._keep()
        if changed_scene:
            _log.info("scene.changed", extra={"background": new.background, "profile": profile or ""})

    def change_setup(self, values: Mapping[str, object]) -> None:
        """Put values of other keys, which are of the right kinds, into effect: camera and engine may be opened anew.

        Raises VcamError.
        """
        with self._lock:
            new = self._config.model_copy(update=dict(values))
            if not (keys := changed(self._config, new)):
                return
            self._put(new)
            self._config, self._changes, self._refused = new, self._changes + 1, None
        _log.info("setup.changed", extra={key: str(getattr(new, key)) for key in keys})

    def reload(self) -> None:
        """Read the settings again; what was changed live is as they say then. Raises VcamError.

        What only a restart changes stays as it is; ``restart_needed`` tells it.
        """
        with self._lock:
            settings = self._read()
            new = _until_a_restart(self._config, settings)
            self._put(new)
            keys = " ".join(changed(self._config, new)) or "none"
            if scene_values(new) != scene_values(self._config):
                self._profile = None
            self._config, self._settings, self._changes, self._refused = new, settings, self._changes + 1, None
            self._applied(new)
        self._keep()
        _log.info("config.reloaded", extra={"keys": keys})
        if self.restart_needed:
            _log.warning("config.needs_restart", extra={"keys": " ".join(self.restart_needed)})

    def _keep(self) -> None:
        if self._memory is not None and self._config.remember:
            self._memory.keep(self._chosen, self._settings)

    def _chosen(self) -> Chosen:
        usual = scene_values(self._settings)
        scene = {key: value for key, value in scene_values(self._config).items() if value != usual[key]}
        return Chosen(self.pipeline.paused, self._profile, scene)

    def _put(self, new: Config) -> None:
        before = self._config
        reload(self.pipeline, before, new, progress=self._progress, refused=partial(self._go_back, before))

    def _go_back(self, before: Config, why: Exception) -> None:
        """Camera and engine are those from before again; the scene stays. The lock is held."""
        self._refused = why
        self._config = before.model_copy(update=scene_values(self._config))
        self._changes += 1
        self._applied(self._config)


def _until_a_restart(now: Config, read: Config) -> Config:
    """``read``, but for what only a restart changes, which is as it is ``now``, set or left open."""
    keys = {key for key, kind in RELOADABLE.items() if kind is Reload.RESTART_PROCESS}
    values = {key: getattr(now if key in keys else read, key) for key in Config.model_fields}
    given = (now.model_fields_set & keys) | (read.model_fields_set - keys)
    return Config.model_construct(_fields_set=set(given), **values)
