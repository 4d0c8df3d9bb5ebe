"""What was chosen live is there after a restart, unless the settings say otherwise by now."""

import json
import logging
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.control.rig import picture
from tests.pipeline import room
from tests.pipeline.rig import Rig
from vcam.config import Config
from vcam.control.desk import Desk
from vcam.control.memory import Memory
from vcam.pipeline.snapshot import State
from vcam.pipeline.supervisor import Pipeline
from vcam.scene_settings import SCENE_KEYS

CONFIG = Config(background="blur:40", mirror=True)


def start(
    folder: Path, config: Config = CONFIG, *, typed: tuple[str, ...] = (), pipeline: Pipeline | None = None
) -> Desk:
    """A vcam that was just started."""
    memory = Memory(folder / "chosen" / "one.json", typed=typed)
    desk = Desk(pipeline or Pipeline(Rig().wiring()), config, lambda: config, memory=memory)
    desk.recall()
    return desk


def kept(folder: Path) -> dict[str, object]:
    told: dict[str, object] = json.loads((folder / "chosen" / "one.json").read_text())
    return told


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_the_scene_the_profile_and_pause_are_there_again(tmp_path: Path) -> None:
    first = start(tmp_path)
    assert not (tmp_path / "chosen").exists(), "nothing was chosen"
    first.change_scene({"background": "green", "layers": ("text:Ada",)}, profile="work")
    first.pause(paused=True)
    second = start(tmp_path)
    assert (second.config.background, second.config.layers, second.config.mirror) == ("green", ("text:Ada",), True)
    assert (second.profile, second.pipeline.paused) == ("work", True)
    assert second.settings == CONFIG, "to which a reload returns"
    second.pause(paused=False)
    second.reload()
    third = start(tmp_path)
    assert (third.config, third.profile, third.pipeline.paused) == (CONFIG, None, False)


def test_only_the_owner_can_read_it_and_no_half_of_it_is_left(tmp_path: Path) -> None:
    start(tmp_path).pause(paused=True)
    (path,) = (tmp_path / "chosen").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_settings_that_were_changed_since_win_and_pause_stays(tmp_path: Path) -> None:
    first = start(tmp_path)
    first.change_scene({"background": "green"})
    first.pause(paused=True)
    other = CONFIG.model_copy(update={"refine": 0.5})
    assert start(tmp_path, other).config == other
    assert start(tmp_path, other).pipeline.paused
    assert start(tmp_path).config.background == "green", "what was not chosen again is as it was"
    assert start(tmp_path, Config(background="blur:40", mirror=True, fps=60)).config.background == "green"


def test_what_the_command_line_says_wins_and_all_else_stays(tmp_path: Path) -> None:
    start(tmp_path).change_scene({"background": "green", "zoom": 2.0}, profile="work")
    typed = CONFIG.model_copy(update={"background": "color:#102030"})
    desk = start(tmp_path, typed, typed=("background", "fps"))
    assert (desk.config.background, desk.config.zoom, desk.profile) == ("color:#102030", 2.0, None)
    desk.change_scene({"zoom": 3.0})
    assert start(tmp_path).config.zoom == 3.0
    assert start(tmp_path, typed, typed=("background",)).config.background == "color:#102030"


def test_several_at_one_computer_have_one_each(tmp_path: Path) -> None:
    from vcam.places import chosen_file

    environ = {"XDG_DATA_HOME": str(tmp_path)}
    outputs = [("/dev/video10",), ("/dev/video11",), ("/dev/video10", "file:a.mp4"), ("/dev/video1", "0")]
    files = {chosen_file(output, environ) for output in outputs}
    assert len(files) == len(outputs)
    assert chosen_file(("/dev/video10",), environ).name.startswith("dev-video10-")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "\x00" * 100,
        '{"paused": true}',
        '{"configured": {}, "paused": "yes", "profile": null, "scene": {}}',
        '{"configured": {}, "paused": false, "profile": null, "scene": {"zoom": 99}}',
        '{"configured": {}, "paused": false, "profile": null, "scene": {"fps": 60}}',
        "[" * 100_000,
        '"' + "a" * 200_000,
    ],
)
def test_a_broken_file_is_told_and_ignored(tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str) -> None:
    path = tmp_path / "chosen" / "one.json"
    path.parent.mkdir()
    path.write_text(text)
    desk = start(tmp_path)
    assert (desk.config, desk.pipeline.paused) == (CONFIG, False)
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.getMessage() == "chosen.unreadable"
    assert str(path) in str(vars(record))
    desk.pause(paused=True)
    assert start(tmp_path).pipeline.paused, "it is written anew"


