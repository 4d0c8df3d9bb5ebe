"""The user's background, in every form, and what is said to a wrong one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.support.clip import Clip, write_clip
from vcam.errors import ConfigError, MediaError
from vcam.frame import PixelFormat, VideoFormat
from vcam.scene.anchor import Anchor
from vcam.scene.fit import Fit, Placing
from vcam.scene.media_spec import Media
from vcam.scene.media_spec import parse_media as parse_named
from vcam.scene.named import MediaKind, divided_background
from vcam.scene.slides import Pace
from vcam.scene.spec import NEUTRAL, build_scene, parse_color
from vcam.stages import Scene

RED = (255, 0, 0)
TARGET = VideoFormat(PixelFormat.RGB24, 16, 8)


def _pixels(scene: Scene) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return scene.backdrop.render(TARGET, 0).planes[0].reshape(8, 16, 3)


@pytest.mark.parametrize(
    ("text", "rgb"),
    [("0,255,0", (0, 255, 0)), (" 1, 2 ,3 ", (1, 2, 3)), ("#0a0B0c", (10, 11, 12)), ("255,255,255", (255, 255, 255))],
)
def test_parse_color(text: str, rgb: tuple[int, int, int]) -> None:
    assert parse_color(text) == rgb


@pytest.mark.parametrize(
    "text", ["", "1,2", "1,2,3,4", "1,2,256", "-1,2,3", "1.5,2,3", "red", "#12345", "#1234567", "#gg0000"]
)
def test_parse_color_refuses(text: str) -> None:
    with pytest.raises(ConfigError, match="not a colour") as caught:
        parse_color(text)
    assert "#rrggbb" in caught.value.hint


@pytest.mark.parametrize(
    ("spec", "rgb"),
    [
        ("green", (0, 255, 0)),
        ("color", RED),
        ("color:1,2,3", (1, 2, 3)),
        ("color:#010203", (1, 2, 3)),
        (" green ", (0, 255, 0)),
    ],
)
def test_plain_colours(spec: str, rgb: tuple[int, int, int]) -> None:
    scene = build_scene(spec, RED)
    assert (_pixels(scene) == rgb).all()
    assert scene.blur == 0.0
    assert not scene.show_room


@pytest.mark.parametrize(
    ("spec", "strength"), [("blur", 50.0), ("blur:1", 1.0), ("blur:100", 100.0), ("blur:12.5", 12.5)]
)
def test_blur_has_a_neutral_backdrop_for_safe(spec: str, strength: float) -> None:
    scene = build_scene(spec, RED)
    assert scene.blur == strength
    assert not scene.show_room
    assert (_pixels(scene) == NEUTRAL).all()


def test_only_none_shows_the_room() -> None:
    scene = build_scene("none", RED)
    assert scene.show_room
    assert scene.blur == 0.0
    assert (_pixels(scene) == NEUTRAL).all()


def test_image_with_its_fit_and_a_path_with_commas_and_colons(tmp_path: Path) -> None:
    path = tmp_path / "a,b:c.png"
    Pillow.new("RGB", (4, 4), (9, 8, 7)).save(path)
    assert (_pixels(build_scene(f"image:{path}", RED)) == (9, 8, 7)).all()
    contained = _pixels(build_scene(f"image:{path},fit=contain", RED))
    assert (contained[:, 0] == 0).all()
    assert (contained[:, 8] == (9, 8, 7)).all()


@pytest.mark.parametrize(
    ("spec", "problem", "hint"),
    [
        ("gren", "did you mean 'green'", "one of"),
        ("colour:1,2,3", "did you mean 'color'", "one of"),
        ("", "unknown", "one of"),
        ("xyz", "unknown", "blur:1..100"),
        ("blur:0", "no strength", "1 to 100"),
        ("blur:101", "no strength", "1 to 100"),
        ("blur:nan", "no strength", "1 to 100"),
        ("blur:", "no strength", "1 to 100"),
        ("blur:much", "no strength", "1 to 100"),
        ("color:1,2,300", "not a colour", "R,G,B"),
        ("color:", "not a colour", "R,G,B"),
        ("green:3", "takes nothing", "write green"),
        ("none:1", "takes nothing", "write none"),
        ("image", "names no file", "image:PATH"),
        ("image:", "names no file", "image:PATH"),
        ("image:x.png,fit=squeeze", "squeeze", "cover, contain, stretch, tile"),
        ("image:x.png,anchor=middle", "middle", "top-left"),
        ("image:x.png,every=3", "every= is no option", "slides:FOLDER"),
        ("video", "names no file", "video:PATH"),
        ("video:,fit=cover", "names no file", "video:PATH"),
        ("video:x.mp4,fade=1", "fade= is no option", "slides:FOLDER"),
        ("slides", "names no file", "slides:FOLDER"),
        ("slides:x,every=0", "every=0", "1 to 86400"),
        ("slides:x,every=soon", "every=soon", "1 to 86400"),
        ("slides:x,every=5,fade=6", "does not fit", "below every="),
    ],
)
def test_refuses_and_helps(spec: str, problem: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        build_scene(spec, RED)
    assert hint in caught.value.hint


def parse_media(kind: MediaKind, rest: str) -> Media:
    return parse_named(divided_background(f"{kind}:{rest}"))


@pytest.mark.parametrize("kind", list(MediaKind))
def test_options_stand_behind_a_path_of_any_kind(kind: MediaKind) -> None:
    media = parse_media(kind, " a,b=1:c ,anchor=top-left, fit=tile,fit=contain".replace(", fit", ",fit"))
    assert str(media.path) == "a,b=1:c"
    assert media.placing == Placing(Fit.CONTAIN, Anchor.TOP_LEFT)
    assert parse_media(kind, "x").placing == Placing(Fit.COVER, Anchor.CENTER)
    assert parse_media(kind, "x,fit=tile").placing == Placing(Fit.TILE, Anchor.TOP_LEFT)


def test_the_pace_of_slides() -> None:
    assert parse_media(MediaKind.SLIDES, "x").pace == Pace(10.0, 1.0)
    assert parse_media(MediaKind.SLIDES, "x,every=1").pace == Pace(1.0, 0.5)
    assert parse_media(MediaKind.SLIDES, "x,fade=0,every=2.5,anchor=top").pace == Pace(2.5, 0.0)


def test_what_moves_is_the_scenes_to_end(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mkv", Clip(frames=3))
    Pillow.new("RGB", (8, 8)).save(tmp_path / "a.png")
    for spec in (f"video:{tmp_path / 'clip.mkv'}", f"slides:{tmp_path}"):
        scene = build_scene(spec, RED)
        assert [id(film) for film in scene.films] == [id(scene.backdrop)]
        scene.close()
    assert not build_scene(f"image:{tmp_path / 'a.png'}", RED).films


def test_a_scene_ends_what_the_next_has_not() -> None:
    class Film:
        closed = 0

        def close(self) -> None:
            self.closed += 1

    kept, left = Film(), Film()
    before = replace(build_scene("green", RED), films=(kept, left))
    before.close(following=replace(before, films=(kept,)))
    assert (kept.closed, left.closed) == (0, 1)
    before.close()
    assert (kept.closed, left.closed) == (1, 2)


def test_a_picture_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="there is no file"):
        build_scene(f"image:{tmp_path / 'gone.png'}", RED)
