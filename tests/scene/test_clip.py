"""Videos and animations of every kind a user may name, whole and broken."""

import os
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image as Pillow

from tests.support.clip import Clip, write_clip
from vcam.color import encode_matrix
from vcam.errors import MediaError
from vcam.frame import Matrix, PixelFormat, Range, Size, VideoFormat
from vcam.scene import clip as clip_module
from vcam.scene.clip import Timed, read_clip
from vcam.scene.encode import decode_rgb
from vcam.scene.film import _pictures, video_backdrop
from vcam.scene.fit import Fit, Placing
from vcam.scene.picture import as_rgb

MS = 1_000_000
COLOURS = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (220, 220, 220), (30, 30, 30)]
RGB = VideoFormat(PixelFormat.RGB24, 64, 48)


def flat(rgb: tuple[int, int, int], width: int = 64, height: int = 48) -> npt.NDArray[np.uint8]:
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = rgb
    return picture


def write_colours(path: Path, codec: str, *, rate: int = 25, matrix: int = 5, full: bool = False) -> Path:
    """A second of each colour but for the last, which has one picture. matrix: SWS_CS_*."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.colorspace = 1 if matrix == 1 else 6
        stream.codec_context.color_range = 2 if full else 1
        for index, rgb in enumerate(COLOURS):
            frame = av.VideoFrame.from_ndarray(flat(rgb), format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=matrix, dst_color_range=2 if full else 1)
            frame.pts, frame.time_base = index, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_animation(path: Path, durations: list[int], *, clear: bool = False) -> Path:
    """One colour after the other, and where ``clear`` with a transparent left half."""
    pictures = []
    for rgb, _ in zip(COLOURS, durations, strict=False):
        rgba = np.dstack([flat(rgb), np.full((48, 64), 255, np.uint8)])
        if clear:
            rgba[:, :32, 3] = 0
        pictures.append(Pillow.fromarray(rgba))
    lossless = {"lossless": True} if path.suffix == ".webp" else {"disposal": 2}
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=durations, loop=0, **lossless)
    return path


def read(path: Path) -> list[Timed]:
    return list(_pictures(path, Placing(fill=(10, 20, 30))))


MAKERS: dict[str, Callable[[Path], Path]] = {
    "mp4": lambda path: write_colours(path, "libx264"),
    "webm": lambda path: write_colours(path, "libvpx-vp9"),
    "mkv": lambda path: write_colours(path, "ffv1"),
    "mov": lambda path: write_colours(path, "mpeg4"),
    "gif": lambda path: write_animation(path, [40] * 5),
    "webp": lambda path: write_animation(path, [40] * 5),
}


@pytest.fixture(params=list(MAKERS))
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return MAKERS[request.param](tmp_path / f"film.{request.param}")


def test_reads_every_picture_with_its_colour_and_time(made: Path) -> None:
    pictures = read(made)
    assert [timed.duration_ns for timed in pictures] == [40 * MS] * 5
    for timed, rgb in zip(pictures, COLOURS, strict=True):
        assert timed.picture.shown == Size(64, 48)
        assert np.abs(as_rgb(timed.picture)[8:40, 8:56].astype(int) - rgb).max() <= 8


@pytest.mark.parametrize("matrix", [1, 5])
@pytest.mark.parametrize("full", [False, True])
def test_colours_are_those_of_the_files_tags(tmp_path: Path, matrix: int, *, full: bool) -> None:
    """Into an output of limited BT.601, within a level."""
    path = write_colours(tmp_path / "film.mkv", "ffv1", matrix=matrix, full=full)
    target = VideoFormat(PixelFormat.I420, 64, 48)
    backdrop = video_backdrop(path, Placing())
    planes = backdrop.render(target, 0).planes
    backdrop.close()
    wanted = encode_matrix(Matrix.BT601, Range.LIMITED) @ np.array([*np.array(COLOURS[0]) / 255.0, 1.0])
    for plane, level in zip(planes, wanted, strict=True):
        assert np.abs(plane.astype(float) - level).max() <= 1.6


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_transparent_parts_show_the_fill(tmp_path: Path, suffix: str) -> None:
    pictures = read(write_animation(tmp_path / f"glass.{suffix}", [100, 200, 50], clear=True))
    assert [timed.duration_ns for timed in pictures] == [100 * MS, 200 * MS, 50 * MS]
    for timed, rgb in zip(pictures, COLOURS, strict=False):
        levels = as_rgb(timed.picture).astype(int)
        assert (levels[:, :32] == (10, 20, 30)).all()
        assert np.abs(levels[:, 32:] - rgb).max() <= 8


def test_hasty_animations_run_as_in_browsers(tmp_path: Path) -> None:
    pictures = read(write_animation(tmp_path / "hasty.gif", [10, 0, 20]))
    assert [timed.duration_ns for timed in pictures] == [100 * MS, 100 * MS, 20 * MS]


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.7, 0.97])
def test_a_truncated_file_is_a_media_error_at_the_change(made: Path, share: float) -> None:
    whole = made.read_bytes()
    made.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(MediaError) as caught:
        video_backdrop(made, Placing())
    assert str(made) in caught.value.problem
    assert "video:PATH" in caught.value.hint


def test_a_truncated_video_with_its_index_in_front_is_found_out(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(50):
            noise = np.random.default_rng(index).integers(0, 256, (48, 64, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24")))
        container.mux(stream.encode(None))
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(MediaError, match="its end is missing"):
        video_backdrop(path, Placing())


@pytest.mark.parametrize("suffix", ["mp4", "mov", "gif"])
@pytest.mark.parametrize("junk", [bytes(100), b"\xff\xff\xff\xffjunk" * 4])
def test_junk_at_the_end_hurts_nobody(tmp_path: Path, suffix: str, junk: bytes) -> None:
    path = MAKERS[suffix](tmp_path / f"film.{suffix}")
    if suffix == "gif":
        junk = bytes(len(junk))
    path.write_bytes(path.read_bytes() + junk)
    assert len(read(path)) == 5


def test_a_stream_that_was_recorded_live_has_no_length(tmp_path: Path) -> None:
    """Its Segment is of unknown size: all ones."""
    path = MAKERS["webm"](tmp_path / "film.webm")
    data = bytearray(path.read_bytes())
    at = data.index(bytes.fromhex("18538067")) + 4
    assert data[at] == 1, "eight bytes of length"
    data[at : at + 8] = b"\x01" + b"\xff" * 7
    path.write_bytes(data)
    assert len(read(path)) == 5


def test_a_corrupt_file_raises_nothing_but_media_errors(made: Path) -> None:
    rng = np.random.default_rng(1)
    whole = made.read_bytes()
    for _ in range(25):
        spoiled = bytearray(whole)
        for at in rng.integers(0, len(whole), 8):
            spoiled[at] = int(rng.integers(256))
        made.write_bytes(spoiled)
        try:
            for timed in read(made):
                assert 0 < timed.duration_ns <= 60_000 * MS
        except MediaError as error:
            assert error.hint  # noqa: PT017 - both are right: a picture or this


def test_says_what_is_missing_or_no_video(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="there is no file"):
        video_backdrop(tmp_path / "nowhere.mp4", Placing())
    with pytest.raises(MediaError, match="no regular file"):
        video_backdrop(tmp_path, Placing())
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    with pytest.raises(MediaError, match="no regular file"):
        video_backdrop(pipe, Placing())
    text = tmp_path / "notes.mp4"
    text.write_text("no video")
    with pytest.raises(MediaError, match="cannot be played"):
        video_backdrop(text, Placing())


def test_a_file_may_name_no_other_file(tmp_path: Path) -> None:
    """Playlists of FFmpeg are not among what is read."""
    other = write_colours(tmp_path / "other.mp4", "mpeg4")
    for name, text in (
        ("list.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{other}\n#EXT-X-ENDLIST\n"),
        ("list.ffconcat", f"ffconcat version 1.0\nfile '{other.name}'\n"),
    ):
        path = tmp_path / name
        path.write_text(text)
        with pytest.raises(MediaError, match="Invalid argument"):
            video_backdrop(path, Placing())


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000)
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(MediaError, match="it has no video"):
        video_backdrop(path, Placing())


def test_refuses_what_is_too_large_before_it_is_decoded(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_module, "MOST_PIXELS", 64 * 48 - 1)
    with pytest.raises(MediaError, match="too large: 64x48") as caught:
        video_backdrop(made, Placing())
    assert "scale" in caught.value.hint


def test_a_stream_that_turns_large_is_stopped_by_the_decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The container says one size, the stream another."""
    path = write_colours(tmp_path / "film.mkv", "mpeg4")
    monkeypatch.setattr(clip_module, "check_size", lambda path, size: None)
    monkeypatch.setattr(clip_module, "MOST_PIXELS", 1000)
    with pytest.raises(MediaError):
        list(read_clip(path))