def test_a_picture_that_is_gone_is_told_and_the_settings_are_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "beach.png"
    path.write_bytes(picture())
    first = start(tmp_path)
    first.change_scene({"background": f"image:{path}"})
    first.pause(paused=True)
    path.unlink()
    desk = start(tmp_path)
    assert (desk.config, desk.pipeline.paused) == (CONFIG, True)
    assert warnings(caplog) == ["chosen.refused"]


def test_a_folder_that_cannot_be_written_is_told_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "chosen").write_text("a file where the folder should be")
    desk = start(tmp_path)
    desk.change_scene({"background": "green"})
    desk.pause(paused=True)
    assert (desk.config.background, desk.pipeline.paused) == ("green", True)
    assert set(warnings(caplog)) == {"chosen.unreadable", "chosen.not_kept"}


def test_a_full_disk_leaves_what_was_kept_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = start(tmp_path)
    desk.pause(paused=True)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("vcam.whole_file.os.fsync", full)
        desk.change_scene({"background": "green"})
    assert warnings(caplog) == ["chosen.not_kept"]
    assert kept(tmp_path)["paused"] is True
    assert len(list((tmp_path / "chosen").iterdir())) == 1
    desk.change_scene({"zoom": 2.0})
    assert start(tmp_path).config.background == "green", "with the next change it is kept"


def test_that_the_room_was_shown_is_forgotten(tmp_path: Path) -> None:
    start(tmp_path).change_scene({"background": "none", "zoom": 2.0}, profile="bare")
    again = start(tmp_path)
    assert (again.config.background, again.config.zoom, again.profile) == (CONFIG.background, 2.0, None)


def test_who_wants_no_memory_has_none(tmp_path: Path) -> None:
    start(tmp_path).pause(paused=True)
    before = kept(tmp_path)
    fresh = start(tmp_path, CONFIG.model_copy(update={"remember": False}))
    assert not fresh.pipeline.paused
    fresh.change_scene({"background": "green"})
    assert kept(tmp_path) == before


def test_what_was_kept_says_what_the_settings_were(tmp_path: Path) -> None:
    start(tmp_path, typed=("mirror",)).change_scene({"background": "green"})
    told = kept(tmp_path)
    assert told["scene"] == {"background": "green"}
    assert isinstance(told["configured"], dict)
    assert set(told["configured"]) == set(SCENE_KEYS) - {"mirror"}


@contextmanager
def started(rig: Rig, folder: Path) -> Iterator[Desk]:
    """As vcam run does: what was chosen is in effect before the first thread runs."""
    import threading

    with Pipeline(rig.wiring()) as pipeline:
        desk = start(folder, pipeline=pipeline)
        thread = threading.Thread(target=pipeline.run)
        thread.start()
        try:
            yield desk
        finally:
            pipeline.stop()
            thread.join(20)
            assert not thread.is_alive()


def test_no_live_frame_leaves_after_a_paused_start_before_it_is_resumed(tmp_path: Path) -> None:
    start(tmp_path).pause(paused=True)
    rig = Rig()
    with started(rig, tmp_path) as desk:
        assert rig.sink.wait_for(lambda all_: len(all_) >= 30, 20)
        assert desk.pipeline.snapshot().state is State.SAFE
        seen = list(rig.sink.pictures)
        assert not any(map(room.shows_person, seen))
        desk.pause(paused=False)
        rig.wait_live(1)
