"""What may be asked for live: the scene's own grammar, uploads, what the configuration names. No other path, ever."""

from pathlib import Path

import pytest

from tests.control.rig import Control, picture
from tests.support.clip import Clip, write_clip
from vcam.config import Config
from vcam.scene.layer_video import VideoLayer


@pytest.fixture
def control(tmp_path: Path) -> Control:
    return Control(tmp_path)


def uploaded(control: Control, name: str = "n.png") -> str:
    return str(control.upload(picture(), name)[1]["name"])


def video(tmp_path: Path, control: Control) -> str:
    path = write_clip(tmp_path / "in.mp4", Clip(codec="mpeg4", frames=3))
    return str(control.upload(path.read_bytes(), "in.mp4", "video/mp4")[1]["name"])


@pytest.mark.parametrize("options", ["anchor=top,fit=contain", "fit=contain,anchor=top", "fit=tile", " fit=cover"])
def test_options_of_a_background_stand_in_any_order(control: Control, options: str) -> None:
    name = uploaded(control)
    status, told = control.ask("PATCH", "/scene", {"background": f"image:{name},{options.strip()}"})
    assert (status, told["background"]) == (200, f"image:{name},{options.strip()}")
    assert control.desk.config.background == f"image:{control.media / name},{options.strip()}"


def test_options_of_layers_stand_in_any_order_and_numbers_are_written_freely(control: Control) -> None:
    name = uploaded(control)
    layers = [
        f"image:{name},width=0.4,x=0.1",
        "text:A,y=1,x=.5",
        "text:E = mc2,opacity=0.123456",
        f"image:{name},y=1.00",
    ]
    status, told = control.ask("PATCH", "/scene", {"layers": layers})
    assert (status, told["layers"]) == (200, layers)


def test_a_video_that_was_uploaded_can_be_a_layer(control: Control, tmp_path: Path) -> None:
    name = video(tmp_path, control)
    status, told = control.ask("PATCH", "/scene", {"layers": [f"video:{name},width=0.5"]})
    assert (status, told["layers"]) == (200, [f"video:{name},width=0.5"])
    assert isinstance(control.pipeline.scene.layers[0], VideoLayer)
    assert control.ask("DELETE", f"/backgrounds/{name}")[0] == 409, "it is shown"


@pytest.mark.parametrize(
    "written", ["image:{}/Beach.JPG", "image: {}/Beach.JPG", "image:{}/Beach.JPG,anchor=top,fit=contain"]
)
def test_the_very_value_in_effect_can_be_asked_for(tmp_path: Path, written: str) -> None:
    (tmp_path / "Beach.JPG").write_bytes(picture("JPEG"))
    background = written.format(tmp_path)
    control = Control(tmp_path, config=Config(background=background))
    told = control.scene()["background"]
    assert control.ask("PATCH", "/scene", {"background": told})[1]["background"] == told
    assert control.desk.config.background == background


def configured(tmp_path: Path) -> Control:
    """With files in a folder that nobody who asks may know of."""
    folder = tmp_path / "secret"
    (folder / "slides").mkdir(parents=True)
    for name in ("exif.jpg", "podium.png", "mask.png", "other.png", "slides/1.png"):
        (folder / name).write_bytes(picture())
    layers = (f"image:{folder}/podium.png,mask={folder}/mask.png",)
    return Control(tmp_path, config=Config(background=f"image:{folder}/exif.jpg", layers=layers))


def test_what_is_configured_can_be_asked_for_again(tmp_path: Path) -> None:
    control = configured(tmp_path)
    before = control.desk.config
    for asked in ({"background": "green", "layers": []}, {"background": "image:exif.jpg"}):
        assert control.ask("PATCH", "/scene", asked)[0] == 200
    assert control.desk.config.background == before.background
    assert control.ask("PATCH", "/scene", {"background": "image:exif.jpg,fit=contain"})[0] == 200
    assert control.desk.config.background == f"{before.background},fit=contain"
    assert control.ask("PATCH", "/scene", {"layers": ["image:podium.png,x=0.1,mask=mask.png"]})[0] == 200
    assert control.desk.config.layers[0] == f"image:{tmp_path}/secret/podium.png,x=0.1,mask={tmp_path}/secret/mask.png"
    assert control.ask("GET", "/backgrounds")[1]["configured"] == "image:exif.jpg"


