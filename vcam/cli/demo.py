"""``vcam demo``: the whole pipeline on the drawn scene, and what came of it."""

import typer
from rich.console import Console

from vcam.cli.contact_sheet import write_contact_sheet
from vcam.cli.display import Display
from vcam.cli.moments import MomentKeeper
from vcam.cli.options import DemoOptions, typed
from vcam.cli.session import Hooks, supervise
from vcam.cli.signals import KILLED_BY, SignalBox
from vcam.cli.tables import stage_table
from vcam.cli.watch import Watch
from vcam.config import Config, load_config
from vcam.errors import ConfigError
from vcam.pipeline.assemble import assemble
from vcam.service import logs
from vcam.stages import EngineInfo

_STORY_S, _FPS = 8, 30
"""The person comes after two seconds, waves, and is still there at the end."""
_MOMENTS = (0.12, 0.40, 0.54, 0.68, 0.82, 0.96)
"""Which parts of the story the contact sheet shows: the empty room once, then the person."""


def scene(frames: int) -> str:
    """The drawn scene as a SRC, at a rate at which so few pictures tell the whole story."""
    return f"test:1280x720@{min(_FPS, frames / _STORY_S):g}"


def moments(frames: int) -> list[int]:
    """Numbers of the pictures that the contact sheet shows."""
    return [round(part * (min(frames, _STORY_S * _FPS) - 1)) for part in _MOMENTS]


def demo(options: DemoOptions) -> None:
    """Run the demo. Raises ConfigError when the folder cannot be made, and whatever the pipeline raises."""
    config = _config(options)
    logs.configure("error", "console")  # which engine runs, and why, is told at the end
    keeper = MomentKeeper(moments(options.frames))
    with (
        SignalBox() as signals,
        Display(Console(stderr=True)) as display,
        assemble(config, observer=keeper, progress=display.model) as pipeline,
    ):
        watch = Watch(pipeline, display, options.frames)
        stopped_by = supervise(pipeline, signals, Hooks(watch.tick, reload=_nothing))
    if stopped_by is not None:
        raise typer.Exit(KILLED_BY + stopped_by)
    sheet = options.out / "demo.png"
    write_contact_sheet(sheet, keeper.moments)
    console = Console(highlight=False)
    statistics = pipeline.statistics
    console.print(stage_table(statistics.table(), f"{statistics.mean_fps():.1f} frames a second at 1280x720"))
    console.print(f"engine: {_engine(keeper.engine)}: {pipeline.snapshot().engine_reason.text}", soft_wrap=True)
    console.print(f"look at {options.out / 'demo.mp4'} and {sheet}", soft_wrap=True)


def _engine(info: EngineInfo | None) -> str:
    if info is None:
        return "none"
    return f"{info.engine} ({info.model}, {info.size}, {info.precision}, {info.device})"


def _nothing() -> None:
    """The demo has no settings file to read again."""


def _config(options: DemoOptions) -> Config:
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"cannot make the folder {options.out}: {error.strerror}", hint="name another --out"
        ) from error
    fixed = {
        "input": scene(options.frames),
        "output": (f"file:{options.out / 'demo.mp4'}",),
        "model_download": False,
        "http_port": 0,
    }
    return load_config(None, {}, {**fixed, **typed(options, but=frozenset({"out"}))})
