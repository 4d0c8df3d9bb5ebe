"""From settings to stages: which source, which pace, which sizes, which engine and why."""

import errno
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from onnx import helper
from PIL import Image as Pillow
from pydantic import ValidationError

from tests.pipeline.rig import LIMIT_S, raises, running, wait_until
from tests.support.clip import Clip, write_clip
from tests.support.mask_like import mean, network
from tests.support.mirror import Mirror, mirrored
from tests.support.rvm_like import make_rvm_like
from vcam.config import Config, Pace, Quality
from vcam.engine_names import EngineName
from vcam.engines.select import look
from vcam.errors import (
    ConfigError,
    DeviceError,
    MissingDependencyError,
    ModelFetchError,
    ModelMismatchError,
    SlotClosedError,
    VcamError,
)
from vcam.frame import PixelFormat, Size, VideoFormat
from vcam.model.progress import Progress, ProgressCallback, Step
from vcam.pipeline import assemble_model
from vcam.pipeline.assemble import assemble, reload, wire
from vcam.pipeline.assemble_engine import EngineRoom
from vcam.pipeline.assemble_model import Cores, silent
from vcam.pipeline.card import TEXTS
from vcam.pipeline.preparation import Preparation
from vcam.pipeline.snapshot import Outcome, SafeReason, State, TakeoverOutcome, TakeoverState
from vcam.pipeline.supervisor import Pipeline
from vcam.stages import MatteControls
from vcam.v4l2.holders import Holder

TARGET = VideoFormat(PixelFormat.YUYV, 320, 180)


def settings(**keys: object) -> Config:
    """A small scene to nowhere with the plate engine; only the keys given count as chosen by the user."""
    return Config.model_validate({"input": "test:320x180@30", "output": ("null:",), "engine": "plate", **keys})


def sizes(config: Config) -> list[Size]:
    return [sink.format.size for sink in wire(config).sinks]


def test_an_output_has_the_size_of_a_scene_unless_the_user_sets_one() -> None:
    assert sizes(settings()) == [Size(320, 180)]
    assert sizes(settings(width=640, height=480)) == [Size(640, 480)]
    assert sizes(settings(output=("null:,size=64x48", "null:"))) == [Size(64, 48), Size(320, 180)]


