"""Pictures and mattes for the tests of the native loops, and Hypothesis strategies of them."""

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from vcam.frame import AffineMatte, Image, Matrix, PixelFormat, Plane, Range, Stamp, VideoFormat, plane_shapes

SOURCES = (
    PixelFormat.I420,
    PixelFormat.I422,
    PixelFormat.I444,
    PixelFormat.YUYV,
    PixelFormat.NV12,
    PixelFormat.GREY,
    PixelFormat.RGB24,
)
TARGETS = (
    PixelFormat.YUYV,
    PixelFormat.NV12,
    PixelFormat.I420,
    PixelFormat.I422,
    PixelFormat.I444,
    PixelFormat.RGB24,
)
STAMP = Stamp(pts_ns=1, sequence=1)


def padded_planes(fmt: VideoFormat, padding: int, rng: np.random.Generator) -> tuple[Plane, ...]:
    """Noise, rows ``padding`` bytes longer than needed."""
    return tuple(
        rng.integers(0, 256, (rows, row + padding), dtype=np.uint8)[:, :row] for rows, row in plane_shapes(fmt)
    )


def noise(fmt: VideoFormat, seed: int = 0, padding: int = 0) -> Image:
    return Image(padded_planes(fmt, padding, np.random.default_rng(seed)), fmt, STAMP)


def smooth(fmt: VideoFormat, seed: int = 0) -> Image:
    """Noise of neighbouring levels around a mid grey: every colour is inside the RGB cube."""
    rng = np.random.default_rng(seed)
    planes = tuple(rng.integers(108, 148, shape, dtype=np.uint8) for shape in plane_shapes(fmt))
    return Image(planes, fmt, STAMP)


def blank(fmt: VideoFormat, padding: int = 0) -> tuple[Plane, ...]:
    """Planes to write into, filled with a level that shows where nothing was written."""
    return tuple(np.full((rows, row + padding), 77, np.uint8)[:, :row] for rows, row in plane_shapes(fmt))


def matte(size: tuple[int, int], seed: int = 0, *, alpha: float | None = None) -> AffineMatte:
    """(h, w): coefficients that give soft alpha everywhere, or a constant alpha with the camera's own colour."""
    rng = np.random.default_rng(seed)
    a = np.zeros((4, *size), np.float32)
    b = np.zeros((4, *size), np.float32)
    if alpha is None:
        a[:] = rng.normal(0.0, 0.4, a.shape)
        b[:] = rng.normal(0.0, 0.2, b.shape)
        b[3] += 0.5
    else:
        b[3] = alpha
    return AffineMatte(a, b, STAMP)


def as_floats(array: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    return array.astype(np.float64)


@st.composite
def formats(draw: st.DrawFn, layouts: tuple[PixelFormat, ...], max_side: int = 70) -> VideoFormat:
    return VideoFormat(
        draw(st.sampled_from(layouts)),
        draw(st.integers(1, max_side)),
        draw(st.integers(1, max_side)),
        range=draw(st.sampled_from(tuple(Range))),
        matrix=draw(st.sampled_from(tuple(Matrix))),
    )


SEEDS = st.integers(0, 2**20)
PADDING = st.integers(0, 9)
LOW_SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40))
