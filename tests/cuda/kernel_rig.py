"""What the tests of the kernels share: pictures and mattes on a device, and their way back."""

import ctypes
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.native.pictures import STAMP
from tests.support.gpu import real_driver
from tests.support.host_kernels import SANITIZE, host_kernels
from vcam.cuda.device import Device
from vcam.cuda.driver import Driver
from vcam.cuda.kernels import DeviceMatte, DevicePicture, Kernels, read_fatbin
from vcam.cuda.live import ViewStruct, live_struct, view_struct
from vcam.fakes import FakeDriver
from vcam.frame import AffineMatte, DevicePlane, Image, Levels, Plane, Planes, Size, VideoFormat, Window, plane_shapes
from vcam.stages import MatteControls

UNWRITTEN = 77
"""What outputs are filled with, so that it shows where nothing was written."""


@dataclass(frozen=True, slots=True)
class Place:
    """How a picture lies in memory: ``padding`` bytes after each row, planes ``offset`` bytes off where words begin."""

    padding: int = 0
    offset: int = 0


PACKED = Place()


LOW = st.tuples(st.integers(1, 40), st.integers(1, 40))
PLACES = st.builds(Place, padding=st.integers(0, 9), offset=st.integers(0, 3))


def examples(count: int) -> settings:
    """So many, or a quarter of them under AddressSanitizer. The fixtures are makers: examples share nothing."""
    most = count // 4 if SANITIZE in os.environ else count
    return settings(
        max_examples=most, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    )


ALL_LEVELS, OFF = Levels(), MatteControls()


@dataclass(frozen=True, slots=True)
class Live:
    """What may change from frame to frame: pictures of a size, and the window of the matte that covers them."""

    picture: Size
    window: Window | None = None
    levels: Levels = ALL_LEVELS
    controls: MatteControls = OFF
    sigma_px: float = 0.0

    def view(self, matte: Size) -> ViewStruct:
        whole = Window(0.0, 0.0, matte.width, matte.height)
        return view_struct(self.picture, self.window or whole, matte, matte, (self.sigma_px, self.sigma_px))


