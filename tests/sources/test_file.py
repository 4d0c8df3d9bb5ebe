"""Files as sources: pace, loops, torn files, errors."""

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from tests.support.clip import Clip, write_clip
from tests.support.jpeg import smooth_rgb
from vcam.decode.turbo import TurboDecoder
from vcam.errors import EndOfStreamError, MediaError
from vcam.frame import EncodedFrame, Image, Matrix, PixelFormat, Range, Stamp, VideoFormat, allocate_planes, frame_bytes
from vcam.media_writer import ContainerWriter
from vcam.sources.file import FileSource, probe
from vcam.sources.pace import Pace
from vcam.stages import Losses

NS = 1_000_000_000
GRAY = VideoFormat(PixelFormat.I420, 64, 32)


class Clock:
    """Time that only moves by waiting."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> None:
        self.waits.append(round(seconds, 6))
        self.now_s += seconds


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mkv", Clip())


def read_all(source: FileSource) -> list[EncodedFrame]:
    frames = []
    while True:
        try:
            frames.append(source.read(1.0))
        except EndOfStreamError:
            return frames


def test_every_frame_comes_once_with_its_time(clip: Path) -> None:
    with FileSource(clip, pace=Pace.EVERY_FRAME, loop=False) as source:
        assert source.frame_interval_s == pytest.approx(1 / 25)
        frames = read_all(source)
        with pytest.raises(EndOfStreamError):
            source.read(1.0)
    assert [frame.stamp.pts_ns for frame in frames] == [0, 40_000_000, 80_000_000, 120_000_000, 160_000_000]
    assert [frame.stamp.sequence for frame in frames] == [0, 1, 2, 3, 4]
    assert all(frame.stamp.epoch == 0 for frame in frames)
    assert len({np.asarray(frame.data).tobytes() for frame in frames}) == 5, "frames are owned, not one buffer"


def test_format_says_what_the_bytes_are(clip: Path) -> None:
    with FileSource(clip, pace=Pace.EVERY_FRAME, loop=False) as source:
        fmt = source.format
        assert (fmt.pixel_format, fmt.width, fmt.height) == (PixelFormat.I420, 64, 48)
        assert (fmt.range, fmt.matrix) == (Range.LIMITED, Matrix.BT709)
        frame = source.read(1.0)
        assert frame.format == fmt
        assert len(np.asarray(frame.data)) == frame_bytes(fmt)


@pytest.mark.parametrize(
    ("codec", "pixel_format", "suffix", "expected"),
    [
        ("libx264", "yuv420p", "mp4", PixelFormat.I420),
        ("ffv1", "yuv422p", "mkv", PixelFormat.I422),
        ("ffv1", "yuv444p", "mkv", PixelFormat.I444),
        ("rawvideo", "nv12", "mkv", PixelFormat.NV12),
        ("ffv1", "yuv420p10le", "mkv", PixelFormat.I420),
        ("ffv1", "bgr0", "mkv", PixelFormat.I444),
    ],
)
def test_formats(tmp_path: Path, codec: str, pixel_format: str, suffix: str, expected: PixelFormat) -> None:
    path = write_clip(tmp_path / f"clip.{suffix}", Clip(codec, pixel_format, width=66, height=50))
    with FileSource(path, pace=Pace.EVERY_FRAME, loop=False) as source:
        frames = read_all(source)
    assert len(frames) == 5
    assert {frame.format.pixel_format for frame in frames} == {expected}


@pytest.mark.parametrize("suffix", ["avi", "mkv", "mov", "mjpeg"])
def test_motion_jpeg_is_passed_on_undecoded(tmp_path: Path, suffix: str) -> None:
    path = write_clip(tmp_path / f"clip.{suffix}", Clip("mjpeg", "yuvj422p", colorspace=5, color_range=2))
    with FileSource(path, pace=Pace.EVERY_FRAME, loop=False) as source, TurboDecoder() as decoder:
        assert source.format.pixel_format is PixelFormat.MJPG
        assert (source.format.range, source.format.matrix) == (Range.FULL, Matrix.BT601)
        images = [decoder.decode(frame).format for frame in read_all(source)]
    assert [(fmt.pixel_format, fmt.width, fmt.height) for fmt in images] == [(PixelFormat.I422, 64, 48)] * 5


def test_cmyk_jpeg_is_decoded_here(tmp_path: Path) -> None:
    path = tmp_path / "print.jpg"
    Picture.new("CMYK", (32, 16)).save(path)
    with FileSource(path, pace=Pace.EVERY_FRAME, loop=False) as source:
        assert source.format.pixel_format is not PixelFormat.MJPG


def test_loop_goes_on_without_a_step_in_time(clip: Path) -> None:
    with FileSource(clip, pace=Pace.EVERY_FRAME, loop=True) as source:
        frames = [source.read(1.0) for _ in range(12)]
    assert [frame.stamp.pts_ns for frame in frames] == [index * 40_000_000 for index in range(12)]
    assert [frame.stamp.sequence for frame in frames] == list(range(12))
    assert np.array_equal(np.asarray(frames[0].data), np.asarray(frames[5].data))


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "webp"])
def test_a_still_picture_loops_as_a_video(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"still.{suffix}"
    Picture.fromarray(smooth_rgb(64, 48)).save(path)
    with FileSource(path, pace=Pace.EVERY_FRAME, loop=True) as source:
        path.unlink()
        stamps = [source.read(1.0).stamp.pts_ns for _ in range(31)]
    assert stamps[30] == pytest.approx(NS, abs=100)
    assert np.all(np.diff(stamps) > 0)


def test_realtime_waits_until_a_frame_is_due(clip: Path) -> None:
    clock = Clock()
    with FileSource(clip, pace=Pace.REALTIME, loop=False, clock=clock, wait=clock.wait) as source:
        stamps = [source.read(1.0).stamp.pts_ns for _ in range(2)]
        clock.now_s += 0.03
        stamps.append(source.read(1.0).stamp.pts_ns)
    assert clock.waits == [0.04, 0.01]
    assert stamps == [1_000_000_000_000, 1_000_040_000_000, 1_000_080_000_000]


def test_realtime_after_a_stall_delays_the_film_instead_of_rushing(clip: Path) -> None:
    clock = Clock()
    with FileSource(clip, pace=Pace.REALTIME, loop=False, clock=clock, wait=clock.wait) as source:
        source.read(1.0)
        clock.now_s += 600.0
        frames = read_all(source)
    assert [frame.stamp.sequence for frame in frames] == [1, 2, 3, 4]
    assert clock.waits == [0.04, 0.04, 0.04]


def film_at(path: Path, *seconds: float, rate: Fraction = Fraction(25)) -> Path:
    """One frame at each of these times."""
    _, planes = allocate_planes(GRAY)
    film = ContainerWriter(path, "matroska", GRAY, rate)
    for sequence, at_s in enumerate(seconds):
        film.write(Image(planes, GRAY, Stamp(round(at_s * NS), sequence)), round(at_s * NS))
    film.close()
    return path


def test_realtime_cuts_a_gap_that_is_longer_than_the_reader_waits(tmp_path: Path) -> None:
    """Else the reader would take the film for lost, and begin it anew, up to the gap, for ever."""
    clock = Clock()
    path = film_at(tmp_path / "gap.mkv", 0.0, 0.04, 600.0, 600.04, 601.9)
    with FileSource(path, pace=Pace.REALTIME, loop=False, clock=clock, wait=clock.wait) as source:
        interval_s = source.frame_interval_s
        frames = [source.read(2.0) for _ in range(5)]
        with pytest.raises(EndOfStreamError):
            source.read(2.0)
    assert [frame.stamp.sequence for frame in frames] == [0, 1, 2, 3, 4]
    assert clock.waits == pytest.approx([0.04, min(interval_s, 2.0), 0.04, 1.86])


def test_realtime_a_film_slower_than_the_reader_waits_goes_on(tmp_path: Path) -> None:
    clock = Clock()
    path = film_at(tmp_path / "slides.mkv", 0.0, 3.0, 6.0, 9.0, rate=Fraction(1, 3))
    with FileSource(path, pace=Pace.REALTIME, loop=False, clock=clock, wait=clock.wait) as source:
        assert [source.read(2.0).stamp.sequence for _ in range(4)] == [0, 1, 2, 3]
    assert clock.waits == [2.0, 2.0, 2.0]


def test_a_corrupt_packet_is_skipped_and_counted(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mov", Clip("png", "rgb24", frames=6))
    data = bytearray(path.read_bytes())
    third = [at for at in range(len(data)) if data[at : at + 4] == b"\x89PNG"][2]
    data[third : third + 40] = bytes(40)
    path.write_bytes(data)
    with FileSource(path, pace=Pace.EVERY_FRAME, loop=True) as source:
        frames = [source.read(1.0) for _ in range(10)]
        assert source.losses == Losses(corrupt=2)
    stamps = [frame.stamp.pts_ns for frame in frames]
    assert stamps[:5] == [0, 40_000_000, 120_000_000, 160_000_000, 200_000_000]
    assert np.all(np.diff(stamps) > 0)


def test_a_torn_film_ends_where_it_is_torn_and_loops(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mkv", Clip(frames=10))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with FileSource(path, pace=Pace.EVERY_FRAME, loop=True) as source:
        stamps = [source.read(1.0).stamp.pts_ns for _ in range(25)]
    assert np.all(np.diff(stamps) > 0)


def bad_files(folder: Path) -> dict[str, Path]:
    noise, empty, sound, torn = (folder / name for name in ("noise.mp4", "empty.mp4", "sound.wav", "torn.mp4"))
    noise.write_bytes(bytes(range(256)) * 64)
    empty.write_bytes(b"")
    import wave

    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(4000))
    whole = write_clip(folder / "whole.mp4", Clip("libx264")).read_bytes()
    torn.write_bytes(whole[: len(whole) // 2])
    return {"noise": noise, "empty": empty, "sound": sound, "torn": torn, "absent": folder / "x.mp4", "folder": folder}


@pytest.mark.parametrize("kind", ["noise", "empty", "sound", "torn", "absent", "folder"])
def test_unreadable_files_say_which_and_what_to_do(
    tmp_path: Path, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = bad_files(tmp_path)[kind]
    for attempt in (lambda: probe(path), FileSource(path, pace=Pace.EVERY_FRAME, loop=True).__enter__):
        with pytest.raises(MediaError) as caught:
            attempt()
        assert str(path) in caught.value.problem
        assert "ffprobe" in caught.value.hint
    assert capfd.readouterr().err == "", "FFmpeg's own log stays silent"


def test_probe(clip: Path, tmp_path: Path) -> None:
    info = probe(clip)
    assert (info.format.width, info.format.height, info.fps, info.frames) == (64, 48, 25.0, 5)
    still = tmp_path / "still.png"
    Picture.fromarray(smooth_rgb(8, 6)).save(still)
    assert (probe(still).fps, probe(still).frames) == (30.0, 1)


def test_no_descriptor_is_left(clip: Path) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = descriptors()
    with FileSource(clip, pace=Pace.EVERY_FRAME, loop=True) as source:
        for _ in range(23):
            source.read(1.0)
        assert descriptors() == before + 1, "the checker sees an open file"
    assert descriptors() == before


def test_memory_pictures_are_not_shared(tmp_path: Path) -> None:
    memory = io.BytesIO()
    Picture.fromarray(smooth_rgb(64, 48)).save(memory, "PNG")
    path = tmp_path / "still.png"
    path.write_bytes(memory.getvalue())
    with FileSource(path, pace=Pace.EVERY_FRAME, loop=True) as source:
        assert source.read(1.0).data is source.read(1.0).data, "a still picture is decoded once"
