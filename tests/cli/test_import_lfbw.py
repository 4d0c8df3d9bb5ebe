"""The config files of lfbw, old and new: what they become, and that nothing of them is passed over in silence."""

import tomllib
from pathlib import Path

import pytest
from PIL import Image as Pillow
from typer.testing import CliRunner, Result

from tests.support.clip import Clip, write_clip
from vcam.cli.app import make_app
from vcam.cli.lfbw import KNOWN, translate
from vcam.cli.lfbw_file import Fate, Told, read_lfbw
from vcam.config import load_config
from vcam.pipeline.assemble_scene import make_scene
from vcam.scene.fit import Fit

OUTPUT = {"output": ["/dev/video2"], "on_demand": True}


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(make_app(), ["import-lfbw", *map(str, arguments)])


def values_of(folder: Path, text: str) -> dict[str, object]:
    """What is printed for such a file, without what is there for every one."""
    path = folder / "config.ini"
    path.write_text(text)
    result = invoke(path)
    assert result.exit_code == 0, result.output
    values = tomllib.loads(result.stdout)
    assert {key: values.pop(key) for key in OUTPUT} == OUTPUT
    return values


def told_of(folder: Path, text: str) -> dict[str, Told]:
    path = folder / "config.ini"
    path.write_text(text)
    found = read_lfbw(path)
    translate(found)
    return {each.option: each for each in found.told}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the files that options name."""
    for name in ("background.jpg", "beach, at noon.png", "podium.png", "mask.png"):
        Pillow.new("RGB", (16, 9), (10, 20, 30)).save(tmp_path / name)
    write_clip(tmp_path / "waves.mkv", Clip(frames=3))
    return tmp_path


def test_the_example_of_its_repository(folder: Path) -> None:
    text = (
        "width = 1280\nheight = 720\nfps = 30\n; no-background = yes\nbackground-keep-aspect = no\n"
        "no-foreground = yes\nwebcam-path = /dev/video3\nthreshold = 50\n"
    )
    assert values_of(folder, text) == {
        "background": f"image:{folder / 'background.jpg'},fit=stretch",
        "input": "/dev/video3",
        "width": 1280,
        "height": 720,
        "fps": 30,
    }
    told = told_of(folder, text)
    assert told["threshold"].fate is Fate.DROPPED
    assert told["webcam-path"].fate is Fate.BETTER
    assert told["no-foreground"].fate is Fate.SAME


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("no-background\n", {"background": "blur:11"}),
        ("no-background: yes\nbackground-blur = 61\n", {"background": "blur:32"}),
        ("no-background = true\nwidth = 640\nbackground-blur 61", {"background": "blur:64", "width": 640}),
        ("no-background = on\nbackground-blur = 999", {"background": "blur:100"}),
        ("background-image = podium.png\ntile-background", {"background": "image:{}/podium.png,fit=tile"}),
        ("background-image=podium.png\nbackground-keep-aspect", {"background": "image:{}/podium.png,fit=cover"}),
        ("background-image = waves.mkv", {"background": "video:{}/waves.mkv,fit=stretch"}),
        ('background-image = "beach, at noon.png"', {"background": "image:{}/beach, at noon.png,fit=stretch"}),
        ("background-image = gone.jpg", {}),
        ("background-image = waves.avi", {}),
        ("no-background\nhologram", {"background": "blur:11", "person_hologram": 1.0}),
        ("no-background\ncmap-person = viridis\ncmap-bg = winter", {
            "background": "blur:11", "person_colormap": "viridis", "background_colormap": "ocean"
        }),
        ("no-background\ncmap-person = nonesuch\ncmap-bg = none", {"background": "blur:11"}),
        ("no-background\nbackground-mask-update-speed = 30", {"background": "blur:11", "smoothing": 0.7}),
        ("no-background\nforeground-image = podium.png\nforeground-mask-image = mask.png", {
            "background": "blur:11", "layers": ["image:{}/podium.png,width=1,mask={}/mask.png"]
        }),
        ("no-background\nno-foreground\nforeground-image = podium.png", {"background": "blur:11"}),
        ("background = no,blur=50", {"background": "blur:29"}),
        ("background = no\nselfie=blur=30", {"background": "blur:11", "person_blur": 7.0}),
        ("--background = file=beach, at noon.png,crop,brightness=150,cmap=plasma,hologram", {
            "background": "image:{}/beach, at noon.png,fit=cover", "background_brightness": 1.5,
            "background_colormap": "plasma", "background_hologram": 1.0,
        }),
        ("background = solid=10, 20,30", {"background": "color", "color": "30,20,10"}),
        ("background = no,mask-update-speed=100\nselfie = hologram,opacity=40,brightness=0", {
            "background": "blur:11", "smoothing": 0.0, "person_hologram": 1.0, "person_opacity": 0.4,
            "person_brightness": 0.0,
        }),
        ("background = no\nmask = foreground=podium.png,mask-file=mask.png,opacity=80", {
            "background": "blur:11", "layers": ["image:{}/podium.png,width=1,mask={}/mask.png,opacity=0.8"]
        }),
        ("background = no\nmask = no,file=podium.png", {"background": "blur:11"}),
    ],
)  # fmt: skip
def test_what_options_become(folder: Path, text: str, wanted: dict[str, object]) -> None:
    def placed(value: object) -> object:
        if isinstance(value, list):
            return [placed(each) for each in value]
        return value.replace("{}", str(folder)) if isinstance(value, str) else value

    assert values_of(folder, text) == {key: placed(value) for key, value in wanted.items()}


@pytest.mark.parametrize("person", ["selfie = blur=20", "mask = no", "selfie=blur=9\nmask = no"])
def test_a_picture_of_the_old_way_stays_beside_filters_of_the_new(folder: Path, person: str) -> None:
    text = f"background-image = podium.png\nbackground-keep-aspect\n{person}\n"
    assert values_of(folder, text)["background"] == f"image:{folder}/podium.png,fit=cover"
    assert told_of(folder, text)["background-image, background-keep-aspect"].fate is Fate.BETTER
    assert values_of(folder, f"no-background\n{person}\n")["background"] == "blur:11"
    assert values_of(folder, f"hologram\ncmap-person = gray\n{person}\n")["person_hologram"] == 1.0


def test_what_goes_before_another_option_is_told(folder: Path) -> None:
    text = "background-image = podium.png\nbackground = solid=1,2,3\nforeground-image = podium.png\nmask = no\n"
    assert values_of(folder, text) == {"background": "color", "color": "3,2,1"}
    told = told_of(folder, text)
    assert (told["background-image"].fate, told["foreground-image"].fate) == (Fate.DROPPED, Fate.DROPPED)
    assert "`background`" in told["background-image"].text
    assert "`mask`" in told["foreground-image"].text


def test_what_it_writes_can_be_shown(folder: Path) -> None:
    path = folder / "config.ini"
    path.write_text("background-image = waves.mkv\ntile-background\nforeground-image = podium.png\nhologram\n")
    out = folder / "vcam.toml"
    assert invoke(path, "--out", out).exit_code == 0
    config = load_config(out)
    scene = make_scene(config)
    assert len(scene.layers) == 1
    assert len(scene.films) == 1
    assert scene.person.hologram == 1.0
    assert Fit.TILE in config.background
    scene.close()


def test_nothing_is_overwritten_unasked(folder: Path) -> None:
    path, out = folder / "config.ini", folder / "vcam.toml"
    path.write_text("no-background\n")
    out.write_text("# mine\n")
    result = invoke(path, "--out", out)
    assert "is there already" in str(result.exception)
    assert out.read_text() == "# mine\n"
    result = invoke(path, "--out", out, "--force")
    assert result.exit_code == 0
    assert "blur:11" in out.read_text()
    assert "written to" in result.stderr
    assert result.stdout == ""


def test_ondemand_is_its_default(folder: Path) -> None:
    for text, wanted in (("no-background", True), ("no-background\nno-ondemand", False)):
        path = folder / "config.ini"
        path.write_text(text)
        assert tomllib.loads(invoke(path).stdout)["on_demand"] is wanted


def test_paths_are_looked_for_in_its_folder_of_images(folder: Path) -> None:
    (folder / "pictures").mkdir()
    (folder / "podium.png").rename(folder / "pictures" / "podium.png")
    text = "image-folder = pictures\nbackground-image = podium.png"
    assert values_of(folder, text) == {"background": f"image:{folder}/pictures/podium.png,fit=stretch"}


@pytest.mark.parametrize("option", sorted(KNOWN))
def test_of_every_option_something_is_told(folder: Path, option: str) -> None:
    values = {"selfie": "blur=3", "background": "no", "mask": "file=podium.png", "threshold": "50", "codec": "MJPG"}
    values |= {"background-image": "podium.png", "foreground-image": "podium.png", "webcam-path": "/dev/video0"}
    values |= {"v4l2loopback-path": "/dev/video2", "cmap-person": "jet", "cmap-bg": "jet", "cmapy-bg": "jet"}
    numbers = {
        "width",
        "height",
        "fps",
        "background-blur",
        "background-blur-sigma-frac",
        "background-mask-update-speed",
    }
    value = "64" if option in numbers else values.get(option, "yes")
    told = told_of(folder, f"{option} = {value}\n")
    named = {part.split()[0] for each in told for part in each.split(", ")}
    assert option in named
    assert all(each.text for each in told.values())


def test_what_is_not_known_is_told_too(folder: Path) -> None:
    told = told_of(folder, "no-background\nfrobnicate = 3\n")
    assert told["frobnicate"].fate is Fate.DROPPED


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "no option of lfbw"),
        (b"[section]\n; nothing\n", "no option of lfbw"),
        (b"key = value\n", "no option of lfbw"),
        (b"width = 640\n=== what\n", "line 2"),
        (b"width = wide\n", "width = wide is no number"),
        (b"width = inf\n", "width = inf is no number"),
        (b"width = 3\n", "width"),
        (b"no-background = perhaps\n", "neither yes nor no"),
        (b"background = no,frob=3\n", "'frob=3' is no effect"),
        (b"background = solid=1,2\n", "solid=1,2 is no colour"),
        (b"background = blur=much\n", "blur=much is no number"),
        (b"\xff\xfe\x00width", "cannot be read"),
    ],
)
def test_a_bad_file_is_one_clear_error(tmp_path: Path, data: bytes, problem: str) -> None:
    path = tmp_path / "config.ini"
    path.write_bytes(data)
    result = invoke(path)
    assert result.exit_code != 0
    assert problem in str(result.exception)
    assert getattr(result.exception, "hint", "")
    assert result.stdout == ""


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "cannot be read" in str(invoke(tmp_path / "gone.ini").exception)
    assert "cannot be read" in str(invoke(tmp_path).exception)
