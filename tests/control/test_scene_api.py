"""The scene and its named copies: what is changed, what stays, what is refused."""

import tomllib
from pathlib import Path

import pytest

from tests.control.rig import API, Control, picture
from vcam.config import Config
from vcam.control.scenes import SceneChange
from vcam.scene.backdrops import PictureBackdrop
from vcam.scene_settings import SceneSettings
from vcam.stages import MatteControls


@pytest.fixture
def control(tmp_path: Path) -> Control:
    return Control(tmp_path)


def test_the_scene_is_told_as_the_settings_have_it(tmp_path: Path) -> None:
    control = Control(tmp_path, config=Config(background="blur:40", despill=0.5))
    control.desk.change_scene({"background": "blur:41"})
    usual = SceneSettings().model_dump(mode="json")
    told = {"background": "blur:41", "despill": 0.5, "blur": 41.0, "room_is_shown": False, "profile": None}
    assert control.scene() == {**usual, **told}


def test_only_what_is_named_changes(control: Control) -> None:
    status, told = control.ask("PATCH", "/scene", {"smoothing": 0.25, "refine": 1})
    assert (status, told["smoothing"], told["refine"], told["background"]) == (200, 0.25, 1.0, "green")
    assert control.pipeline.scene.matte == MatteControls(smoothing=0.25, refine=1.0)


def test_controls_of_the_matte_leave_the_backdrop_alone(control: Control) -> None:
    before = control.pipeline.scene.backdrop
    control.ask("PATCH", "/scene", {"smoothing": 0.25})
    assert control.pipeline.scene.backdrop is before


@pytest.mark.parametrize(
    ("asked", "background", "blur"),
    [
        ({"blur": 33}, "blur:33", 33.0),
        ({"background": "blur:7.5"}, "blur:7.5", 7.5),
        ({"background": "green", "blur": 12.345678}, "blur:12.3457", 12.3457),
        ({"background": "color:#102030"}, "color:#102030", None),
        ({"background": "color", "color": "1,2,3"}, "color", None),
        ({"background": "none"}, "none", None),
    ],
)
def test_backgrounds(control: Control, asked: dict[str, object], background: str, blur: float | None) -> None:
    status, told = control.ask("PATCH", "/scene", asked)
    assert (status, told["background"], told["blur"]) == (200, background, blur)
    assert control.pipeline.scene.show_room is (background == "none")
    assert told["room_is_shown"] is (background == "none")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"background": "gren"}, "background 'gren' is unknown"),
        ({"background": ""}, "background"),
        ({"background": "a" * 1001}, "background"),
        ({"background": "blur:0"}, "'0' is no strength"),
        ({"background": "blur:101"}, "'101' is no strength"),
        ({"background": "color:256,0,0"}, "'256,0,0' is not a colour"),
        ({"background": "image:a.jpg,fit=wide"}, "'wide' is no fit"),
        ({"background": "image:"}, "background image: names no file"),
        ({"layers": ["text:Ada,Analyst,x=2"]}, "layer 'text:Ada,Analyst,x=2': x=2 is no share"),
        ({"layers": ["image:a.png,font=a.ttf"]}, "layer 'image:a.png,font=a.ttf': 'font=a.ttf' is no option"),
        ({"layers": ["text:"]}, "layer 'text:' says nothing"),
        ({"layers": ["slides:a"]}, "layer 'slides:a' is unknown"),
        ({"layers": "text:Ada,image:/etc/passwd"}, "layers"),
        ({"layers": ["text:Ada"] * 13}, "layers"),
        ({"background": 3}, "background"),
        ({"color": "red"}, "'red' is not a colour"),
        ({"blur": 0.5}, "blur"),
        ({"smoothing": -0.1}, "smoothing"),
        ({"despill": 1.1}, "despill"),
        ({"refine": "much"}, "refine"),
        ({"refine": "0.5"}, "refine"),
        ({"refine": True}, "refine"),
        ({"refine": None}, "refine"),
        ({"fps": 30}, "fps"),
        ([], "the body"),
        ("green", "the body"),
    ],
)
def test_what_is_wrong_is_refused_and_changes_nothing(control: Control, asked: object, told: str) -> None:
    before, scene = control.scene(), control.pipeline.scene
    status, problem = control.ask("PATCH", "/scene", asked)
    assert status == 422
    assert str(problem["problem"]).startswith(told)
    assert control.scene() == before
    assert control.pipeline.scene is scene


@pytest.mark.parametrize("text", ["", "{", '{"blur": NaN}', '{"blur": Infinity}', "[" * 50_000, "\x00", "nul"])
def test_what_is_no_json_is_refused(control: Control, text: str) -> None:
    headers = {"content-type": "application/json"}
    answer = control.client.patch(f"{API}/scene", content=text.encode(), headers=headers)
    assert answer.status_code == 422
    assert set(answer.json()) == {"problem", "hint"}


