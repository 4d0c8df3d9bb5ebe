"""Files as sinks: what is read back is what was written, and no broken file bears the final name."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.clock import Clock
from vcam.errors import SinkError, SinkUnusableError
from vcam.frame import (
    Image,
    Matrix,
    PixelFormat,
    Plane,
    Range,
    Stamp,
    VideoFormat,
    allocate_planes,
    frame_bytes,
    split_planes,
)
from vcam.pipeline.outputs import Outputs
from vcam.sinks.file import FileSink
from vcam.sources.file import FileSource
from vcam.sources.pace import Pace

NS = 1_000_000_000
FORMAT = VideoFormat(PixelFormat.I420, 64, 48)


def image(fmt: VideoFormat, index: int, pts_ns: int | None = None, epoch: int = 0) -> Image:
    """Flat luma that rises by 10 a frame, chroma 100 and 160."""
    _, planes = allocate_planes(fmt)
    for plane, level in zip(planes, (20 + 10 * index, 100, 160), strict=True):
        plane.fill(level)
    return Image(planes, fmt, Stamp(index * NS // 25 if pts_ns is None else pts_ns, index, epoch))


def read_back(path: Path) -> tuple[list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]], list[float]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(container.streams.video[0]))
    return [np.asarray(frame.to_ndarray(format="yuv420p"), dtype=np.uint8) for frame in frames], [
        float(frame.time or 0.0) for frame in frames
    ]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".y4m", ".MP4"])
def test_what_is_read_back_was_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    with FileSink(path, FORMAT, 25.0) as sink:
        for index in range(8):
            sink.write(image(FORMAT, index))
    pictures, times = read_back(path)
    assert times == pytest.approx([index / 25 for index in range(8)], abs=1e-3)
    for index, picture in enumerate(pictures):
        assert np.abs(picture[:48].astype(int) - (20 + 10 * index)).max() <= 2
        assert np.abs(picture[48:60].astype(int) - 100).max() <= 2
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("range_", list(Range))
@pytest.mark.parametrize("matrix", list(Matrix))
def test_colours_are_declared(tmp_path: Path, range_: Range, matrix: Matrix) -> None:
    fmt = VideoFormat(PixelFormat.I420, 64, 48, range=range_, matrix=matrix)
    path = tmp_path / "out.mp4"
    with FileSink(path, fmt, 25.0) as sink:
        sink.write(image(fmt, 0))
    with FileSource(path, pace=Pace.EVERY_FRAME, loop=False) as source:
        assert (source.format.range, source.format.matrix) == (range_, matrix)


@pytest.mark.parametrize("range_", list(Range))
def test_y4m_is_bit_exact_and_declares_its_range(tmp_path: Path, range_: Range) -> None:
    fmt = VideoFormat(PixelFormat.I420, 33, 17, range=range_)
    buffer, planes = allocate_planes(fmt)
    buffer[:] = np.random.default_rng(0).integers(0, 256, buffer.size, dtype=np.uint8)
    path = tmp_path / "out.y4m"
    with FileSink(path, fmt, 30000 / 1001) as sink:
        sink.write(Image(planes, fmt, Stamp(0, 0)))
    with FileSource(path, pace=Pace.EVERY_FRAME, loop=False) as source:
        frame = source.read(1.0)
        assert source.frame_interval_s == pytest.approx(1001 / 30000)
        assert source.format.range is range_
    np.testing.assert_array_equal(np.asarray(frame.data), buffer)


def test_padded_planes_and_reused_memory(tmp_path: Path) -> None:
    padded = VideoFormat(PixelFormat.I420, 64, 48, stride=80)
    memory: Plane = np.empty(frame_bytes(padded), dtype=np.uint8)
    planes = split_planes(memory, padded)
    path = tmp_path / "out.y4m"
    with FileSink(path, FORMAT, 25.0) as sink:
        for index in range(3):
            for plane in planes:
                plane.fill(index + 50)
            sink.write(Image(planes, FORMAT, Stamp(index, index)))
            memory.fill(0)
    assert [picture[0, 0] for picture in read_back(path)[0]] == [50, 51, 52]


def test_time_follows_the_stamps(tmp_path: Path) -> None:
    """A camera's own clock, with jitter and a lost frame."""
    began = 77 * 3600 * NS
    offsets = [0.0, 0.041, 0.079, 0.16, 0.2]
    path = tmp_path / "out.mkv"
    with FileSink(path, FORMAT, 25.0) as sink:
        for index, offset in enumerate(offsets):
            sink.write(image(FORMAT, index, began + round(offset * NS)))
    assert read_back(path)[1] == pytest.approx(offsets, abs=1e-3)


def test_where_stamps_jump_the_film_goes_on(tmp_path: Path) -> None:
    """SAFE pictures and a reopened source bear stamps of another time line."""
    stamps = [(0, 0), (40, 0), (900_000_000, 0), (900_000_040, 0), (80, 0), (80, 0), (0, 1), (40, 1)]
    path = tmp_path / "out.mp4"
    with FileSink(path, FORMAT, 25.0) as sink:
        for index, (pts_ms, epoch) in enumerate(stamps):
            sink.write(image(FORMAT, index, pts_ms * 1_000_000, epoch))
    assert read_back(path)[1] == pytest.approx([index * 0.04 for index in range(8)], abs=1e-3)


