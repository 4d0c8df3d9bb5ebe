"""Precedence, unknown keys, bad values, and the shipped file that says what the defaults are."""

import re
import string
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from vcam.config import (
    RELOADABLE,
    Config,
    Pace,
    Quality,
    Reload,
    changed,
    find_config_file,
    load_config,
)
from vcam.engine_names import EngineName
from vcam.errors import ConfigError
from vcam.frame import Size
from vcam.places import control_sockets, media_folder, models_folder, profiles_folder

SHIPPED = Path(__file__).parent.parent / "vcam.toml"
NOT_SET = {"models_dir", "width", "height", "fps"}
"""Keys whose default depends on the machine or on the input, so that the file only shows them."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


def refused(
    file: Path | None = None, environ: dict[str, str] | None = None, overrides: dict[str, object] | None = None
) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_config(file, environ or {}, overrides or {})
    return caught.value


def test_the_shipped_file_equals_the_defaults() -> None:
    assert load_config(SHIPPED) == Config()


def test_the_shipped_file_names_every_key_once() -> None:
    lines = SHIPPED.read_text().splitlines()
    named = [match[1] for line in lines if (match := re.match(r"(?:# )?([a-z0-9_]+) = ", line))]
    assert sorted(named) == sorted(Config.model_fields)
    assert set(Config.model_fields) - set(tomllib.loads(SHIPPED.read_text())) == {
        key for key, value in Config() if value is None or key in NOT_SET
    }


def test_the_shipped_file_leaves_the_size_to_the_input() -> None:
    assert not load_config(SHIPPED).model_fields_set & {"width", "height", "fps"}


def test_what_is_set_can_be_told_from_defaults() -> None:
    assert load_config(None, {"VCAM_FPS": "30"}).model_fields_set >= {"fps"}


def test_the_examples_in_comments_of_the_shipped_file_are_valid(file: Path) -> None:
    file.write_text(re.sub(r"(?m)^# ([a-z0-9_]+ = )", r"\1", SHIPPED.read_text()))
    assert load_config(file).downsample == 0.25


def test_each_layer_goes_before_the_one_below(file: Path) -> None:
    file.write_text("width = 640\nheight = 480\nfps = 15\n")
    config = load_config(file, {"VCAM_HEIGHT": "360", "VCAM_FPS": "20"}, {"fps": 25})
    assert (config.width, config.height, config.fps) == (640, 360, 25)
    assert config.quality is Quality.BALANCED


def test_the_environment_is_only_what_was_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VCAM_FPS", "7")
    monkeypatch.setenv("FPS", "8")
    assert load_config(None).fps == Config().fps == 30


@pytest.mark.parametrize(
    ("environ", "key", "value"),
    [
        ({"VCAM_FP16": "false"}, "fp16", False),
        ({"VCAM_ENGINE": "plate"}, "engine", EngineName.PLATE),
        ({"VCAM_PACE": "every-frame"}, "pace", Pace.EVERY_FRAME),
        ({"VCAM_DOWNSAMPLE": "0.4"}, "downsample", 0.4),
        ({"VCAM_OUTPUT": "/dev/video10, file:out.mp4"}, "output", ("/dev/video10", "file:out.mp4")),
        ({"VCAM_OUTPUT": "file:a,b.mp4"}, "output", ("file:a,b.mp4",)),
        (
            {"VCAM_OUTPUT": "/dev/video10,size=640x480,format=NV12,null:"},
            "output",
            ("/dev/video10,size=640x480,format=NV12", "null:"),
        ),
        ({"VCAM_TEST_MODEL": "x"}, "model", None),
        ({"PATH": "/bin"}, "input", "/dev/video0"),
    ],
)
def test_the_environment_speaks_in_text(environ: dict[str, str], key: str, value: object) -> None:
    assert getattr(load_config(None, environ), key) == value


def test_a_home_directory_is_expanded() -> None:
    assert load_config(None, {}, {"models_dir": "~/m"}).models_dir == Path.home() / "m"


@pytest.mark.parametrize(
    ("text", "near"),
    [("heigth = 3", "height"), ("background_ = 'x'", "background"), ("[camera]\nfps = 3", None), ("qqqq = 1", None)],
)
def test_an_unknown_key_in_the_file_names_the_nearest(file: Path, text: str, near: str | None) -> None:
    file.write_text(text)
    error = refused(file)
    assert str(file) in error.problem
    assert error.hint == (f"did you mean {near}?" if near else "vcam.toml of the repository lists all settings")


def test_an_unknown_variable_names_the_nearest() -> None:
    error = refused(environ={"VCAM_HEIGTH": "3"})
    assert error.problem == "there is no setting VCAM_HEIGTH"
    assert error.hint == "did you mean VCAM_HEIGHT?"


def test_an_unknown_override_names_the_nearest_option() -> None:
    assert refused(overrides={"max_latency": 3}).hint == "did you mean --max-latency-ms?"


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"fps": 0}, "--fps: must be greater than or equal to 1, got 0"),
        ({"width": 641}, "--width: must be a multiple of 2, got 641"),
        ({"downsample": 2.0}, "--downsample: must be less than or equal to 1, got 2.0"),
        ({"quality": "best"}, "--quality: must be 'fast', 'balanced', 'high' or 'ultra', got 'best'"),
        ({"http_host": ""}, "--http-host: must have at least 1 character, got ''"),
        ({"downsample": float("nan")}, "--downsample: must be a finite number, got nan"),
    ],
)
def test_a_bad_value_is_told_in_one_line(overrides: dict[str, object], expected: str) -> None:
    assert refused(overrides=overrides).problem == expected


@pytest.mark.parametrize(
    ("assigned", "problem", "hint"),
    [
        ({"person_brightnes": "1"}, "there is no setting person_brightnes", "did you mean person_brightness?"),
        ({"person-brightnes": "1"}, "there is no setting person-brightnes", "did you mean person_brightness?"),
        ({"foo": "1"}, "there is no setting foo", "vcam.toml of the repository lists all settings"),
        ({"fsp": "1"}, "there is no setting fsp", "did you mean fps?"),
        (
            {"person_brightness": "5"},
            "person_brightness: must be less than or equal to 2, got '5'",
            "person_brightness",
        ),
        ({"person-blur": "x"}, "person-blur: must be a valid number, unable", "change person-blur"),
    ],
)
def test_what_was_assigned_is_told_as_it_was_typed(assigned: dict[str, str], problem: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(None, assigned=assigned)
    assert problem in caught.value.problem
    assert hint in caught.value.hint
    assert "--" not in caught.value.problem + caught.value.hint, "there is no such option"


def test_an_option_goes_before_what_is_assigned_and_that_before_the_environment() -> None:
    config = load_config(None, {"VCAM_FPS": "7", "VCAM_WIDTH": "64"}, {"fps": 25}, {"fps": "9", "width": "128"})
    assert (config.fps, config.width) == (25, 128)


def test_short_names_are_not_guessed() -> None:
    for near in (refused(environ={"VCAM_FOO": "1"}), refused(overrides={"foo": 1})):
        assert near.hint == "vcam.toml of the repository lists all settings"


def test_an_empty_variable_is_not_set(file: Path) -> None:
    file.write_text("fps = 15\nlayers = ['text:Ada']\n")
    config = load_config(file, {f"VCAM_{key.upper()}": "" for key in Config.model_fields if key != "layers"})
    assert config == load_config(file)
    assert config.model_fields_set == load_config(file).model_fields_set
    assert load_config(file, {"VCAM_LAYERS": ""}).layers == (), "no layers is something to ask for"
    assert "VCAM_HEIGHT?" in refused(environ={"VCAM_HEIGTH": ""}).hint


def test_a_bad_value_is_told_with_its_place(file: Path) -> None:
    file.write_text("fps = 'many'\nwidth = 3\nheight = 480")
    error = refused(file, {"VCAM_HTTP_PORT": "99999"})
    assert f"fps in {file}: must be a valid integer" in error.problem
    assert f"width in {file}: " in error.problem
    assert "VCAM_HTTP_PORT: must be less than or equal to 65535, got '99999'" in error.problem
    assert "VCAM_HTTP_PORT" in error.hint
    assert "pydantic" not in str(error)
    assert "\n" not in error.problem + error.hint


def test_a_bad_value_below_a_good_one_is_no_error(file: Path) -> None:
    file.write_text("fps = 999")
    assert load_config(file, {}, {"fps": 30}).fps == 30


def test_no_output_at_all_is_refused() -> None:
    assert "--output" in refused(overrides={"output": ()}).problem


def test_broken_toml_is_told_with_its_line(file: Path) -> None:
    file.write_text("fps = 30\ninput = /dev/video0\n")
    error = refused(file)
    assert "line 2" in error.problem
    assert str(file) in error.hint


def test_a_file_that_is_not_text_is_refused(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in refused(file).problem


def test_a_named_file_must_exist_and_goes_before_the_searched(tmp_path: Path) -> None:
    first, second, third = (tmp_path / name for name in "abc")
    second.touch()
    third.touch()
    assert find_config_file(None, (first, second, third)) == second
    assert find_config_file(third, (second,)) == third
    assert find_config_file(None, (first,)) is None
    with pytest.raises(ConfigError, match="no settings file"):
        find_config_file(first, (second,))


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Config().fps = 3


def test_the_models_of_a_checkout_stay_in_it() -> None:
    assert models_folder() == Path(__file__).parent.parent / "models"


def test_an_installed_vcam_keeps_models_in_the_users_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("vcam.places._CHECKOUT_MODELS", tmp_path / "none")
    monkeypatch.setattr("vcam.places._SYSTEM_STATE", tmp_path / "none")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_config(None).models_dir == tmp_path / ".local/share/vcam/models"
    assert load_config(None, {"XDG_DATA_HOME": "/data"}).models_dir == Path("/data/vcam/models")
    monkeypatch.setattr("vcam.places._SYSTEM_STATE", tmp_path)
    assert load_config(None, {"XDG_DATA_HOME": "/data"}).models_dir == tmp_path / "models"


def test_uploads_are_kept_with_the_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("vcam.places._SYSTEM_STATE", tmp_path / "none")
    assert media_folder({"XDG_DATA_HOME": "/data"}) == Path("/data/vcam/media")
    monkeypatch.setattr("vcam.places._SYSTEM_STATE", tmp_path)
    assert media_folder({"XDG_DATA_HOME": "/data"}) == tmp_path / "media"


def test_profiles_stand_beside_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert profiles_folder(Path("/etc/vcam/vcam.toml")) == Path("/etc/vcam/profiles")
    assert profiles_folder(None) == Path("/home/somebody/.config/vcam/profiles")
    assert profiles_folder(None, {"XDG_CONFIG_HOME": "/c"}) == Path("/c/vcam/profiles")


def test_the_socket_is_where_this_user_may_write(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    monkeypatch.setattr("vcam.places._SYSTEM_RUN", tmp_path / "no" / "run")
    monkeypatch.setattr("vcam.places._SYSTEM_STATE", tmp_path / "state")
    state = tmp_path / "state/control.sock"
    assert control_sockets() == [state]
    assert control_sockets({"XDG_RUNTIME_DIR": str(tmp_path)}) == [tmp_path / "vcam/control.sock", state]


@pytest.mark.parametrize(
    ("quality", "frame", "expected"),
    [
        ("fast", Size(1280, 720), Size(256, 144)),
        ("balanced", Size(1920, 1080), Size(384, 216)),
        ("high", Size(3840, 2160), Size(512, 288)),
        ("ultra", Size(1280, 720), Size(960, 540)),
        ("ultra", Size(640, 360), Size(640, 360)),
        ("fast", Size(640, 480), Size(220, 168)),
        ("fast", Size(720, 1280), Size(144, 256)),
    ],
)
def test_quality_sets_the_internal_size(quality: str, frame: Size, expected: Size) -> None:
    assert load_config(None, {}, {"quality": quality}).internal_size(frame) == expected


def test_downsample_goes_before_quality() -> None:
    config = load_config(None, {}, {"quality": "ultra", "downsample": 0.4})
    assert config.internal_size(Size(1280, 720)) == Size(512, 288)
    assert config.internal_size(Size(641, 361)) == Size(256, 144), "floored, as the network does it"


@given(width=st.integers(64, 4096), height=st.integers(64, 4096), quality=st.sampled_from(Quality))
def test_the_internal_size_keeps_shape_and_cost(width: int, height: int, quality: Quality) -> None:
    size = Config(quality=quality).internal_size(Size(width, height))
    assert 32 <= size.width <= width + 2
    assert 32 <= size.height <= height + 2
    if min(size.width, size.height) > 32:
        # Both sides are rounded to 4 pixels.
        assert abs(size.width / size.height * height / width - 1) <= 2.5 / size.width + 2.5 / size.height
        assert size.width * size.height <= 960 * 540 * 1.1


def test_every_key_says_what_a_change_of_it_takes() -> None:
    assert set(RELOADABLE) == set(Config.model_fields)
    assert set(RELOADABLE.values()) == set(Reload)


def test_changed_keys_are_told_with_what_they_take() -> None:
    new = Config(background="green", output=("null:",), engine=EngineName.PLATE)
    assert changed(Config(), new) == {
        "background": Reload.HOT,
        "engine": Reload.RESTART_STAGES,
        "output": Reload.RESTART_PROCESS,
    }
    assert changed(new, new) == {}


@given(
    values=st.fixed_dictionaries(
        {},
        optional={
            "fps": st.integers(1, 240),
            "width": st.integers(16, 4096).map(lambda half: 2 * half),
            "background": st.text(string.ascii_letters + ":/.", min_size=1),
            "fp16": st.booleans(),
            "quality": st.sampled_from([str(quality) for quality in Quality]),
            "idle_after_s": st.floats(0.5, 100.0),
            "http_port": st.integers(0, 65535),
        },
    )
)
def test_text_in_the_environment_means_the_same_as_the_value(values: dict[str, object]) -> None:
    environ = {f"VCAM_{key.upper()}": str(value) for key, value in values.items()}
    assert load_config(None, environ) == load_config(None, {}, values)


def test_the_home_of_nobody_is_no_crash() -> None:
    assert Config(models_dir=Path("~there-is-no-such-user/models")).models_dir.name == "models"