def test_a_body_of_another_kind_is_refused(control: Control) -> None:
    answer = control.client.patch(f"{API}/scene", content=b"blur=3", headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    assert "application/json" in answer.json()["hint"]


def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(control: Control) -> None:
    headers = {"content-type": "application/json"}
    large = b'{"background": "' + b"a" * 70_000 + b'"}'
    assert control.client.patch(f"{API}/scene", content=large, headers=headers).status_code == 413
    pieces = (large[at : at + 1000] for at in range(0, len(large), 1000))
    assert control.client.patch(f"{API}/scene", content=pieces, headers=headers).status_code == 413


def test_an_uploaded_picture_is_shown_by_its_name(control: Control) -> None:
    _, uploaded = control.upload(picture())
    status, told = control.ask("PATCH", "/scene", {"background": f"image:{uploaded['name']},fit=contain"})
    assert (status, told["background"]) == (200, f"image:{uploaded['name']},fit=contain")
    assert control.desk.config.background == f"image:{control.media / str(uploaded['name'])},fit=contain"
    assert isinstance(control.pipeline.scene.backdrop, PictureBackdrop)


def test_layers_are_name_plates_and_uploads(control: Control) -> None:
    _, podium = control.upload(picture("PNG", color=(9, 9, 9)), "podium.png")
    _, mask = control.upload(picture("PNG", color=(99, 99, 99)), "mask.png")
    layers = [
        "text:Ada Lovelace,Analyst,x=0.1,anchor=top-left",
        f"image:{podium['name']},width=0.5,opacity=0.5,anchor=bottom,mask={mask['name']}",
    ]
    status, told = control.ask("PATCH", "/scene", {"layers": layers})
    assert (status, told["layers"]) == (200, layers)
    assert control.desk.config.layers[1].startswith(f"image:{control.media / str(podium['name'])},width=0.5")
    assert len(control.pipeline.scene.layers) == 2
    assert control.ask("DELETE", f"/backgrounds/{mask['name']}")[0] == 409, "it is shown"
    assert control.ask("PATCH", "/scene", {"layers": ["image:nothing.png"]})[0] == 404
    assert control.ask("PUT", "/profiles/talk", {})[0] == 201
    assert str(control.media) not in (control.profiles / "talk.toml").read_text()
    control.ask("PATCH", "/scene", {"layers": []})
    assert control.ask("POST", "/profiles/talk/apply")[1]["layers"] == layers


def test_the_paths_of_an_operators_layers_are_not_told_and_can_stay(tmp_path: Path) -> None:
    path = tmp_path / "secret" / "podium.png"
    path.parent.mkdir()
    path.write_bytes(picture())
    own = (f"image:{path},x=0.5,mask={path}", "text:Ada")
    control = Control(tmp_path, config=Config(layers=own))
    told = control.scene()["layers"]
    assert told == ["image:podium.png,x=0.5,mask=podium.png", "text:Ada"]
    assert isinstance(told, list)
    assert control.ask("PATCH", "/scene", {"layers": [*told, "text:Grace"]})[0] == 200
    assert control.desk.config.layers == (*own, "text:Grace")


def test_every_setting_that_could_name_a_file_has_forms_of_its_own_here() -> None:
    """What a stranger asks for must not become a path: a new text in the settings needs a grammar in SceneChange."""
    document = SceneChange.model_json_schema()["properties"]
    for key, told in document.items():
        texts = [told, told.get("items", {})]
        free = [each for each in texts if each.get("type") == "string" and not {"format", "enum"} & set(each)]
        assert not free, key
    assert {key for key, told in document.items() if "format" in str(told)} == {"background", "color", "layers"}


def test_a_picture_that_is_not_here_is_not_found(control: Control) -> None:
    assert control.ask("PATCH", "/scene", {"background": "image:nothing.jpg"})[0] == 404


def test_the_path_of_an_operators_picture_is_not_told_and_can_stay(tmp_path: Path) -> None:
    path = tmp_path / "secret-folder" / "beach.png"
    path.parent.mkdir()
    path.write_bytes(picture())
    control = Control(tmp_path, config=Config(background=f"image:{path}"))
    assert control.scene()["background"] == "image:beach.png"
    assert "secret-folder" not in str(control.ask("GET", "/state")[1])
    assert control.ask("PATCH", "/scene", {"background": "image:other.png"})[0] == 404
    assert control.ask("PATCH", "/scene", {"background": "image:beach.png"})[0] == 200, "it is there already"
    assert control.ask("PATCH", "/scene", {"smoothing": 1})[0] == 200
    assert control.desk.config.background == f"image:{path}"


def test_a_profile_is_saved_applied_changed_and_deleted(control: Control) -> None:
    assert control.ask("PUT", "/profiles/work", {"blur": 20, "refine": 0.5})[0] == 201
    assert control.scene()["background"] == "green", "saving changes nothing"
    status, told = control.ask("POST", "/profiles/work/apply")
    assert (status, told["background"], told["refine"], told["profile"]) == (200, "blur:20", 0.5, "work")
    assert control.pipeline.scene.blur == 20.0
    control.ask("PATCH", "/scene", {"refine": 0.5})
    assert control.scene()["profile"] == "work", "nothing was changed"
    control.ask("PATCH", "/scene", {"refine": 0.6})
    assert control.scene()["profile"] is None
    assert control.ask("PUT", "/profiles/work", {})[0] == 200
    usual = SceneSettings().model_dump(mode="json")
    assert control.ask("GET", "/profiles/work")[1]["scene"] == {**usual, "background": "blur:20", "refine": 0.6}
    assert control.ask("DELETE", "/profiles/work") == (204, {})
    assert control.ask("GET", "/profiles/work")[0] == 404
    assert control.ask("GET", "/profiles") == (200, {"profiles": []})


def test_a_profile_of_an_uploaded_picture_holds_its_name_and_no_path(control: Control) -> None:
    _, uploaded = control.upload(picture())
    background = f"image:{uploaded['name']}"
    assert control.ask("PUT", "/profiles/beach", {"background": background})[0] == 201
    assert tomllib.loads((control.profiles / "beach.toml").read_text())["background"] == background
    assert control.ask("POST", "/profiles/beach/apply")[1]["background"] == background
    control.ask("PATCH", "/scene", {"background": "green"})
    control.ask("DELETE", f"/backgrounds/{uploaded['name']}")
    assert control.ask("POST", "/profiles/beach/apply")[0] == 422, "its picture is gone"
    assert control.scene()["background"] == "green"


def test_profiles_are_files_that_people_write(control: Control, tmp_path: Path) -> None:
    (tmp_path / "own.png").write_bytes(picture())
    control.profiles.mkdir()
    (control.profiles / "Own_1.toml").write_text(f'background = "image:{tmp_path / "own.png"}"\n')
    (control.profiles / "broken.toml").write_text("background = \n")
    (control.profiles / "wrong.toml").write_text("blurr = 3\nrefine = 7\n")
    (control.profiles / "not a name!.toml").write_text("")
    (control.profiles / "notes.txt").write_text("")
    profiles = control.ask("GET", "/profiles")[1]["profiles"]
    assert isinstance(profiles, list)
    assert [(each["name"], each["scene"] is None) for each in profiles] == [
        ("Own_1", False),
        ("broken", True),
        ("wrong", True),
    ]
    assert profiles[0]["scene"]["background"] == "image:own.png"
    assert "blurr" in profiles[2]["problem"]
    assert control.ask("POST", "/profiles/Own_1/apply")[0] == 200
    assert isinstance(control.pipeline.scene.backdrop, PictureBackdrop)
    assert control.ask("POST", "/profiles/broken/apply")[0] == 422
    assert control.ask("POST", "/profiles/wrong/apply")[0] == 422


@pytest.mark.parametrize("name", ["..", "a b", "-x", "x" * 41, "a.toml", "%2e%2e", "a%00", "..%2fvcam"])
def test_a_name_is_never_a_path(control: Control, name: str, tmp_path: Path) -> None:
    (tmp_path / "vcam.toml").write_text("")
    before = sorted(tmp_path.rglob("*"))
    answer = control.client.put(f"{API}/profiles/{name}", json={})
    assert answer.status_code in (404, 405, 422)
    assert control.client.delete(f"{API}/profiles/{name}").status_code in (404, 405)
    assert [path for path in sorted(tmp_path.rglob("*")) if path not in before] == []
    assert (tmp_path / "vcam.toml").exists()


def test_a_folder_that_cannot_be_written_is_told(control: Control) -> None:
    control.profiles.write_text("a file where the folder should be")
    status, told = control.ask("PUT", "/profiles/work", {})
    assert status == 409
    assert "profiles_dir" in str(told["hint"])


def test_there_is_an_end_to_profiles(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vcam.control.profiles.MOST_PROFILES", 2)
    assert [control.ask("PUT", f"/profiles/p{k}", {})[0] for k in range(3)] == [201, 201, 409]
    assert control.ask("PUT", "/profiles/p1", {})[0] == 200
