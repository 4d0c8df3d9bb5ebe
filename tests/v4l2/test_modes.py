"""The choice of a camera's mode: cases from real cameras, and properties."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcam.errors import FormatRejectedError
from vcam.frame import Size
from vcam.v4l2.modes import READABLE, Mode, choose_mode


def modes(*lines: str) -> list[Mode]:
    """``MJPG 1280x720 30 15`` is one format, one size, two rates; without a rate the driver does not tell it."""
    found = []
    for line in lines:
        fourcc, size, *rates = line.split()
        width, height = map(int, size.split("x"))
        intervals: list[Fraction | None] = [1 / Fraction(rate) for rate in rates]
        intervals = intervals or [None]
        found += [Mode(fourcc, Size(width, height), interval) for interval in intervals]
    return found


USB2 = ["YUYV 640x480 30 15", "YUYV 1280x720 10 5", "YUYV 1920x1080 5", "MJPG 640x480 30", "MJPG 1280x720 30 15",
        "MJPG 1920x1080 30"]  # fmt: skip


@pytest.mark.parametrize(
    ("offered", "wanted", "expected"),
    [
        pytest.param(USB2, "1920x1080 30", "MJPG 1920x1080 30", id="USB 2: raw is slow"),
        pytest.param(USB2, "1280x720 30", "MJPG 1280x720 30", id="USB 2: raw is slow at 720p too"),
        pytest.param(USB2, "640x480 30", "YUYV 640x480 30", id="raw wins at equal rate"),
        pytest.param(USB2, "640x480 15", "YUYV 640x480 15", id="not faster than wanted"),
        pytest.param(USB2, "1920x1080 5", "YUYV 1920x1080 5", id="raw where it is fast enough"),
        pytest.param(USB2, "1280x720 60", "MJPG 1280x720 30", id="the fastest when none is fast enough"),
        pytest.param(USB2, "3840x2160 30", "MJPG 1920x1080 30", id="the largest when none is large enough"),
        pytest.param(USB2, "320x180 30", "YUYV 640x480 30", id="the smallest when none is small enough"),
        pytest.param(
            ["YUYV 1280x720 29.97", "MJPG 1280x720 30"], "1280x720 30", "YUYV 1280x720 29.97", id="29.97 is 30"
        ),
        pytest.param(["MJPG 1280x720 60 30"], "1280x720 30", "MJPG 1280x720 30", id="no more than wanted"),
        pytest.param(["MJPG 1280x720 60 15"], "1280x720 30", "MJPG 1280x720 60", id="rather too fast than too slow"),
        pytest.param(["NV12 1280x720 30", "YU12 1280x720 30"], "1280x720 30", "NV12 1280x720 30", id="NV12"),
        pytest.param(["GREY 1280x720 30", "MJPG 640x480 30"], "1280x720 30", "MJPG 640x480 30", id="never GREY"),
        pytest.param(["YUYV 1280x720"], "1280x720 30", "YUYV 1280x720", id="unknown rate"),
        pytest.param(["JPEG 640x480 30"], "640x480 30", "JPEG 640x480 30", id="JPEG is MJPG by another name"),
        pytest.param(
            ["MJPG 1280x960 30", "MJPG 1920x1080 30"], "1280x720 30", "MJPG 1920x1080 30", id="same shape, larger"
        ),
        pytest.param(["MJPG 960x540 30", "MJPG 1920x1080 30"], "1280x720 30", "MJPG 1920x1080 30", id="larger first"),
    ],
)
def test_cases(offered: list[str], wanted: str, expected: str) -> None:
    size, fps = wanted.split()
    width, height = map(int, size.split("x"))
    assert choose_mode(modes(*offered), Size(width, height), float(fps)) == modes(expected)[0]


@pytest.mark.parametrize(
    ("offered", "named"), [(["GREY 640x480 30", "H264 640x480 30"], "GREY, H264"), ([], "no format")]
)
def test_unreadable_cameras_say_what_they_offer(offered: list[str], named: str) -> None:
    with pytest.raises(FormatRejectedError, match=named) as caught:
        choose_mode(modes(*offered), Size(640, 480), 30.0)
    assert "vcam devices" in caught.value.hint
    assert not caught.value.retryable


sizes = st.builds(Size, st.integers(16, 4096), st.integers(16, 4096))
any_mode = st.builds(
    Mode,
    st.sampled_from([*READABLE, "GREY", "H264"]),
    sizes,
    st.one_of(st.none(), st.builds(Fraction, st.just(1), st.integers(1, 120))),
)


@given(st.lists(any_mode), sizes, st.floats(1.0, 120.0), st.randoms())
def test_properties(offered: list[Mode], size: Size, fps: float, random: object) -> None:
    readable = [mode for mode in offered if mode.fourcc in READABLE]
    if not readable:
        with pytest.raises(FormatRejectedError):
            choose_mode(offered, size, fps)
        return
    chosen = choose_mode(offered, size, fps)
    assert chosen in readable
    exact = [mode for mode in readable if mode.size == size]
    if exact:
        assert chosen.size == size
        if chosen.fps < fps * 0.97:
            assert chosen.fps >= max(mode.fps for mode in exact) * 0.97
    again = choose_mode(reversed(offered), size, fps)
    assert (again.size, again.fourcc) == (chosen.size, chosen.fourcc) or again.size != chosen.size