def test_what_a_profile_names_can_be_asked_for_again(tmp_path: Path) -> None:
    control = configured(tmp_path)
    control.profiles.mkdir()
    (control.profiles / "own.toml").write_text(f'background = "slides:{tmp_path}/secret/slides,every=20"\n')
    (control.profiles / "broken.toml").write_text('background = "image:')
    (control.profiles / "wrong.toml").write_text('layers = ["imge:x"]')
    status, told = control.ask("PATCH", "/scene", {"background": "slides:slides,every=5"})
    assert (status, told["background"]) == (200, "slides:slides,every=5")
    assert control.desk.config.background == f"slides:{tmp_path}/secret/slides,every=5"


FOREIGN = [
    "/etc/passwd",
    "../../etc/passwd",
    "secret/other.png",
    "{}/secret/exif.jpg",
    "{}/secret/other.png",
    "{}/media/{name}",
    "{name}/../{name}",
    "./{name}",
    "../media/{name}",
    "~/secret",
    "other.png",
    "link.png",
    "media/{name}",
    "{name}\x00",
    "{name} ,fit=cover,x={}/secret/other.png",
    "thumbnails/{name}",
    ".",
    "..",
    "/",
    "podium.png,mask=/etc/passwd",
    "mask.png",
]


@pytest.mark.parametrize(
    "form",
    [
        ("background", "image:{}"),
        ("background", "video:{}"),
        ("background", "slides:{}"),
        ("background", "image:{},fit=cover"),
        ("background", "image:known.png,mask={}"),
        ("layers", "image:{}"),
        ("layers", "video:{}"),
        ("layers", "image:podium.png,mask={}"),
        ("layers", "image:podium.png,x=0.5,mask={}"),
        ("layers", "text:Ada,font={}"),
        ("layers", "text:Ada,Analyst,x=0.1,font={}"),
    ],
)
def test_no_other_path_is_ever_taken(tmp_path: Path, form: tuple[str, str]) -> None:
    control = configured(tmp_path)
    known = uploaded(control, "known.png")
    (control.media / "link.png").symlink_to(tmp_path / "secret" / "other.png")
    before, scene = control.desk.config, control.pipeline.scene
    key, text = form
    for name in FOREIGN:
        if name == "mask.png" and "mask=" in text:
            continue  # that one is configured as a mask
        asked = text.format(name.replace("{name}", known).replace("{}", str(tmp_path)))
        status, told = control.ask("PATCH", "/scene", {key: [asked] if key == "layers" else asked})
        assert status in (404, 422), asked
        assert control.desk.config is before
        assert control.pipeline.scene is scene
        assert str(tmp_path) in asked or str(tmp_path) not in str(told)


def test_a_link_among_the_uploads_is_none_of_them(control: Control, tmp_path: Path) -> None:
    uploaded(control)
    (tmp_path / "other.png").write_bytes(picture())
    (control.media / "link-12345678.png").symlink_to(tmp_path / "other.png")
    assert control.ask("PATCH", "/scene", {"background": "image:link-12345678.png"})[0] == 404


def test_a_folder_whose_name_is_an_option_lets_nothing_through(tmp_path: Path) -> None:
    """The text that is put together is divided again as the scene will divide it."""
    control = Control(tmp_path / "a,fit=contain")
    name = uploaded(control)
    for asked in ({"background": f"image:{name}"}, {"layers": [f"image:{name}"]}):
        status, told = control.ask("PATCH", "/scene", asked)
        assert status == 422
        assert "media_dir" in str(told["hint"])
        assert str(tmp_path) not in str(told)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"background": "gren"}, "did you mean 'green'?"),
        ({"background": "blur:0"}, "'0' is no strength of blur"),
        ({"layers": ["text:Ada,z=1"]}, "'z=1' is no option of text"),
        ({"layers": ["imge:x.png"]}, "did you mean 'image'?"),
        ({"color": "red"}, "'red' is not a colour"),
    ],
)
def test_a_refusal_has_the_words_of_the_grammar(control: Control, asked: dict[str, object], told: str) -> None:
    status, problem = control.ask("PATCH", "/scene", asked)
    assert status == 422
    assert told in str(problem["problem"])
    assert "GET " not in str(problem["hint"])


def test_a_file_of_the_wrong_kind_is_told_without_its_folder(control: Control, tmp_path: Path) -> None:
    name = video(tmp_path, control)
    status, told = control.ask("PATCH", "/scene", {"background": f"image:{name}"})
    assert status == 422
    assert name in str(told["problem"])
    assert str(tmp_path) not in str(told)