def test_an_output_has_the_size_and_rate_of_a_file(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mkv"
    write_clip(clip, Clip(frames=4, width=96, height=64, rate=12))
    wiring = wire(settings(input=f"file:{clip}"))
    assert [sink.format.size for sink in wiring.sinks] == [Size(96, 64)]
    assert wiring.policy.frame_interval_s == pytest.approx(1 / 12)
    assert Pipeline(wiring).snapshot().fps_target == pytest.approx(12)
    assert not wiring.policy.live, "a file that goes into no device is converted whole"
    assert wiring.total_frames == 4
    assert wire(settings(input=f"file:{clip}", frames=2)).total_frames == 2
    assert wire(settings(input=f"file:{clip}", loop=True)).total_frames is None


def test_a_camera_gives_outputs_the_default_size() -> None:
    assert sizes(settings(input="/dev/video0")) == [Size(1280, 720)]


@pytest.mark.parametrize(
    ("keys", "live"),
    [
        ({}, True),
        ({"frames": 10}, False),
        ({"frames": 10, "output": ("/dev/video10",)}, True),
        ({"frames": 10, "pace": Pace.REALTIME}, True),
        ({"pace": Pace.EVERY_FRAME}, False),
        ({"input": "/dev/video0", "frames": 10}, True),
    ],
)
def test_frames_are_waited_for_only_where_nobody_watches(keys: dict[str, object], live: bool) -> None:
    assert wire(settings(**keys)).policy.live is live


def test_a_camera_cannot_be_told_to_wait() -> None:
    with pytest.raises(ConfigError, match="is a camera"):
        wire(settings(input="/dev/video0", pace=Pace.EVERY_FRAME))


def test_every_frame_of_a_short_run_is_shown() -> None:
    with assemble(settings(frames=20)) as pipeline:
        pipeline.run()
    snapshot = pipeline.snapshot()
    assert snapshot.frames[Outcome.LIVE] == 20
    assert snapshot.outputs[0].frames == 20
    assert snapshot.state is State.LIVE
    assert sum(snapshot.safe.values()) == 0


def test_each_reason_has_a_card() -> None:
    assert set(TEXTS) == set(SafeReason)
    assert all(title and detail for title, detail in TEXTS.values())


def engine_room(config: Config) -> EngineRoom:
    return EngineRoom(config, Size(320, 180), (TARGET,), silent)


def test_auto_without_a_network_says_why_the_plate_engine_runs(tmp_path: Path) -> None:
    config = settings(engine=EngineName.AUTO, model_download=False, models_dir=tmp_path)
    opened = engine_room(config).open_processor(Preparation())
    with opened.processor as processor:
        assert processor.info.engine == "plate"
    assert "could not be had" in opened.reason
    assert opened.last_resort
    assert opened.successor is None, "nothing may be downloaded"


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    onnx.save(make_rvm_like("deep"), tmp_path / "published.onnx")
    with mirrored(tmp_path / "published.onnx", monkeypatch) as mirror:
        yield mirror


def auto(tmp_path: Path, **keys: object) -> Config:
    return settings(engine=EngineName.AUTO, models_dir=tmp_path / "models", quality=Quality.FAST, **keys)


def test_auto_has_the_network_as_soon_as_it_can_be_downloaded(
    mirror: Mirror, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def retries() -> list[int]:
        told = [record.__dict__ for record in caplog.records if record.message == "worker.retry"]
        return [fields["failures"] for fields in told if fields["worker"] == "vcam-fetch"]

    with running(assemble(auto(tmp_path))) as pipeline:
        wait_until(lambda: pipeline.snapshot().last_live_age_s is not None)
        wait_until(lambda: len(retries()) >= 3)
        before = pipeline.snapshot()
        mirror.open()
        wait_until(lambda: pipeline.snapshot().takeover is TakeoverState.DONE)
        wait_until(lambda: not pipeline.snapshot().engine_reason.last_resort)
        after = pipeline.snapshot()
    assert retries()[:3] == [1, 2, 4]
    assert [each.engine and each.engine.engine for each in (before, after)] == ["plate", "openvino"]
    assert [each.engine_reason.last_resort for each in (before, after)] == [True, False]
    assert before.engine_reason.text.endswith("runs until it can be had")
    assert sum(after.takeovers.values()) == after.takeovers[TakeoverOutcome.SWAPPED] == 1


@pytest.mark.parametrize("how", ["stop", "reload"])
def test_the_end_ends_the_wait_for_a_download(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(assemble_model, "_RETRY_S", 1e6)
    with running(assemble(auto(tmp_path))) as pipeline:
        wait_until(lambda: pipeline.snapshot().last_live_age_s is not None)
        (fetching,) = [thread for thread in threading.enumerate() if thread.name == "vcam-fetch"]
        if how == "stop":
            pipeline.stop()
        else:
            pipeline.reload(replace(wire(settings()), sinks=pipeline.sinks))
        wait_until(lambda: not fetching.is_alive())


def test_what_is_being_downloaded_for_nobody_ends(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the next bytes that come, or the next step of what is made of them."""
    preparation, ended = Preparation(), threading.Event()

    def fetch(entry: object, folder: Path, progress: ProgressCallback) -> Path:
        preparation.cancel()
        try:
            while True:
                progress(Progress(Step.FETCH))
        finally:
            ended.set()

    monkeypatch.setattr("vcam.model.prepare.fetch", fetch)
    with pytest.raises(SlotClosedError):
        Cores(auto(tmp_path), Size(320, 180)).await_network(preparation)
    assert ended.wait(LIMIT_S)


def test_what_no_download_can_mend_ends_the_wait(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = raises(MissingDependencyError("no httpx", hint="install it"))
    monkeypatch.setattr("vcam.model.prepare.fetch", lambda *_: broken())
    with pytest.raises(MissingDependencyError, match="no httpx"):
        Cores(auto(tmp_path), Size(320, 180)).await_network(Preparation())


@pytest.mark.parametrize("keys", [{"engine": EngineName.PLATE}, {"model_download": False}, {"frames": 3}])
def test_nothing_is_downloaded_later_for_who_does_not_want_it(
    mirror: Mirror, tmp_path: Path, keys: dict[str, object]
) -> None:
    """A file does not change its engine between two frames."""
    config = auto(tmp_path).model_copy(update=keys)
    opened = wire(config).open_processor(Preparation())
    with opened.processor as processor:
        assert processor.info.engine == "plate"
    assert opened.successor is None
    assert opened.last_resort is (config.engine is EngineName.AUTO)


def test_an_engine_that_was_asked_for_is_never_replaced(tmp_path: Path) -> None:
    config = settings(engine=EngineName.ONNXRUNTIME, model_download=False, models_dir=tmp_path)
    with pytest.raises(ModelFetchError, match="switched off"):
        engine_room(config).open_processor(Preparation())


def test_a_model_that_is_no_model_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "words.onnx"
    text.write_text("these are words\n" * 100)
    with pytest.raises(VcamError, match=r"words\.onnx"):
        engine_room(settings(engine=EngineName.AUTO, model=str(text), models_dir=tmp_path)).open_processor(
            Preparation()
        )


def test_a_mask_network_is_recognised(tmp_path: Path) -> None:
    path = network(tmp_path, [mean()])
    config = settings(engine=EngineName.AUTO, model=str(path), models_dir=tmp_path)
    opened = engine_room(config).open_processor(Preparation())
    with opened.processor as processor:
        assert processor.info.model == path.stem
        assert processor.info.size == Size(32, 24)


def test_an_rvm_network_runs_end_to_end(tmp_path: Path) -> None:
    path = tmp_path / "rvm_like.onnx"
    onnx.save(make_rvm_like("deep"), path)
    for engine in (EngineName.OPENVINO, EngineName.ONNXRUNTIME):
        config = settings(engine=engine, model=str(path), models_dir=tmp_path, quality=Quality.FAST, frames=3)
        with assemble(config) as pipeline:
            pipeline.run()
        assert pipeline.snapshot().frames[Outcome.LIVE] == 3


@pytest.mark.skipif(not look(model=True).bf16, reason="this CPU does not multiply bfloat16")
@pytest.mark.parametrize(("fp16", "precision"), [(True, "bf16"), (False, "fp32")])
def test_half_precision_can_be_switched_off(tmp_path: Path, fp16: bool, precision: str) -> None:
    path = tmp_path / "rvm_like.onnx"
    onnx.save(make_rvm_like("deep"), path)
    config = settings(engine=EngineName.AUTO, model=str(path), models_dir=tmp_path, quality=Quality.FAST, fp16=fp16)
    with engine_room(config).open_processor(Preparation()).processor as processor:
        assert processor.info.precision == precision


def test_reload_changes_the_scene_at_once_and_keeps_the_old_one_when_the_new_is_bad() -> None:
    old = settings()
    pipeline = assemble(old)
    before = pipeline.scene
    with pytest.raises(VcamError):
        reload(pipeline, old, settings(background="image:/nowhere.png"))
    assert pipeline.scene is before
    reload(pipeline, old, settings(background="green"))
    assert pipeline.scene is not before
    assert pipeline.scene.blur == 0.0


def test_a_picture_is_drawn_before_the_frame_thread_needs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Pillow.new("RGB", (64, 48), (200, 0, 0)).save(tmp_path / "red.png")
    old, new = settings(), settings(background=f"image:{tmp_path / 'red.png'}")
    pipeline = assemble(old)
    reload(pipeline, old, new)
    backdrop = pipeline.scene.backdrop
    monkeypatch.setattr("vcam.scene.backdrops.fitted", None)
    for sink in pipeline.sinks:
        backdrop.render(sink.format, 0)
    reload(pipeline, new, new.model_copy(update={"refine": 0.5}))
    assert pipeline.scene.backdrop is backdrop, "what the person's edge is like is no reason to read the picture again"


def test_a_change_of_the_scene_while_stages_restart_is_not_lost() -> None:
    old = settings(frames=5)
    with assemble(old) as pipeline:
        reload(pipeline, old, settings(frames=5, threads=1, background="green"))
        scene = replace(pipeline.scene, blur=7.0)
        pipeline.change_scene(scene)
        pipeline.run()
        assert pipeline.scene is scene
        assert pipeline._loops.frames._control.scene() is scene


@pytest.mark.parametrize("key", ["smoothing", "despill", "refine"])
def test_reload_changes_what_is_done_to_the_matte_at_once(key: str) -> None:
    old = settings()
    pipeline = assemble(old)
    assert pipeline.scene.matte == MatteControls()
    reload(pipeline, old, settings(**{key: 0.5}))
    assert pipeline.scene.matte == MatteControls(**{key: 0.5})
    with pytest.raises(ValidationError):
        settings(**{key: 1.5})


def test_reload_keeps_the_size_of_the_sinks_that_stay_open() -> None:
    old = settings(frames=30)
    with assemble(old) as pipeline:
        reload(pipeline, old, settings(frames=5, width=640, height=360))
        pipeline.run()
    snapshot = pipeline.snapshot()
    assert [sink.format.size for sink in pipeline.sinks] == [Size(320, 180)]
    assert snapshot.outputs[0].errors == 0
    assert snapshot.frames[Outcome.LIVE] >= 5


class _Busy:
    """A kernel whose devices are all in use."""

    def open(self, path: Path) -> int:
        raise OSError(errno.EBUSY, "busy")


def test_who_keeps_a_camera_busy_is_looked_for_once_however_often_it_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Path] = []

    def look(path: Path) -> tuple[Holder, ...]:
        looks.append(path)
        return (Holder(7, "cheese"),)

    monkeypatch.setattr("vcam.v4l2.holders.holders", look)
    monkeypatch.setattr("vcam.sources.camera.LinuxKernel", _Busy)
    wiring = wire(settings(input="/dev/video9"))
    for _ in range(3):
        with pytest.raises(DeviceError, match=r"in use by cheese \(pid 7\)"), wiring.open_source():
            pass
    assert looks == [Path("/dev/video9")]


def test_assembling_loads_no_engine_and_no_device_library() -> None:
    code = (
        "import sys; from vcam.pipeline import assemble; print([m for m in ('openvino', 'onnx') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_mismatch_is_reported_when_it_is_neither(tmp_path: Path) -> None:
    two_pictures = [helper.make_node("Concat", ["image", "image"], ["mask"], axis=1)]
    path = network(tmp_path, two_pictures)
    config = settings(engine=EngineName.AUTO, model=str(path), models_dir=tmp_path)
    with pytest.raises(ModelMismatchError):
        engine_room(config).open_processor(Preparation())
