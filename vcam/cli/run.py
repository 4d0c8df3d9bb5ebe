"""``vcam run``: from options to a pipeline at work, with metrics, signals and a display around it."""

import logging
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from vcam.cli.display import Display
from vcam.cli.options import RunOptions, assigned, typed
from vcam.cli.recording import check_outputs
from vcam.cli.session import SEEN_S, UNSEEN_S, Hooks, supervise
from vcam.cli.signals import KILLED_BY, RELOAD, SignalBox
from vcam.cli.tables import stage_table
from vcam.cli.watch import Watch
from vcam.config import Config, changed, find_config_file, load_config
from vcam.control.desk import Desk
from vcam.control.memory import Memory
from vcam.control.profiles import Profiles
from vcam.control.start import Places, control_server, kept_in
from vcam.errors import VcamError
from vcam.pipeline.assemble import assemble
from vcam.pipeline.snapshot import Outcome
from vcam.pipeline.supervisor import Pipeline
from vcam.places import chosen_file, control_sockets, media_folder, profiles_folder
from vcam.service import logs
from vcam.service.notify import notifier
from vcam.service.start import metrics_server
from vcam.setting_layers import key_of
from vcam.sinks.spec import SinkKind, parse_sink

_log = logging.getLogger(__name__)

_TABLE_EVERY_FRAMES = 100


@dataclass(frozen=True, slots=True)
class Settings:
    """Where settings come from; read again on SIGHUP."""

    file: Path | None
    typed: dict[str, object]
    assigned: dict[str, str]

    def found(self) -> Path | None:
        """The file that is read. Raises ConfigError."""
        return find_config_file(self.file)

    def load(self) -> Config:
        """Raises ConfigError."""
        return load_config(self.found(), os.environ, self.typed, self.assigned)

    def memory(self, config: Config) -> Memory:
        """Of what is chosen live."""
        return Memory(chosen_file(config.output, os.environ), typed={*self.typed, *map(key_of, self.assigned)})

    def places(self) -> Places:
        """Where live control keeps what it keeps."""
        sockets = control_sockets(os.environ)
        profiles = profiles_folder(self.found(), os.environ)
        return Places(sockets[0] if sockets else None, media_folder(os.environ), profiles)


def run(options: RunOptions) -> None:
    """Run until the end of the source, a signal, or an error beyond repair, which is raised.

    Exits with 128 + the signal when that cut a finite piece of work short, or was the end of the terminal.
    """
    _dump_no_room()
    with SignalBox() as signals:
        settings = Settings(options.config, typed(options), assigned(options.set))
        config = settings.load()
        _configure_logs(config)
        check_outputs(config, force=options.force)
        facts = {"file": str(settings.found() or "none"), "changed": " ".join(changed(Config(), config))}
        _log.info("config.read", extra=facts)
        console = Console(stderr=True)
        began_s = time.monotonic()
        with (
            Display(console) as display,
            assemble(config, progress=display.model) as pipeline,
            metrics_server(
                pipeline.snapshot,
                config.http_host,
                config.http_port,
                optional=_unwatched(config),
                trust_gateway=config.control_trust_gateway,
            ),
            _desk(pipeline, settings, config, display) as desk,
            notifier(pipeline.snapshot, os.environ),
        ):
            operation = _Operation(desk, display, kept_in(config, settings.places())[1])
            every_s = SEEN_S if display.seen else UNSEEN_S
            hooks = Hooks(operation.tick, operation.reload, operation.next_profile, operation.pause, every_s)
            stopped_by = supervise(pipeline, signals, hooks)
        _tell_end(pipeline, time.monotonic() - began_s, console, as_log=operation.config.log_format == "json")
    if stopped_by is not None and (stopped_by is RELOAD or not operation.endless):
        raise typer.Exit(KILLED_BY + stopped_by)


def _dump_no_room() -> None:
    """A core dump would hold the camera's picture, uncovered. One byte, since the kernel minds 0 only where it writes a
    file: what pipes dumps to a program it stops at 1 (core(5), fs/coredump.c)."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (min(1, hard) if hard >= 0 else 1, hard))


@contextmanager
def _desk(pipeline: Pipeline, settings: Settings, config: Config, display: Display) -> Iterator[Desk]:
    """What changes the settings while vcam runs: signals, and requests, which are served while entered."""
    lasting = pipeline.total_frames is None  # nobody would look for a pause in a file that is converted
    memory = settings.memory(config) if lasting else None
    desk = Desk(pipeline, config, settings.load, applied=_configure_logs, progress=display.model, memory=memory)
    desk.recall()
    with control_server(desk, settings.places()):
        yield desk


def _unwatched(config: Config) -> bool:
    """Nobody asked for metrics, and no virtual camera needs watching: as when files are converted beside a vcam."""
    asked = not config.model_fields_set.isdisjoint({"http_host", "http_port"})
    return not asked and all(parse_sink(text).kind is not SinkKind.DEVICE for text in config.output)


def _configure_logs(config: Config) -> None:
    logs.configure(config.log_level, config.log_format)


class _Operation:
    """What the main thread does between signals."""

    def __init__(self, desk: Desk, display: Display, profiles: Profiles) -> None:
        self._desk = desk
        self._profiles = profiles
        self._display = display
        self._watch = Watch(desk.pipeline, display, desk.pipeline.total_frames)
        self._table_at = _TABLE_EVERY_FRAMES

    @property
    def config(self) -> Config:
        return self._desk.config

    @property
    def endless(self) -> bool:
        return self._watch.total_frames is None

    def tick(self) -> None:
        now = self._watch.tick()
        done = now.frames[Outcome.LIVE]
        if done >= self._table_at:
            self._table_at = (done // _TABLE_EVERY_FRAMES + 1) * _TABLE_EVERY_FRAMES
            if self.config.benchmark:
                title = f"{done} frames, {now.fps:.1f} fps"
                self._display.console.print(stage_table(self._desk.pipeline.statistics.table(), title))

    def reload(self) -> None:
        """Settings that are bad are logged and change nothing."""
        try:
            self._desk.reload()
        except VcamError as error:
            _log.error("config.rejected", extra={"problem": error.problem, "hint": error.hint})

    def next_profile(self) -> None:
        """The one after the one in effect; one that is bad is logged and changes nothing."""
        name = self._profiles.after(self._desk.profile)
        if name is None:
            _log.warning("profile.none", extra={"hint": "vcam ctl profile NAME --save"})
            return
        try:
            self._desk.change_scene(self._profiles.values(name), profile=name)
        except VcamError as error:
            _log.error("profile.rejected", extra={"problem": error.problem, "hint": error.hint})

    def pause(self) -> None:
        """Or resume."""
        self._desk.pause(paused=not self._desk.pipeline.paused)


def _tell_end(pipeline: Pipeline, seconds: float, console: Console, *, as_log: bool) -> None:
    now = pipeline.snapshot()
    live, safe, dropped = now.frames[Outcome.LIVE], sum(now.safe.values()), sum(now.dropped.values())
    fps = pipeline.statistics.mean_fps()
    if as_log:
        facts = {"live": live, "safe": safe, "dropped": dropped, "fps": round(fps, 2), "seconds": round(seconds, 2)}
        _log.info("run.ended", extra=facts)
        return
    console.print(
        f"{live} frames live, {safe} safe, {dropped} dropped in {seconds:.1f} s ({fps:.1f} fps)", highlight=False
    )
    for output in now.outputs:
        if output.errors:
            console.print(f"{output.name}: {output.errors} errors", style="yellow", highlight=False, soft_wrap=True)
