"""What users write for layers, and what they are told when it is wrong."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcam.errors import ConfigError
from vcam.frame import Size
from vcam.scene.anchor import Anchor
from vcam.scene.layer_spec import Placement, parse_layer
from vcam.scene.named import LayerKind


def test_an_image_stands_on_the_lower_edge() -> None:
    spec = parse_layer("image:podium.png")
    assert (spec.kind, spec.path, spec.mask, spec.opacity) == (LayerKind.IMAGE, Path("podium.png"), None, 1.0)
    assert spec.placement == Placement(Anchor.BOTTOM, 0.5, 1.0, None)


def test_a_text_keeps_clear_of_the_edges() -> None:
    spec = parse_layer("text:Ada Lovelace")
    assert spec.lines == ("Ada Lovelace",)
    assert spec.placement == Placement(Anchor.BOTTOM_LEFT, 0.04, 0.94, None)
    assert parse_layer("text:Ada,anchor=top-right").placement == Placement(Anchor.TOP_RIGHT, 0.96, 0.06, None)
    assert parse_layer("text:Ada,anchor=center").placement == Placement(Anchor.CENTER, 0.5, 0.5, None)


def test_every_option() -> None:
    spec = parse_layer("image:/a b/logo,1.png,x=0.9,y=0.1,width=0.25,opacity=.5,anchor=top-right,mask=m.png")
    assert spec.path == Path("/a b/logo,1.png")
    assert spec.mask == Path("m.png")
    assert spec.opacity == 0.5
    assert spec.placement == Placement(Anchor.TOP_RIGHT, 0.9, 0.1, 0.25)
    assert parse_layer("text:Ada,font=x.ttf").font == Path("x.ttf")


def test_the_home_folder_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert parse_layer("image:~/a.png,mask=~/m.png").path == Path("/home/ada/a.png")
    assert parse_layer("image:~/a.png,mask=~/m.png").mask == Path("/home/ada/m.png")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("text:Ada Lovelace,Analyst", ("Ada Lovelace", "Analyst")),
        ("text: Ada , Analyst, London ", ("Ada", "Analyst, London")),
        (r"text:Lovelace\, Ada,Analyst", ("Lovelace, Ada", "Analyst")),
        ("text:Ada,Analyst,x=0.5", ("Ada", "Analyst")),
        ("text:E = mc2", ("E = mc2",)),
        ("text:10:30,x=0", ("10:30",)),
        ("text:,Analyst", ("Analyst",)),
    ],
)
def test_lines(text: str, lines: tuple[str, ...]) -> None:
    assert parse_layer(text).lines == lines


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("", "unknown", "image:PATH"),
        ("podium.png", "unknown", "image:PATH"),
        ("imgae:a.png", "did you mean 'image'", "image:PATH"),
        ("image:", "names no file", "image:podium.png"),
        ("image:,x=0.5", "names no file", "image:podium.png"),
        ("image", "names no file", "image:podium.png"),
        ("video:", "names no file", "video:PATH"),
        ("video:a.mp4,font=x", "is no option of video", "mask="),
        ("image:a.png,x=2", "x=2 is no share", "0 to 1"),
        ("image:a.png,x=nan", "x=nan is no share", "0 to 1"),
        ("image:a.png,opacity=half", "opacity=half", "0 to 1"),
        ("image:a.png,width=0", "shows nothing", "above 0"),
        ("image:a.png,anchor=middle", "'middle' is no anchor", "bottom-left"),
        ("image:a.png,font=a.ttf", "'font=a.ttf' is no option", "mask="),
        ("image:a.png,x=0.5,x=0.6", "'x=0.6' is no option of image, or stands there twice", "x="),
        ("image:a.png,x=", "'x=' is no option", "x="),
        ("text:Ada,x=0.5,Analyst", "'Analyst' is no option", "behind all else"),
        ("text:", "says nothing", "text:Ada"),
        ("text: , ", "says nothing", "text:Ada"),
        ("text:" + "a" * 81, "longer than 80", "shorter"),
        ("text:a\nb", "cannot be shown", "shorter"),
        ("text:a,mask=m.png", "'mask=m.png' is no option of text", "font="),
    ],
)
def test_refuses_and_helps(text: str, problem: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_layer(text)
    assert problem in caught.value.problem
    assert hint in caught.value.hint


@given(st.text() | st.from_regex(r"(image|text):[a-z,=\\ .0-9]*", fullmatch=True))
def test_any_text_is_a_layer_or_a_config_error(text: str) -> None:
    with suppress(ConfigError):
        spec = parse_layer(text)
        assert (spec.kind is LayerKind.TEXT) == bool(spec.lines)


@pytest.mark.parametrize(
    ("anchor", "corner"),
    [
        (Anchor.TOP_LEFT, (320, 180)),
        (Anchor.TOP, (300, 180)),
        (Anchor.TOP_RIGHT, (280, 180)),
        (Anchor.LEFT, (320, 170)),
        (Anchor.CENTER, (300, 170)),
        (Anchor.RIGHT, (280, 170)),
        (Anchor.BOTTOM_LEFT, (320, 160)),
        (Anchor.BOTTOM, (300, 160)),
        (Anchor.BOTTOM_RIGHT, (280, 160)),
    ],
)
def test_the_anchor_comes_to_lie_at_x_and_y(anchor: Anchor, corner: tuple[int, int]) -> None:
    assert Placement(anchor, 0.25, 0.25).corner(Size(40, 20), Size(1280, 720)) == corner