def test_an_interrupted_recording_is_playable(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"

    def interrupted() -> None:
        with FileSink(path, FORMAT, 25.0) as sink:
            sink.write(image(FORMAT, 0))
            sink.write(image(FORMAT, 1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(read_back(path)[0]) == 2


def test_the_final_name_appears_when_the_file_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"older")
    with FileSink(path, FORMAT, 25.0) as sink:
        sink.write(image(FORMAT, 0))
        assert path.read_bytes() == b"older"
        assert (tmp_path / "out.part.mp4").exists()
    assert len(read_back(path)[0]) == 1


def test_nothing_written_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"older")
    with FileSink(path, FORMAT, 25.0):
        pass
    assert [file.name for file in tmp_path.iterdir()] == ["out.mp4"]
    assert path.read_bytes() == b"older"


@contextmanager
def disk_of(size_bytes: int) -> Iterator[None]:
    """Writing beyond ``size_bytes`` into any file fails, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".y4m"])
def test_a_full_disk_is_reported_and_does_not_touch_the_older_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    path.write_bytes(b"older")
    noise = np.random.default_rng(0)

    def fill() -> None:
        with FileSink(path, FORMAT, 25.0) as sink:
            for index in range(400):
                picture = image(FORMAT, 0, index * NS // 25)
                picture.planes[0][:] = noise.integers(0, 256, (48, 64), dtype=np.uint8)
                sink.write(picture)

    with disk_of(40_000), pytest.raises(SinkError) as caught:
        fill()
    assert str(path) in caught.value.problem
    assert "df -h" in caught.value.hint
    assert path.read_bytes() == b"older"


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".y4m"])
def test_what_was_recorded_before_the_disk_was_full_stays_whatever_comes_then(tmp_path: Path, suffix: str) -> None:
    path, part = tmp_path / f"out{suffix}", tmp_path / f"out.part{suffix}"
    path.write_bytes(b"older")
    noise = np.random.default_rng(0)
    clock = Clock()
    outputs = Outputs([FileSink(path, FORMAT, 25.0)], clock=clock)

    def record() -> None:
        with disk_of(40_000):
            for index in range(400):
                picture = image(FORMAT, 0, index * NS // 25)
                picture.planes[0][:] = noise.integers(0, 256, (48, 64), dtype=np.uint8)
                outputs.write([picture])
        before = part.read_bytes()
        for index in range(50):  # there is room again
            clock.now_s += 1.0
            outputs.tend()
            outputs.write([image(FORMAT, index % 20)])
        assert (part.read_bytes(), path.read_bytes()) == (before, b"older")
        with pytest.raises(SinkUnusableError, match=r"cannot write .*out"):
            outputs.check(60.0)

    with pytest.raises(SinkUnusableError) as caught, outputs:
        record()
    assert caught.value.exit_code == 7
    assert str(part) in caught.value.hint
    assert path.read_bytes() == b"older"
    if suffix != ".mp4":  # has its index at the end, for which there was no room
        assert len(read_back(part)[0]) >= 2


@pytest.mark.parametrize("suffix", [".mp4", ".y4m"])
def test_a_missing_folder_is_an_error_on_opening(tmp_path: Path, suffix: str) -> None:
    sink = FileSink(tmp_path / "nowhere" / f"out{suffix}", FORMAT, 25.0)
    with pytest.raises(SinkError, match="No such file or directory"), sink:
        pass
    sink.__exit__(None, None, None)


@pytest.mark.parametrize("file_name", ["out", "out.avi", "out.mp4.txt"])
def test_unknown_suffix_lists_the_known(file_name: str) -> None:
    with pytest.raises(SinkUnusableError) as caught:
        FileSink(Path(file_name), FORMAT, 25.0)
    assert all(suffix in caught.value.hint for suffix in (".mp4", ".mkv", ".y4m"))


def test_formats_that_cannot_be_written_are_refused() -> None:
    with pytest.raises(SinkUnusableError, match="YU12"):
        FileSink(Path("out.mp4"), VideoFormat(PixelFormat.YUYV, 64, 48), 25.0)
    with pytest.raises(SinkUnusableError, match="even") as caught:
        FileSink(Path("out.mp4"), VideoFormat(PixelFormat.I420, 65, 49), 25.0)
    assert "size=64x48" in caught.value.hint


def test_no_descriptor_is_left(tmp_path: Path) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = descriptors()
    for suffix in (".mp4", ".y4m"):
        with FileSink(tmp_path / f"out{suffix}", FORMAT, 25.0) as sink:
            sink.write(image(FORMAT, 0))
            assert descriptors() == before + 1, "the checker sees an open file"
    assert descriptors() == before


def test_rate_is_declared(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with FileSink(path, FORMAT, 30.0) as sink:
        for index in range(30):
            sink.write(image(FORMAT, index % 20, index * NS // 30))
    with av.open(str(path)) as container:
        assert float(container.streams.video[0].average_rate or Fraction(0)) == pytest.approx(30.0, abs=0.01)
