"""A folder that is shown: in its order, mixed, without what is broken, and no more in memory than two pictures."""

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.support.golden import check_golden
from tests.support.jpeg import smooth_rgb
from vcam.errors import MediaError
from vcam.frame import PixelFormat, VideoFormat
from vcam.scene.encode import decode_rgb
from vcam.scene.fit import Placing
from vcam.scene.moving import Moment
from vcam.scene.slides import Pace, _play, slides_backdrop

S = 1_000_000_000
RGB = VideoFormat(PixelFormat.RGB24, 16, 12)
YUYV = VideoFormat(PixelFormat.YUYV, 16, 12)
LEVELS = {"1.png": 40, "2.jpg": 120, "3.webp": 200}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, level in LEVELS.items():
        Pillow.new("RGB", (16, 12), (level,) * 3).save(tmp_path / name, quality=100)
    return tmp_path


def levels(folder: Path, pace: Pace, count: int) -> list[tuple[int, float]]:
    """The first moments: level, seconds."""
    found = []
    for moment in _play(folder, Placing(), pace):
        found.append((round(float(moment.draw(RGB)[0].mean())), round(moment.duration_ns / S, 6)))
        if len(found) == count:
            break
    return found


def test_shows_them_by_name_and_begins_again(folder: Path) -> None:
    assert levels(folder, Pace(5.0, 0.0), 7) == [(40, 5.0), (120, 5.0), (200, 5.0)] * 2 + [(40, 5.0)]


def test_mixes_two_for_as_long_as_it_should_and_keeps_the_rhythm(folder: Path) -> None:
    moments = levels(folder, Pace(2.0, 0.5), 64)
    assert moments[0] == (40, 1.75)
    fade = moments[1:31]
    assert [level for level, _ in fade] == sorted(level for level, _ in fade)
    assert 40 < fade[0][0] < 45
    assert 115 < fade[-1][0] < 120
    assert sum(seconds for _, seconds in fade) == pytest.approx(0.5, abs=1e-3)
    assert moments[31] == (120, 1.5)
    assert moments[62] == (200, 1.5)


def test_half_way_is_the_mean_of_both_in_every_plane(folder: Path) -> None:
    Pillow.fromarray(np.ascontiguousarray(smooth_rgb(16, 12))).save(folder / "1.png")
    for target in (RGB, YUYV):
        moments: list[Moment] = []
        for moment in _play(folder, Placing(), Pace(2.0, 1.0)):
            moments.append(moment)
            if len(moments) == 62:
                break
        planes = [moments[k].draw(target)[0].astype(int) for k in (0, 30, 31, 61)]
        middle = (planes[1] + planes[2]) / 2.0
        assert np.abs(middle - (planes[0] + planes[3]) / 2.0).max() <= 1.5


def test_golden_fade(folder: Path) -> None:
    target = VideoFormat(PixelFormat.RGB24, 64, 36)
    Pillow.fromarray(np.ascontiguousarray(smooth_rgb(64, 36))).save(folder / "1.png")
    for k, moment in enumerate(_play(folder, Placing(), Pace(2.0, 1.0))):
        if k == 20:
            check_golden("slides-fade", decode_rgb(moment.draw(target), target), tolerance=3)
            break


def test_what_is_broken_is_left_out_with_one_warning_each(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "0.png").write_bytes(b"no picture")
    (folder / "2.jpg").write_bytes((folder / "2.jpg").read_bytes()[:100])
    (folder / "notes.txt").write_text("not shown")
    with caplog.at_level(logging.WARNING):
        assert [level for level, _ in levels(folder, Pace(5.0, 0.0), 5)] == [40, 200, 40, 200, 40]
    told = [Path(record.__dict__["path"]).name for record in caplog.records if record.message == "slides.left_out"]
    assert told == ["0.png", "2.jpg"]


def test_pictures_that_come_and_go_are_seen_the_next_time_round(folder: Path) -> None:
    seen = []
    for moment in _play(folder, Placing(), Pace(5.0, 0.0)):
        seen.append(round(float(moment.draw(RGB)[0].mean())))
        if len(seen) == 3:
            (folder / "2.jpg").unlink()
            Pillow.new("RGB", (16, 12), (250,) * 3).save(folder / "4.png")
        if len(seen) == 6:
            break
    assert seen == [40, 120, 200, 40, 200, 250]


def test_a_single_picture_stays_without_fading(folder: Path) -> None:
    (folder / "2.jpg").unlink()
    (folder / "3.webp").unlink()
    assert levels(folder, Pace(5.0, 1.0), 3) == [(40, 4.5), (40, 5.0), (40, 5.0)]


@pytest.mark.parametrize("broken", [False, True])
def test_a_folder_without_a_picture_is_an_error(tmp_path: Path, *, broken: bool) -> None:
    if broken:
        (tmp_path / "1.png").write_bytes(b"no picture")
    with pytest.raises(MediaError, match="no picture that can be read") as caught:
        slides_backdrop(tmp_path, Placing(), Pace())
    assert "slides:FOLDER" in caught.value.hint


def test_what_is_no_folder_is_an_error(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", Path("/dev/null")):
        with pytest.raises(MediaError, match="cannot be shown"):
            slides_backdrop(path, Placing(), Pace())


def test_pictures_as_they_were_read_are_forgotten_once_drawn(folder: Path) -> None:
    moments: list[Moment] = []
    for moment in _play(folder, Placing(), Pace(5.0, 0.0)):
        moment.draw(RGB)
        moments.append(moment)
        if len(moments) == 6:
            break
    kept = [moment for moment in moments if getattr(moment, "slide")._picture is not None]  # noqa: B009 - of a Protocol
    assert len(kept) <= 2, "the first, for outputs that come later, and the one that is being drawn"
    for path in folder.iterdir():
        path.unlink()
    assert round(float(moments[0].draw(YUYV)[0].mean())) > 0
    with pytest.raises(MediaError):
        moments[1].draw(YUYV)


def test_plays_through_the_real_thing(folder: Path) -> None:
    backdrop = slides_backdrop(folder, Placing(), Pace(1.0, 0.0))
    seen = []
    for k in range(60):
        seen.append(round(float(backdrop.render(RGB, k * S // 10).planes[0].mean())))
        with backdrop._changed:
            assert backdrop._changed.wait_for(lambda: len(backdrop._ahead) > 0, 20.0)
    backdrop.close()
    assert seen == [40] * 10 + [120] * 10 + [200] * 10 + [40] * 10 + [120] * 10 + [200] * 10
