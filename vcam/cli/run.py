"""``vcam run``: from options to a pipeline at work, with metrics, signals and a display around it."""

import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from vcam.cli.display import Display
from vcam.cli.options import RunOptions, typed
from vcam.cli.session import Hooks, supervise
from vcam.cli.signals import KILLED_BY, SignalBox
from vcam.cli.tables import stage_table
from vcam.cli.watch import Watch
from vcam.config import Config, changed, find_config_file, load_config
from vcam.errors import VcamError
from vcam.pipeline.assemble import assemble, reload
from vcam.pipeline.snapshot import Outcome
from vcam.pipeline.supervisor import Pipeline
from vcam.service import logs
from vcam.service.notify import notifier
from vcam.service.start import metrics_server

_log = logging.getLogger(__name__)

_TABLE_EVERY_FRAMES = 100


@dataclass(frozen=True, slots=True)
class Settings:
    """Where settings come from; read again on SIGHUP."""

    file: Path | None
    typed: dict[str, object]

    def load(self) -> Config:
        """Raises ConfigError."""
        file = find_config_file(self.file)
        config = load_config(file, os.environ, self.typed)
        logs.configure(config.log_level, config.log_format)
        _log.info("config.read", extra={"file": str(file or "none"), "changed": " ".join(changed(Config(), config))})
        return config


def run(options: RunOptions) -> None:
    """Run until the end of the source, a signal, or an error beyond repair, which is raised.

    Exits with 128 + the signal when that cut a finite piece of work short.
    """
    with SignalBox() as signals:
        settings = Settings(options.config, typed(options))
        config = settings.load()
        console = Console(stderr=True)
        began_s = time.monotonic()
        with (
            Display(console) as display,
            assemble(config, progress=display.model) as pipeline,
            metrics_server(pipeline.snapshot, config.http_host, config.http_port),
            notifier(pipeline.snapshot, os.environ),
        ):
            operation = _Operation(pipeline, settings, config, display)
            stopped_by = supervise(pipeline, signals, Hooks(operation.tick, operation.reload))
        _tell_end(pipeline, time.monotonic() - began_s, console, as_log=operation.config.log_format == "json")
    if stopped_by is not None and not operation.endless:
        raise typer.Exit(KILLED_BY + stopped_by)


class _Operation:
    """What the main thread does between signals."""

    def __init__(self, pipeline: Pipeline, settings: Settings, config: Config, display: Display) -> None:
        self._pipeline = pipeline
        self._settings = settings
        self._display = display
        self._watch = Watch(pipeline, display, pipeline.total_frames)
        self._table_at = _TABLE_EVERY_FRAMES
        self.config = config

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
                self._display.console.print(stage_table(self._pipeline.statistics.table(), title))

    def reload(self) -> None:
        """Settings that are bad are logged and change nothing."""
        try:
            new = self._settings.load()
            reload(self._pipeline, self.config, new, progress=self._display.model)
        except VcamError as error:
            logs.configure(self.config.log_level, self.config.log_format)
            _log.error("config.rejected", extra={"problem": error.problem, "hint": error.hint})
            return
        _log.info("config.reloaded", extra={"keys": " ".join(changed(self.config, new)) or "none"})
        self.config = new


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