class KernelRig:
    """Kernels on an entered Device. Uploads wait; what is queued through ``kernels`` runs when something is read."""

    def __init__(self, driver: Driver, fatbin: bytes) -> None:
        self.driver = driver
        self._device = Device(driver)
        self._fatbin = fatbin

    def __enter__(self) -> Self:
        self._device.__enter__()
        self._current = self._device.current()
        self._current.__enter__()
        self.kernels = Kernels(self._device, self._fatbin)
        self.stream = self._device.cuda_stream
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._current.__exit__(kind, error, trace)
        self._device.__exit__(kind, error, trace)

    def memory(self, values: npt.NDArray[np.generic], offset: int = 0) -> int:
        """Address of a copy of a C-contiguous array."""
        address = self._device.buffer(values.nbytes + offset).address + offset
        self.write(address, values)
        return address

    def write(self, address: int, values: npt.NDArray[np.generic]) -> None:
        """Put a C-contiguous array there."""
        host = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
        self._device.upload(address, host, cuda_stream=self.stream)
        self._device.synchronize()

    def read(self, address: int, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[np.generic]:
        """The array that lies there once all work is done."""
        out = np.empty(shape, dtype)
        self._device.download(out.reshape(-1).view(np.uint8), address, cuda_stream=self.stream)
        self._device.synchronize()
        return out

    def picture(self, image: Image, place: Place = PACKED) -> DevicePicture:
        planes = []
        for plane in image.planes:
            padded = np.full((plane.shape[0], plane.shape[1] + place.padding), UNWRITTEN, np.uint8)
            padded[:, : plane.shape[1]] = plane
            planes.append(DevicePlane(self.memory(padded, place.offset), padded.shape[1]))
        return DevicePicture(image.format, tuple(planes))

    def blank(self, fmt: VideoFormat, place: Place = PACKED) -> DevicePicture:
        planes = tuple(np.full(shape, UNWRITTEN, np.uint8) for shape in plane_shapes(fmt))
        return self.picture(Image(planes, fmt, STAMP), place)

    def planes(self, picture: DevicePicture) -> Planes:
        """Its planes; fails where something was written into the padding between rows."""
        return tuple(
            self._plane(plane, rows, row)
            for plane, (rows, row) in zip(picture.planes, plane_shapes(picture.format), strict=True)
        )

    def matte(self, matte: AffineMatte, *, half: bool, live: Live | None = None) -> DeviceMatte:
        """With what else the kernels are to read of it; without, the whole matte, for pictures of its size."""
        _, height, width = matte.a.shape
        size, asked = Size(width, height), live or Live(Size(width, height))
        a, b = (self.memory(values.astype(np.float16 if half else np.float32)) for values in (matte.a, matte.b))
        values = self.struct(live_struct(asked.levels, asked.controls))
        return DeviceMatte(a, b, size, half, self.struct(asked.view(size)), values)

    def struct(self, values: ctypes.Structure) -> int:
        """Address of a copy."""
        return self.memory(np.frombuffer(bytes(values), np.uint8))

    def flag(self, value: int = 0) -> int:
        return self.memory(np.array([value], np.uint32))

    def _plane(self, plane: DevicePlane, rows: int, row: int) -> Plane:
        whole = self.read(plane.address, (rows, plane.stride), np.uint8)
        assert (whole[:, row:] == UNWRITTEN).all(), "something was written between the rows"
        return whole[:, :row].view(np.uint8)


MakeRig = Callable[[], KernelRig]


@pytest.fixture(params=["host", pytest.param("cuda", marks=pytest.mark.gpu)])
def make_rig(request: pytest.FixtureRequest) -> MakeRig:
    if request.param == "host":
        return lambda: KernelRig(FakeDriver(host_kernels()), b"")
    return lambda: KernelRig(real_driver(), read_fatbin())


@st.composite
def windows(draw: st.DrawFn, shape: tuple[int, int]) -> Window:
    """The whole of (height, width), or a part of it that begins and ends anywhere; turned around or not."""
    height, width = shape
    if draw(st.booleans()):
        return draw(turned(Window(0.0, 0.0, width, height)))
    share = st.floats(0.0, 0.625)
    x, y = draw(share) * width, draw(share) * height
    return draw(turned(Window(x, y, (width - x) * draw(st.floats(0.25, 1.0)), (height - y) * 0.75)))


@st.composite
def turned(draw: st.DrawFn, window: Window) -> Window:
    """The same part, mirrored or flipped or not."""
    x, y, width, height = window.x, window.y, window.width, window.height
    if draw(st.booleans()):
        x, width = x + width, -width
    if draw(st.booleans()):
        y, height = y + height, -height
    return Window(x, y, width, height)


def rounded(matte: AffineMatte, *, half: bool) -> AffineMatte:
    """What a matte of this precision holds, as float32."""
    if not half:
        return matte
    return AffineMatte(
        matte.a.astype(np.float16).astype(np.float32), matte.b.astype(np.float16).astype(np.float32), matte.stamp
    )


def assert_alike(got: Sequence[Plane], wanted: Sequence[Plane], *, differing: float = 0.002) -> None:
    """Within one level everywhere, and equal but for a share of the bytes, which a few may always exceed."""
    assert len(got) == len(wanted)
    for plane, expected in zip(got, wanted, strict=True):
        difference = np.abs(plane.astype(int) - expected.astype(int))
        assert difference.max(initial=0) <= 1
        assert np.count_nonzero(difference) <= 4 + differing * difference.size


def assert_equal(got: Sequence[Plane], wanted: Sequence[Plane]) -> None:
    for plane, expected in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(plane, expected)


def without_padding(planes: Sequence[Plane], fmt: VideoFormat) -> tuple[Plane, ...]:
    """Copies in which the second luma of an odd last YUYV pair, which is no pixel, repeats the first."""
    copies = tuple(plane.copy() for plane in planes)
    if fmt.pixel_format.value == "YUYV" and fmt.width % 2:
        copies[0][:, -2] = copies[0][:, -4]
    return copies
