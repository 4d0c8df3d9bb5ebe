"""The effects that are measured and shown are all there are, and each can be seen."""

import numpy as np
import pytest

from tests.compose.test_golden import alpha, camera_picture
from vcam.bench import scene
from vcam.bench.scene_effects import Effect, effects, everything, plain
from vcam.bench.scene_props import Props, make_props, sea
from vcam.compose.cpu import CpuFrameProcessor
from vcam.compose.layers import LayeredProcessor
from vcam.fakes import FakeEngine
from vcam.frame import Image, PixelFormat, Plane, Size, Stamp, VideoFormat
from vcam.pipeline.assemble_scene import make_scene
from vcam.scene_settings import SCENE_KEYS, SceneSettings, scene_values
from vcam.stages import StageTimes

SIZE = Size(320, 180)
IN_TIME_ONLY = {"smoothing", "auto_frame"}
"""What needs more than a picture: what it does is held by tests of its own."""


@pytest.fixture(scope="module")
def props(tmp_path_factory: pytest.TempPathFactory) -> Props:
    return make_props(tmp_path_factory.mktemp("props"), SIZE)


def drawn(effect: Effect) -> Plane:
    """The second of two pictures, (H, W, 3)."""
    target = VideoFormat(PixelFormat.RGB24, SIZE.width, SIZE.height)
    camera, shown = camera_picture(), make_scene(effect.settings)
    try:
        with LayeredProcessor(CpuFrameProcessor(FakeEngine(alpha(36, 64).astype(np.float32)), [target])) as processor:
            for k in range(2):
                image = Image(camera.planes, camera.format, Stamp(k * 33_000_000, k))
                (result,) = processor.process(image, shown, StageTimes())
            return result.planes[0].reshape(SIZE.height, SIZE.width, 3).copy()
    finally:
        shown.close()


def test_every_setting_has_its_effect(props: Props) -> None:
    usual, changed = scene_values(plain(props).settings), set()
    for effect in effects(props):
        changed |= {key for key, value in scene_values(effect.settings).items() if value != usual[key]}
    assert changed | {"color"} == set(SCENE_KEYS)
    assert len({effect.name for effect in effects(props)}) == len(effects(props))


def test_every_effect_can_be_seen(props: Props) -> None:
    before = drawn(plain(props)).astype(int)
    for effect in effects(props):
        if effect.name.split()[0] not in IN_TIME_ONLY:
            assert (np.abs(drawn(effect) - before) > 8).any(), effect.name


def test_the_heaviest_scene_is_what_it_says(props: Props) -> None:
    heavy = everything(props)
    assert heavy.background.startswith("video:")
    assert len(heavy.layers) == 3
    assert heavy.person_hologram == 1.0
    make_scene(heavy).close()


def test_the_sea_begins_again_where_it_ended() -> None:
    assert np.abs(sea(SIZE, 1.0).astype(int) - sea(SIZE, 0.0)).max() <= 1
    assert np.abs(sea(SIZE, 0.5).astype(int) - sea(SIZE, 0.0)).max() > 20


def test_costs_are_compared_with_the_plain_scene(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene, "_WARM_UP", 1)
    shown = [Effect("plain", SceneSettings(background="green")), Effect("blur", SceneSettings(background="blur"))]
    usual, blurred = scene._costs(shown, 3)
    assert (usual.name, usual.count, usual.extra) == ("plain", 3, {"times_plain": 1.0, "added_ms": 0.0})
    assert blurred.p50_ms > 0.0
    assert blurred.extra["times_plain"] == pytest.approx(blurred.p50_ms / usual.p50_ms, abs=0.02)
