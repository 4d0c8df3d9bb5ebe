"""Scenes follow upon each other, a thousand times: what moved in them ends."""

import threading
from pathlib import Path

import pytest

from tests.pipeline.rig import wait_until
from tests.support.clip import Clip, write_clip
from vcam.config import Config
from vcam.errors import MediaError
from vcam.frame import PixelFormat, VideoFormat
from vcam.pipeline.assemble import wire
from vcam.pipeline.assemble_scene import make_scene, next_scene
from vcam.scene.moving import MovingBackdrop
from vcam.scene_settings import SceneSettings
from vcam.stages import Scene

TARGETS = [VideoFormat(PixelFormat.YUYV, 64, 48), VideoFormat(PixelFormat.NV12, 32, 32)]


def _counts() -> tuple[int, int]:
    """Threads, those of libraries too, and open descriptors."""
    return len(list(Path("/proc/self/task").iterdir())), len(list(Path("/proc/self/fd").iterdir()))


def _change(now: Scene, background: str) -> Scene:
    """As Pipeline.change_scene does."""
    scene = next_scene(now, SceneSettings(background=background), {"background"}, TARGETS)
    now.close(following=scene)
    return scene


def test_a_thousand_changes_leave_no_thread_and_no_file(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mkv", Clip(frames=10))
    backgrounds = [f"video:{tmp_path / 'a.mkv'}", "green", f"video:{tmp_path / 'a.mkv'},fit=contain"]
    scene = make_scene(SceneSettings(background="green"))
    for background in backgrounds:  # libraries have threads of their own, which stay
        scene = _change(scene, background)
    scene = _change(scene, "green")
    threads, files = _counts()
    for k in range(1000):
        scene = _change(scene, backgrounds[k % 3])
        for target in TARGETS:
            scene.backdrop.render(target, k * 40_000_000)
    scene = _change(scene, "green")
    wait_until(lambda: _counts() <= (threads, files))  # threads of libraries end a little later
    assert _counts()[1] <= files
    assert "vcam-backdrop" not in {thread.name for thread in threading.enumerate()}


def test_a_bad_file_leaves_the_old_scene_playing(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", Clip(frames=10))
    scene = _change(make_scene(SceneSettings()), f"video:{path}")
    for bad in (f"video:{tmp_path / 'gone.mp4'}", f"image:{path}", f"slides:{tmp_path}"):
        with pytest.raises(MediaError):
            _change(scene, bad)
    assert [thread.name for thread in threading.enumerate()].count("vcam-backdrop") == 1
    scene.close()
    assert "vcam-backdrop" not in {thread.name for thread in threading.enumerate()}


def test_other_keys_keep_what_plays(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", Clip(frames=10))
    settings = SceneSettings(background=f"video:{path}")
    scene = _change(make_scene(SceneSettings()), settings.background)
    other = next_scene(scene, settings.model_copy(update={"refine": 0.5}), {"refine"}, TARGETS)
    scene.close(following=other)
    assert [thread.name for thread in threading.enumerate()].count("vcam-backdrop") == 1
    other.close()
    assert "vcam-backdrop" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize(("pace", "patient"), [("realtime", False), ("every-frame", True)])
def test_a_film_is_waited_for_where_every_frame_counts(tmp_path: Path, pace: str, *, patient: bool) -> None:
    path = write_clip(tmp_path / "a.mkv", Clip(frames=10))
    keys = {"input": "test:64x48@30", "output": ("null:",), "background": f"video:{path}", "pace": pace}
    scene = wire(Config.model_validate(keys)).scene
    (film,) = scene.films
    assert isinstance(film, MovingBackdrop)
    assert film.patient is patient
    scene.close()
