"""The TurboJPEG 2 API, as much of it as decoding to planes needs, straight over ctypes.

PyTurboJPEG names the constants and the places to look; its own decode_to_yuv_planes allocates on every call and
opens a handle each time, which costs what planes save over RGB.
"""

import ctypes
import ctypes.util
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from turbojpeg import DEFAULT_LIB_PATHS, TJERR_WARNING

from vcam.errors import MissingDependencyError
from vcam.frame import Plane


class JpegError(Exception):
    """libjpeg-turbo's own words about a frame. ``fatal`` is False when it produced pixels all the same."""

    def __init__(self, message: str, *, fatal: bool) -> None:
        super().__init__(message)
        self.fatal = fatal


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """What the JPEG says of itself; subsampling and colorspace are TJSAMP_* and TJCS_*."""

    width: int
    height: int
    subsampling: int
    colorspace: int


@dataclass(frozen=True, slots=True)
class PlanePointers:
    """Where libjpeg-turbo writes, and its bytes per line there; built once per size."""

    addresses: ctypes.Array[ctypes.c_void_p]
    strides: ctypes.Array[ctypes.c_int]


def plane_pointers(planes: Sequence[Plane]) -> PlanePointers:
    """Pointers to planes that the caller keeps alive."""
    count = len(planes)
    addresses = (ctypes.c_void_p * count)(*(plane.ctypes.data for plane in planes))
    return PlanePointers(addresses, (ctypes.c_int * count)(*(plane.strides[0] for plane in planes)))


def find_library() -> str:
    """Where libturbojpeg is. Raises MissingDependencyError."""
    found = ctypes.util.find_library("turbojpeg")
    if found is None:
        known = DEFAULT_LIB_PATHS.get(platform.system(), [])
        found = next((path for path in known if Path(path).exists()), None)
    if found is None:
        raise MissingDependencyError(
            "libturbojpeg was not found", hint="Install it: `sudo apt install libturbojpeg0` (Debian, Ubuntu)."
        )
    return str(found)


class Decompressor:
    """One decompression handle. Not safe between threads; calls release the GIL."""

    def __init__(self, library: str) -> None:
        """Raises MissingDependencyError when ``library`` cannot be loaded or is no TurboJPEG."""
        try:
            self._functions = _bind(ctypes.CDLL(library))
        except (OSError, AttributeError) as error:
            raise MissingDependencyError(
                f"{library} cannot be used: {error}", hint="Reinstall it: `sudo apt install --reinstall libturbojpeg0`."
            ) from error
        self._handle: int | None = self._open()

    def close(self) -> None:
        """Free the handle; harmless when called again."""
        handle, self._handle = self._handle, None
        if handle is not None:
            self._functions.tjDestroy(handle)

    def header(self, data: Plane) -> JpegHeader:
        """Read the header of one JPEG; its size is 0x0 when it holds tables but no picture. Raises JpegError."""
        values = [ctypes.c_int() for _ in range(4)]
        status = self._functions.tjDecompressHeader3(
            self._handle, data.ctypes.data, data.size, *(ctypes.byref(value) for value in values)
        )
        if status:
            raise self._error()
        return JpegHeader(*(value.value for value in values))

    def planes(self, data: Plane, header: JpegHeader, target: PlanePointers, flags: int) -> None:
        """Decode into ``target``. Raises JpegError, not fatal for what libjpeg calls a warning."""
        status = self._functions.tjDecompressToYUVPlanes(
            self._handle, data.ctypes.data, data.size, target.addresses, header.width, target.strides,
            header.height, flags,
        )  # fmt: skip
        if status:
            raise self._error()

    def plane_shape(self, component: int, header: JpegHeader) -> tuple[int, int]:
        """(rows, bytes per row) that libjpeg-turbo writes: odd luma sizes are padded to whole chroma samples."""
        rows = self._functions.tjPlaneHeight(component, header.height, header.subsampling)
        return rows, self._functions.tjPlaneWidth(component, header.width, header.subsampling)

    def renew(self) -> None:
        """Start afresh after an error (33 us): libjpeg-turbo 2.1 refuses good frames after some bad headers."""
        self.close()
        self._handle = self._open()

    def _open(self) -> int:
        handle: int | None = self._functions.tjInitDecompress()
        if handle is None:
            raise MissingDependencyError(
                "libturbojpeg gives no handle", hint="Free memory, then start `vcam run` again."
            )
        return handle

    def _error(self) -> JpegError:
        message = self._functions.tjGetErrorStr2(self._handle).decode(errors="replace")
        return JpegError(message, fatal=self._functions.tjGetErrorCode(self._handle) != TJERR_WARNING)


def _bind(library: ctypes.CDLL) -> ctypes.CDLL:
    # Signatures: turbojpeg.h of libjpeg-turbo 2.0 and later; 3.x still exports them.
    pointer, integer, size = ctypes.c_void_p, ctypes.c_int, ctypes.c_ulong
    integers = ctypes.POINTER(ctypes.c_int)
    signatures: dict[str, tuple[list[type], type | None]] = {
        "tjInitDecompress": ([], pointer),
        "tjDestroy": ([pointer], integer),
        "tjDecompressHeader3": ([pointer, pointer, size, integers, integers, integers, integers], integer),
        "tjDecompressToYUVPlanes": (
            [pointer, pointer, size, ctypes.POINTER(pointer), integer, integers, integer, integer],
            integer,
        ),
        "tjPlaneWidth": ([integer, integer, integer], integer),
        "tjPlaneHeight": ([integer, integer, integer], integer),
        "tjGetErrorStr2": ([pointer], ctypes.c_char_p),
        "tjGetErrorCode": ([pointer], integer),
    }
    for function_name, (arguments, result) in signatures.items():
        function = getattr(library, function_name)
        function.argtypes, function.restype = arguments, result
    return library