def test_gives_up_when_no_picture_comes_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_colours(tmp_path / "film.mp4", "libx264")
    data = bytearray(path.read_bytes())
    at = data.index(b"mdat")
    length = int.from_bytes(data[at - 4 : at]) - 8
    data[at + 4 : at + 4 + length] = bytes(length)
    path.write_bytes(data)
    with pytest.raises(MediaError, match="no picture in it can be decoded"):
        list(read_clip(path))
    monkeypatch.setattr(clip_module, "_FIRST_PICTURE_LIMIT_S", -1.0)
    with pytest.raises(MediaError, match="no picture within"):
        list(read_clip(path))


def _turned(path: Path, matrix: tuple[int, ...]) -> Path:
    """An MP4 with another display matrix in its track header (ISO/IEC 14496-12, section 8.3.2)."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(data)
    return path


ONE = 1 << 16


@pytest.mark.parametrize(
    ("matrix", "red", "shown"),
    [
        ((ONE, 0, 0, 0, ONE, 0, 0, 0, 1 << 30), (0, 0), Size(64, 48)),
        ((0, ONE, 0, -ONE, 0, 0, 48 << 16, 0, 1 << 30), (0, -1), Size(48, 64)),
        ((-ONE, 0, 0, 0, -ONE, 0, 64 << 16, 48 << 16, 1 << 30), (-1, -1), Size(64, 48)),
        ((0, -ONE, 0, ONE, 0, 0, 0, 64 << 16, 1 << 30), (-1, 0), Size(48, 64)),
    ],
)
def test_a_telephones_video_stands_upright(
    tmp_path: Path, matrix: tuple[int, ...], red: tuple[int, int], shown: Size
) -> None:
    """x' = a x + c y + t: the upper left corner of the coded picture, red, is where the matrix puts it."""
    path = tmp_path / "turned.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        picture = flat((30, 30, 30))
        picture[:16, :16] = (220, 30, 30)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    timed = read(_turned(path, matrix))[0]
    assert timed.picture.shown == shown
    rgb = as_rgb(timed.picture)
    corners = {(y, x): int(rgb[4 if y == 0 else -5, 4 if x == 0 else -5, 0]) for y in (0, -1) for x in (0, -1)}
    assert {corner for corner, level in corners.items() if level > 120} == {red}


