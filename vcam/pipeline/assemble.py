"""From settings to a pipeline. This module and assemble_* are the only ones that name concrete stages."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vcam.config import Config, Reload, changed
from vcam.config import Pace as PaceChoice
from vcam.decode.choose import make_decoder
from vcam.errors import ConfigError
from vcam.frame import PixelFormat, Size, VideoFormat
from vcam.pipeline.assemble_engine import EngineRoom
from vcam.pipeline.assemble_model import ModelProgress, silent
from vcam.pipeline.assemble_scene import make_scene, next_scene, patient
from vcam.pipeline.card import CardTexts
from vcam.pipeline.rewiring import Refused, nothing
from vcam.pipeline.supervisor import Pipeline
from vcam.pipeline.wiring import Observer, Policy, Wiring
from vcam.scene_settings import SCENE_KEYS
from vcam.sinks.spec import SinkKind, SinkSpec, parse_sink
from vcam.sources.pace import Pace
from vcam.sources.spec import SourceKind, SourceSpec, parse_source
from vcam.stages import Sink, Source
from vcam.v4l2.holders import Users
from vcam.v4l2.wanted_controls import WantedControls


def assemble(config: Config, *, observer: Observer | None = None, progress: ModelProgress = silent) -> Pipeline:
    """A pipeline for these settings, not yet entered.

    observer: sees each composed frame. progress: is told how the model's preparation goes.
    Raises ConfigError, MediaError (input file or background picture).
    """
    return Pipeline(wire(config, observer=observer, progress=progress))


def reload(
    pipeline: Pipeline, old: Config, new: Config, *, progress: ModelProgress = silent, refused: Refused = nothing
) -> None:
    """Put new settings into effect, as hot as their keys allow; what only a restart changes is the same in both.

    Raises VcamError, and changes nothing, when they are bad. refused: see ``Pipeline.reload``.
    """
    kinds = changed(old, new)
    if Reload.RESTART_STAGES in kinds.values():
        kept = pipeline.camera_controls if new.input == old.input else None
        wiring = wire(new, progress=progress, sinks=pipeline.sinks, camera_controls=kept)
        pipeline.reload(wiring, refused=refused)
    elif kinds.keys() & set(SCENE_KEYS):
        pipeline.change_scene(next_scene(pipeline.scene, new, kinds, [sink.format for sink in pipeline.sinks]))


def wire(
    config: Config,
    *,
    observer: Observer | None = None,
    progress: ModelProgress = silent,
    sinks: tuple[Sink, ...] | None = None,
    camera_controls: WantedControls | None = None,
) -> Wiring:
    """The stages as factories. Opens no device and loads no model; looks into an input file for its size.

    sinks, camera_controls: those of a running pipeline, which stay as they are whatever the settings say now.
    """
    camera_controls = camera_controls or WantedControls()
    source_spec = parse_source(config.input)
    sink_specs = [parse_sink(text) for text in config.output]
    every_frame = _every_frame(config, source_spec, sink_specs)
    nominal = _nominal(config, source_spec)
    sinks = sinks or tuple(_sink(spec, nominal) for spec in sink_specs)
    room = EngineRoom(config, nominal.size, tuple(sink.format for sink in sinks), progress, waits=every_frame)
    return Wiring(
        source_name=config.input,
        open_source=_source_factory(config, source_spec, camera_controls, every_frame=every_frame),
        make_decoder=make_decoder,
        open_processor=room.open_processor,
        sinks=sinks,
        scene=patient(make_scene(config)) if every_frame else make_scene(config),
        card=CardTexts().render,
        policy=Policy(
            live=not every_frame,
            frame_interval_s=1.0 / nominal.fps,
            safe_after_s=config.safe_after_ms / 1e3,
            max_latency_s=config.max_latency_ms / 1e3,
            frames=config.frames,
            idle_after_s=config.idle_after_s if config.on_demand else None,
            give_up_after_s=config.give_up_after_s,
            wait_for_camera=config.wait_for_camera,
            preview_source=config.preview_source,
        ),
        total_frames=config.frames if config.frames is not None or config.loop else nominal.frames,
        observer=observer,
        camera_controls=camera_controls,
    )


@dataclass(frozen=True, slots=True)
class _Nominal:
    """What outputs are made for before the source is open. frames: how many a file says it has."""

    size: Size
    fps: float
    frames: int | None = None


def _nominal(config: Config, source: SourceSpec) -> _Nominal:
    """The size and rate of outputs: those set by the user, else those of a file or scene, else the defaults."""
    size, fps, frames = Size(config.width, config.height), float(config.fps), None
    chosen = config.model_fields_set
    if source.kind is SourceKind.FILE and source.path is not None:
        from vcam.sources.file import probe

        info = probe(source.path)
        natural, frames = (Size(info.format.width, info.format.height), info.fps), info.frames
    elif source.kind is SourceKind.SCENE and source.size is not None and source.fps is not None:
        natural = source.size, source.fps
    else:
        natural = size, fps
    sized, timed = not chosen.isdisjoint({"width", "height"}), "fps" in chosen
    return _Nominal(size if sized else natural[0], fps if timed else natural[1], frames)


def _every_frame(config: Config, source: SourceSpec, sinks: list[SinkSpec]) -> bool:
    """Whether the source waits for us. A camera never does; nobody waits for a file that goes into files."""
    live_source = source.kind is SourceKind.CAMERA
    if config.pace is PaceChoice.EVERY_FRAME and live_source:
        raise ConfigError(
            f"{config.input} is a camera: it does not wait for every frame", hint="leave out --pace every-frame"
        )
    if config.pace is not PaceChoice.AUTO:
        return config.pace is PaceChoice.EVERY_FRAME
    ends = source.kind is SourceKind.FILE and not config.loop
    to_device = any(spec.kind is SinkKind.DEVICE for spec in sinks)
    return not live_source and not to_device and (ends or config.frames is not None)


def _source_factory(
    config: Config, spec: SourceSpec, controls: WantedControls, *, every_frame: bool
) -> Callable[[], Source]:
    pace = Pace.EVERY_FRAME if every_frame else Pace.REALTIME
    if spec.kind is SourceKind.SCENE:
        return partial(_open_scene, spec, pace)
    path = _path(spec.path)
    if spec.kind is SourceKind.FILE:
        return partial(_open_file, path, pace, loop=config.loop)
    return partial(_open_camera, config, path, Users(path), controls)


def _open_scene(spec: SourceSpec, pace: Pace) -> Source:
    from vcam.sources.test_scene import TestScene, TestSource

    if spec.size is None or spec.fps is None:
        raise AssertionError("a test scene has a size and a rate")
    return TestSource(TestScene(spec.size, spec.fps), pace=pace, frames=None)


def _open_file(path: Path, pace: Pace, *, loop: bool) -> Source:
    from vcam.sources.file import FileSource

    return FileSource(path, pace=pace, loop=loop)


def _open_camera(config: Config, path: Path, users: Users, controls: WantedControls) -> Source:
    from vcam.sources.camera import CameraSource, WantedMode

    wanted = WantedMode(Size(config.width, config.height), config.fps, controls)
    return CameraSource(path, wanted, users=users)


def _sink(spec: SinkSpec, nominal: _Nominal) -> Sink:
    size = spec.size or nominal.size
    match spec.kind:
        case SinkKind.DEVICE:
            from vcam.sinks.v4l2 import V4l2Sink

            fmt = VideoFormat(spec.pixel_format or PixelFormat.YUYV, size.width, size.height)
            return V4l2Sink(_path(spec.path), fmt, nominal.fps)
        case SinkKind.FILE:
            from vcam.sinks.file import FileSink

            fmt = VideoFormat(PixelFormat.I420, size.width, size.height)
            return FileSink(_path(spec.path), fmt, nominal.fps)
        case SinkKind.NULL:
            from vcam.sinks.null import NullSink

            return NullSink(VideoFormat(spec.pixel_format or PixelFormat.YUYV, size.width, size.height))


def _path(path: Path | None) -> Path:
    if path is None:
        raise AssertionError("devices and files have a path")
    return path
