"""Layers from settings to finished pictures, and what a change of them leaves as it is."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.pipeline.test_assemble import engine_room, settings
from vcam.config import Config, load_config
from vcam.errors import VcamError
from vcam.frame import Image, PixelFormat, Plane, Stamp, VideoFormat, allocate_planes
from vcam.pipeline.assemble import assemble, reload
from vcam.pipeline.assemble_scene import make_scene
from vcam.pipeline.preparation import Preparation
from vcam.stages import StageTimes


@pytest.fixture
def white(tmp_path: Path) -> str:
    path = tmp_path / "white.png"
    Pillow.new("RGB", (40, 20), (255, 255, 255)).save(path)
    return f"image:{path},x=0,y=0,anchor=top-left"


def luma(config: Config) -> Plane:
    """Of what a processor that was assembled for these settings makes of a grey picture."""
    fmt = VideoFormat(PixelFormat.I420, 320, 180)
    buffer, planes = allocate_planes(fmt)
    buffer[:] = 100
    scene = make_scene(config)
    with engine_room(config).open_processor(Preparation()).processor as processor:
        (result,) = processor.process(Image(planes, fmt, Stamp(0, 0)), scene, StageTimes())
        return result.planes[0][:, ::2].copy()


def test_layers_are_painted_by_the_processor_that_is_assembled(white: str) -> None:
    plain, painted = luma(settings(background="green")), luma(settings(background="green", layers=(white,)))
    assert (painted[:20, :40] == 235).all()
    painted[:20, :40] = plain[:20, :40]
    np.testing.assert_array_equal(painted, plain)


def test_layers_and_the_rest_change_without_each_other(white: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old = settings(background="green")
    pipeline = assemble(old)
    backdrop = pipeline.scene.backdrop
    new = old.model_copy(update={"layers": (white, "text:Ada")})
    reload(pipeline, old, new)
    layers = pipeline.scene.layers
    assert len(layers) == 2
    assert pipeline.scene.backdrop is backdrop
    monkeypatch.setattr("vcam.scene.layers.encode_overlay", None)  # they were drawn before the frame thread needs them
    for layer in layers:
        for sink in pipeline.sinks:
            layer.render(sink.format, 0)
    for update in ({"refine": 0.5}, {"background": "blur"}):
        old, new = new, new.model_copy(update=update)
        reload(pipeline, old, new)
        assert pipeline.scene.layers is layers


def test_a_bad_layer_leaves_the_scene_as_it_is(white: str) -> None:
    old = settings(layers=(white,))
    pipeline = assemble(old)
    before = pipeline.scene
    with pytest.raises(VcamError):
        reload(pipeline, old, settings(layers=(white, "image:/nowhere.png"), background="green"))
    assert pipeline.scene is before


def test_auto_frame_is_asked_of_the_scene() -> None:
    old = settings()
    pipeline = assemble(old)
    assert not pipeline.scene.framing.auto
    reload(pipeline, old, settings(auto_frame=True))
    assert pipeline.scene.framing.auto


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("", ()),
        ("text:Ada", ("text:Ada",)),
        ("text:Ada,Analyst,x=0.5,image:a.png, text:B", ("text:Ada,Analyst,x=0.5", "image:a.png", "text:B")),
        ("video:a.mp4,mask=m.png,video:b.mp4", ("video:a.mp4,mask=m.png", "video:b.mp4")),
    ],
)
def test_a_variable_holds_several(text: str, layers: tuple[str, ...]) -> None:
    assert load_config(None, {"VCAM_LAYERS": text}).layers == layers