def test_pixels_that_are_not_square_are_shown_as_they_should_be(tmp_path: Path) -> None:
    path = tmp_path / "wide.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(2)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(flat((200, 200, 200)), format="rgb24")))
        container.mux(stream.encode(None))
    assert read(path)[0].picture.shown == Size(128, 48)
    square = VideoFormat(PixelFormat.RGB24, 64, 64)
    backdrop = video_backdrop(path, Placing(Fit.CONTAIN))
    rgb = decode_rgb(backdrop.render(square, 0).planes, square)
    backdrop.close()
    rows = np.flatnonzero(rgb[:, 32, 0] > 100)
    assert (rows[0], rows[-1]) == (20, 43)


def test_times_of_a_film_whose_rate_varies(tmp_path: Path) -> None:
    path = tmp_path / "varies.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for index, at_ms in enumerate((0, 40, 140, 1140, 1200)):
            frame = av.VideoFrame.from_ndarray(flat(COLOURS[index]), format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = at_ms, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert [timed.duration_ns // MS for timed in read(path)][:4] == [40, 100, 1000, 60]


def test_plays_through_the_real_thing(tmp_path: Path) -> None:
    """From file to planes: the colours in their order, again and again."""
    backdrop = video_backdrop(write_clip(tmp_path / "film.mkv", Clip(frames=4)), Placing())
    seen = []
    for k in range(13):
        image = backdrop.render(RGB, k * 40 * MS)
        seen.append(image.planes[0].copy())
        with backdrop._changed:
            assert backdrop._changed.wait_for(lambda: len(backdrop._ahead) > 0, 20.0)
    backdrop.close()
    for k in range(13):
        assert np.array_equal(seen[k], seen[k % 4])
    assert len({picture.tobytes() for picture in seen}) == 4
