"""``vcam ctl`` against a real API on a real socket: what is done, what is told, what is wrong."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image as Pillow
from typer.testing import CliRunner, Result

from tests.control.rig import AFAR, HERE, SECRET, Control, picture, pixels
from tests.pipeline.rig import Rig
from tests.pipeline.test_tap import LearningRig
from tests.support.clip import Clip, write_clip
from vcam.cli.app import make_app
from vcam.cli.ctl_status import status_text
from vcam.config import Config
from vcam.control.client import Call, Client
from vcam.control.guard import Guard
from vcam.errors import ConfigError, ControlError
from vcam.service.http import Address, HttpServer, SocketFile

SHORT = Path("s")
"""Relative, as the paths of sockets have a limit."""


@dataclass
class Served:
    """A vcam whose frames flow, and how to ask it."""

    rig: LearningRig
    control: Control

    def __call__(self, *arguments: str, place: tuple[str, ...] = ("--socket", str(SHORT))) -> Result:
        result = CliRunner().invoke(make_app(), ["ctl", arguments[0], *place, *arguments[1:]])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def ok(self, *arguments: str) -> str:
        """What it says."""
        result = self(*arguments)
        assert result.exit_code == 0, result.output
        return result.output


@pytest.fixture
def ctl(tmp_path: Path) -> Iterator[Served]:
    rig = LearningRig()
    with rig.running() as pipeline:
        control = Control(tmp_path, pipeline)
        with HttpServer(control.app.asgi, SocketFile(SHORT)):
            rig.wait_live(1)
            yield Served(rig, control)


def test_status_for_people_and_for_machines(ctl: Served) -> None:
    text = ctl.ok("status")
    assert "state    live, " in text
    assert "camera   fake, open" in text
    assert "a test" in text
    assert "scene    green" in text
    assert "latency  " in text
    assert json.loads(ctl.ok("status", "--json"))["state"] == "live"


def test_status_tells_what_is_out_of_the_ordinary(ctl: Served) -> None:
    ctl.ok("pause")
    told = json.loads(ctl.ok("status", "--json"))
    told["plan"]["share"] = 0.43
    told["engine"] = None
    told["scene"] |= {
        "refine": 0.5,
        "profile": "work",
        "background": "color",
        "mirror": True,
        "layers": ["text:A", "text:B"],
    }
    told["refused"] = {"problem": "no such engine", "hint": "choose another"}
    text = status_text(told)
    assert "state    safe (paused)" in text
    assert "refused  no such engine; choose another" in text
    assert "engine   none yet" in text
    assert "plan     43% built" in text
    assert "scene    color (0,255,0), refine 0.5, mirror, layers [text:A; text:B], profile work" in text


@pytest.mark.parametrize("spec", ["blur:40", "green", "color:#102030", "none"])
def test_backgrounds(ctl: Served, spec: str) -> None:
    assert ctl.ok("background", spec) == f"background: {spec}\n"
    assert ctl.control.scene()["background"] == spec


def test_a_picture_of_this_computer_is_handed_over(ctl: Served, tmp_path: Path) -> None:
    (tmp_path / "My Beach.png").write_bytes(picture())
    told = json.loads(ctl.ok("background", "image:My Beach.png,fit=contain", "--json"))
    assert told["background"].startswith("image:my-beach-")
    assert told["background"].endswith(".jpg,fit=contain")
    name = told["background"].removeprefix("image:").partition(",")[0]
    ctl.ok("background", "green")
    assert ctl.ok("background", f"image:{name}") == f"background: image:{name}\n", "by its name there"


def test_colours(ctl: Served) -> None:
    assert ctl.ok("color", "1, 2, 3") == "background: color (1,2,3)\n"
    with pytest.raises(ControlError, match="'red' is not a colour") as caught:
        ctl("color", "red")
    assert "R,G,B" in caught.value.hint


def test_any_setting_of_the_scene_can_be_set_and_taken_back(ctl: Served, tmp_path: Path) -> None:
    assert ctl.ok("effect") == "no effect is on\n"
    assert ctl.ok("set", "refine=0.5", "smoothing=1") == "refine: 0.5; smoothing: 1.0\n"
    assert ctl.ok("effect", "despill=0.25") == "despill: 0.25\n"
    assert ctl.ok("effect").splitlines() == ["smoothing = 1.0", "despill = 0.25", "refine = 0.5"]
    assert ctl.ok("effect", "reset", "smoothing") == "reset: smoothing\n"
    (tmp_path / "podium.png").write_bytes(picture())
    told = json.loads(ctl.ok("set", "background=color:#102030", "layers=text:Ada,image:podium.png,x=0.5", "--json"))
    assert (told["background"], told["smoothing"], told["refine"]) == ("color:#102030", 0.0, 0.5)
    assert told["layers"][0] == "text:Ada"
    assert told["layers"][1].startswith("image:podium-")
    ctl.ok("effect", "reset")
    assert ctl.ok("effect") == "no effect is on\n"
    assert ctl.control.scene()["background"] == "color:#102030", "what is shown is no effect"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("set", "refin=1"), "no setting refin"),
        (("set", "fps=60"), "no setting fps"),
        (("set", "refine=7"), "refine: must be less than or equal to 1"),
        (("set", "refine"), "sets nothing"),
        (("effect", "reset", "everything"), "no setting everything"),
    ],
)
def test_what_cannot_be_set_is_told(ctl: Served, words: tuple[str, ...], told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        ctl(*words)
    assert caught.value.hint


def test_profiles(ctl: Served) -> None:
    assert ctl.ok("profile") == "no profile is saved\n"
    ctl.ok("background", "blur:12")
    assert ctl.ok("profile", "work", "--save") == "saved: work\n"
    ctl.ok("background", "green")
    assert ctl.ok("profile", "work") == "profile: work; background: blur:12\n"
    (ctl.control.profiles / "broken.toml").write_text("=")
    lines = ctl.ok("profile").splitlines()
    assert lines[0].startswith("broken: profile broken cannot be read")
    assert lines[1] == "work: blur:12"
    assert ctl.ok("profile", "work", "--delete") == "deleted: work\n"
    with pytest.raises(ControlError, match="there is no profile 'work'"):
        ctl("profile", "work")
    with pytest.raises(ConfigError, match="which profile"):
        ctl("profile", "--save")
    with pytest.raises(ControlError):
        ctl("profile", "../x", "--save")


def test_pause_resume_reload_and_learn(ctl: Served) -> None:
    assert ctl.ok("pause") == "pause: done; viewers see: safe (paused)\n"
    assert json.loads(ctl.ok("status", "--json"))["paused"] is True
    assert ctl.ok("resume").startswith("resume: done; viewers see: ")
    assert json.loads(ctl.ok("status", "--json"))["paused"] is False
    ctl.ok("background", "blur")
    ctl.ok("reload")
    assert ctl.control.scene()["background"] == "green"
    assert ctl.ok("learn-plate").startswith("learn-plate: done")


def test_a_reload_says_what_it_did_not_do(ctl: Served) -> None:
    assert ctl.ok("reload").startswith("reload: done; viewers see: ")
    ctl.control.settings = Config(background="blur", fps=60, http_port=9999)
    assert ctl.ok("reload").startswith("reload: done; restart needed for: fps, http_port; viewers see: ")
    assert "restart  needed for: fps, http_port" in ctl.ok("status")


def test_what_the_engine_cannot_is_told(tmp_path: Path) -> None:
    rig = Rig()
    with rig.running() as pipeline, HttpServer(Control(tmp_path, pipeline).app.asgi, SocketFile(SHORT)):
        rig.wait_live(1)
        with pytest.raises(ControlError, match="learns no room") as caught:
            CliRunner().invoke(make_app(), ["ctl", "learn-plate", "--socket", str(SHORT)], catch_exceptions=False)
    assert caught.value.exit_code == 9


def test_snapshots(ctl: Served, tmp_path: Path) -> None:
    assert ctl.ok("snapshot", "now.jpg").startswith("now.jpg: ")
    assert pixels((tmp_path / "now.jpg").read_bytes()).ndim == 3
    ctl.ok("snapshot", "matte.jpg", "--matte")
    assert pixels((tmp_path / "matte.jpg").read_bytes()).ndim == 2
    for name, kind in (("now.png", "PNG"), ("now.WEBP", "WEBP"), ("now.jpeg", "JPEG"), ("now", "JPEG")):
        ctl.ok("snapshot", name)
        with Pillow.open(tmp_path / name) as picture:
            assert picture.format == kind, name
    with pytest.raises(ConfigError, match=r"now\.gif"):
        ctl("snapshot", "now.gif")
    assert not (tmp_path / "now.gif").exists()
    assert ctl("snapshot", "-").stdout_bytes.startswith(b"\xff\xd8")
    with pytest.raises(ConfigError, match="cannot write nowhere"):
        ctl("snapshot", "nowhere/now.jpg")


@pytest.mark.parametrize(
    ("words", "problem", "hint"),
    [
        (("background", "gren"), "background 'gren' is unknown; did you mean 'green'?", "blur:1..100"),
        (("background", "blur:0"), "'0' is no strength of blur", "1 to 100"),
        (("background", "image:"), "background image: names no file", "image:PATH"),
        (("background", "video:x.mp4"), "there is no background 'x.mp4', and no file of that name here", "name a file"),
        (("background", "slides:."), "there are no slides '.'", "vcam.toml"),
        (("set", "layers=text:A,z=1"), "'z=1' is no option of text", "opacity="),
        (("set", "layers=image:x.png"), "there is no background 'x.png', and no file of that name here", "name a file"),
        (("set", "color=red"), "'red' is not a colour", "0 to 255"),
        (("profile", "nope"), "there is no profile 'nope'", "vcam ctl profile lists them"),
        (("profile", "nope", "--delete"), "there is no profile 'nope'", "vcam ctl profile lists them"),
    ],
)
def test_what_is_refused_is_told_in_the_words_of_a_shell(
    ctl: Served, words: tuple[str, ...], problem: str, hint: str
) -> None:
    with pytest.raises((ControlError, ConfigError)) as caught:
        ctl(*words)
    assert problem in caught.value.problem
    assert hint in caught.value.hint
    assert "/api/" not in caught.value.hint
    assert ctl.control.scene()["background"] == "green"


def test_what_comes_to_nothing_is_told_in_the_words_of_a_shell(ctl: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vcam.control.preview.WAIT_S", 0.1)
    ctl.ok("pause")
    with pytest.raises(ControlError, match="no matte was made") as caught:
        ctl("snapshot", "now.jpg", "--matte")
    assert caught.value.hint.startswith("vcam ctl status says why")


def test_what_is_no_picture_is_told(ctl: Served, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("dear all")
    with pytest.raises(ControlError) as caught:
        ctl("background", "image:notes.txt")
    assert ctl.control.scene()["background"] == "green"
    assert "notes.txt is not a picture of a known kind" in caught.value.problem


def test_a_layer_is_written_as_in_the_settings(ctl: Served, tmp_path: Path) -> None:
    (tmp_path / "alpha.png").write_bytes(picture())
    write_clip(tmp_path / "in.mp4", Clip(codec="mpeg4", frames=3))
    told = json.loads(ctl.ok("set", "layers=image:alpha.png,width=0.4,x=0.1,video:in.mp4,text:A,y=1,x=0.5", "--json"))
    assert re.sub("-[0-9a-f]{8}", "", " ".join(told["layers"])) == (
        "image:alpha.jpg,width=0.4,x=0.1 video:in.mp4 text:A,y=1,x=0.5"
    )
    assert ctl.ok("background", "image:alpha.png,anchor=top,fit=contain").endswith(".jpg,anchor=top,fit=contain\n")


def test_the_vcam_of_the_settings_is_asked(ctl: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VCAM_CONTROL_SOCKET", str(SHORT))
    assert "state " in ctl("status", place=()).output
    monkeypatch.delenv("VCAM_CONTROL_SOCKET")
    (tmp_path / "vcam.toml").write_text(f'control_socket = "{SHORT}"\n')
    assert "state " in ctl("status", place=()).output
    monkeypatch.chdir("/")
    assert "state " in ctl("status", place=("--socket", str(tmp_path / SHORT))).output


def test_the_default_socket_is_found(ctl: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vcam.places._SYSTEM_RUN", tmp_path / "none")
    monkeypatch.setattr("vcam.places._SYSTEM_STATE", tmp_path / "none")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("VCAM_CONTROL_PORT", "0")
    with pytest.raises(ControlError, match="no vcam runs here"):
        ctl("status", place=())
    with HttpServer(ctl.control.app.asgi, SocketFile(tmp_path / "vcam" / "control.sock")):
        assert "state " in ctl("status", place=()).output


def test_the_port_is_asked_where_there_is_no_socket(ctl: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VCAM_CONTROL_SOCKET", "none")
    with HttpServer(ctl.control.app.asgi, Address("127.0.0.1", 0)) as server:
        monkeypatch.setenv("VCAM_CONTROL_PORT", str(server.port))
        assert "state " in ctl("status", place=()).output
        monkeypatch.setenv("VCAM_CONTROL_HOST", "0.0.0.0")
        assert "state " in ctl("status", place=()).output


def test_a_token_goes_with_what_is_asked(tmp_path: Path) -> None:
    control = Control(tmp_path, token=SECRET)
    (tmp_path / "token").write_text(f"{SECRET}\n")
    (tmp_path / "wrong").write_text("wrong")
    with HttpServer(control.app.asgi, Address("127.0.0.1", 0)) as server:
        url = ["--url", f"http://127.0.0.1:{server.port}"]

        def ask(*more: str) -> Result:
            return CliRunner().invoke(make_app(), ["ctl", "status", *url, *more], catch_exceptions=False)

        assert ask("--token-file", "token").exit_code == 0
        with pytest.raises(ControlError, match="token is missing or wrong"):
            ask("--token-file", "wrong")
        with pytest.raises(ConfigError, match="token file nothing cannot be read"):
            ask("--token-file", "nothing")
    assert control.client_at(AFAR).get("/api/v1/scene").status_code == 401
    assert isinstance(control.app.asgi, Guard)
    assert control.client_at(HERE).get("/api/v1/scene").status_code == 200


@pytest.mark.parametrize("url", ["vcam", "ftp://x", "http://", "http://x:port", "http://[::1", "http://x/api"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(ConfigError, match="is no address of a vcam"):
        CliRunner().invoke(make_app(), ["ctl", "status", "--url", url], catch_exceptions=False)


def test_where_nothing_runs_the_remedy_is_told(tmp_path: Path) -> None:
    run = [sys.executable, "-m", "vcam", "ctl", "status", "--socket", str(tmp_path / "none.sock")]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 9
    assert done.stderr.startswith("error: no vcam runs here that can be reached")
    assert "hint: start it: vcam run" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}"])
def test_what_is_no_vcam_is_told(body: bytes) -> None:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def other(_: Request) -> Response:
        return Response(body, 404)

    app = Starlette(routes=[Route("/api/v1/state", other)])
    with HttpServer(app, Address("127.0.0.1", 0)) as server, pytest.raises(ControlError, match="which is no vcam's"):
        Client([f"http://127.0.0.1:{server.port}"]).json(Call("GET", "/state"))


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from vcam.cli.app import make_app; make_app();"
        "print([name for name in ('pydantic', 'numpy', 'starlette', 'http.client') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "[]\n"
