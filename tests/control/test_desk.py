"""Settings whose camera or engine cannot be opened: what is told is what is at work."""

from pathlib import Path

from tests.pipeline.rig import running, wait_until
from vcam.config import Config, Pace, Quality
from vcam.control.desk import Desk
from vcam.engine_names import EngineName
from vcam.pipeline.assemble import assemble
from vcam.pipeline.snapshot import State


def test_settings_whose_engine_cannot_be_opened_are_not_in_effect(tmp_path: Path) -> None:
    config = Config(
        input="test:160x90@20",
        output=("null:",),
        engine=EngineName.PLATE,
        background="green",
        pace=Pace.REALTIME,
        models_dir=tmp_path,
        model_download=False,
    )
    changes = {"engine": EngineName.OPENVINO, "model": str(tmp_path / "none.onnx"), "threads": 1, "background": "color"}
    read = config.model_copy(update=changes)
    told: list[Config] = []
    with running(assemble(config)) as pipeline:
        desk = Desk(pipeline, config, lambda: read, applied=told.append)
        wait_until(lambda: pipeline.snapshot().state is State.LIVE)
        desk.reload()
        version = desk.version
        assert told == [read]
        desk.change_scene({"mirror": True})
        wait_until(lambda: len(told) > 1)
        assert "none.onnx" in str(desk.refused)
        wait_until(lambda: pipeline.snapshot().state is State.LIVE)
        assert (desk.config.engine, desk.config.threads) == (EngineName.PLATE, config.threads)
        assert (desk.config.background, desk.config.mirror) == ("color", True), "the scene is as it was asked for"
        assert told[-1] == desk.config
        assert desk.settings == read
        assert desk.version != version
        info = pipeline.snapshot().engine
        assert info is not None
        assert info.engine == "plate"
        desk.change_setup({"quality": Quality.FAST})
        assert desk.refused is None, "that one was taken"
