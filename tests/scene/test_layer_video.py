"""A video before the person: placed and covered as a picture is, moving, and gone with its scene."""

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.pipeline.rig import wait_until
from tests.support.clip import Clip, write_clip
from vcam.compose.layers import Painter
from vcam.errors import MediaError
from vcam.frame import PixelFormat, Planes, VideoFormat, allocate_planes
from vcam.pipeline.assemble_scene import make_scene, next_scene
from vcam.scene.clip import read_clip
from vcam.scene.fit import Fit, Placing
from vcam.scene.layers import build_layers, films_of
from vcam.scene.picture import drawn
from vcam.scene_settings import SceneSettings

LAYOUTS = [PixelFormat.YUYV, PixelFormat.NV12, PixelFormat.I420, PixelFormat.RGB24]
MS = 1_000_000
LEVEL = 50


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mkv", Clip(frames=10))


def painted(text: str, target: VideoFormat) -> Planes:
    """The first picture of a layer, on bytes of one level."""
    buffer, planes = allocate_planes(target)
    buffer[:] = LEVEL
    scene = make_scene(SceneSettings(background="green", layers=(text,)))
    try:
        overlay = scene.layers[0].render(target, 0)
        if overlay is not None:
            Painter().paint(overlay, planes)
    finally:
        scene.close()
    return planes


def first(clip: Path, target: VideoFormat) -> Planes:
    return drawn(next(read_clip(clip)).picture, target, Placing(fit=Fit.STRETCH))


def playing() -> int:
    return [thread.name for thread in threading.enumerate()].count("vcam-backdrop")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("x", "y"), [(0, 0), (20, 10), (-32, -24), (60, 60)])
def test_it_lies_where_it_is_put_even_partly_outside(clip: Path, layout: PixelFormat, x: int, y: int) -> None:
    """x, y: of its upper left corner, in a picture of 100 by 90."""
    target, box = VideoFormat(layout, 100, 90), VideoFormat(layout, 64, 48)
    got = painted(f"video:{clip},x={(x + 32) / 100},y={(y + 24) / 90:.6f},anchor=center", target)
    whole = first(clip, box)
    for plane, picture in zip(got, whole, strict=True):
        down, across = 90 // len(plane), 100 * len(plane[0]) // 100
        left, top = x * across // 100, y // down
        rows, columns = picture.shape
        want = np.full(plane.shape, LEVEL, np.uint8)
        inside = np.s_[max(0, top) : max(0, top + rows), max(0, left) : max(0, left + columns)]
        part = want[inside]
        part[:] = picture[max(0, -top) :, max(0, -left) :][: part.shape[0], : part.shape[1]]
        np.testing.assert_array_equal(plane, want)


def test_a_mask_and_opacity_cover_it(clip: Path, tmp_path: Path) -> None:
    target = VideoFormat(PixelFormat.I420, 64, 48)
    half = Pillow.new("L", (64, 48), 0)
    half.paste(255, (0, 0, 32, 48))
    half.save(tmp_path / "mask.png")
    (luma, *_) = painted(f"video:{clip},mask={tmp_path / 'mask.png'},opacity=0.5,y=0,anchor=top", target)
    picture = first(clip, target)[0].astype(int)
    assert np.abs(luma[:, :32] - (picture[:, :32] + LEVEL) / 2).max() <= 1
    assert (luma[:, 32:] == LEVEL).all()


def test_it_moves_and_draws_each_picture_once(clip: Path) -> None:
    target = VideoFormat(PixelFormat.NV12, 100, 90)
    (layer,) = build_layers([f"video:{clip}"])
    seen = [layer.render(target, 0)]
    assert layer.render(target, 0) is seen[0]
    pts_ns = 0

    def moved() -> bool:
        nonlocal pts_ns
        pts_ns += 10 * MS
        overlay = layer.render(target, pts_ns)
        if overlay is not seen[-1]:
            seen.append(overlay)
        return len(seen) == 4

    try:
        wait_until(moved)
    finally:
        for film in films_of([layer]):
            film.close()
    assert playing() == 0
    pictures = {overlay.patches[0].color.tobytes() for overlay in seen if overlay is not None}
    assert len(pictures) == 4


def test_it_ends_with_its_scene_and_no_sooner(clip: Path) -> None:
    target = VideoFormat(PixelFormat.YUYV, 100, 90)
    settings = SceneSettings(background=f"video:{clip}", layers=(f"video:{clip},width=0.5", "text:Ada"))
    scene = make_scene(settings)
    scene.backdrop.render(target, 0)
    scene.layers[0].render(target, 0)
    assert playing() == 2
    for update in ({"refine": 0.5}, {"background": "green"}, {"layers": ("text:Ada",)}):
        settings = settings.model_copy(update=update)
        following = next_scene(scene, settings, update, [target])
        scene.close(following=following)
        scene = following
        assert playing() == {"refine": 2, "background": 1, "layers": 0}[next(iter(update))]


def test_what_fails_half_way_leaves_nothing_playing(clip: Path) -> None:
    target = VideoFormat(PixelFormat.YUYV, 100, 90)
    scene = make_scene(SceneSettings(background="green"))
    bad = SceneSettings(background=f"video:{clip}", layers=(f"video:{clip}", "image:/nowhere.png"))
    with pytest.raises(MediaError):
        next_scene(scene, bad, {"background", "layers"}, [target])
    with pytest.raises(MediaError):
        make_scene(bad)
    with pytest.raises(MediaError):
        make_scene(SceneSettings(layers=(f"video:{clip.parent / 'gone.mp4'}",)))
    assert playing() == 0
