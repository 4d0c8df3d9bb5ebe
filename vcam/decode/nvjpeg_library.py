"""nvJPEG, as much of it as decoding one frame to planes needs, straight over ctypes. Loading it needs no GPU.

Every call returns a status; here it becomes an NvJpegError with the status's name and meaning.
"""

import ctypes
import ctypes.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from importlib import metadata
from types import MappingProxyType
from typing import TypeAlias

from vcam.errors import MissingDependencyError
from vcam.installing import how_to_add

COMPONENTS = 4
"""NVJPEG_MAX_COMPONENT"""

OUTPUT_YUV = 1
"""NVJPEG_OUTPUT_YUV: luma and chroma as they are coded, in planes."""

BITSTREAM_STRICT = 1 << 2
"""NVJPEG_FLAGS_BITSTREAM_STRICT: refuse what breaks the standard, instead of making a picture of it."""

_PACKAGES = ("nvidia-nvjpeg", "nvidia-nvjpeg-cu12")


class Backend(IntEnum):
    """nvjpegBackend_t, those that take one frame from the host."""

    DEFAULT = 0
    HYBRID = 1
    GPU_HYBRID = 2
    HARDWARE = 3


class Subsampling(IntEnum):
    """nvjpegChromaSubsampling_t"""

    S444 = 0
    S422 = 1
    S420 = 2
    S440 = 3
    S411 = 4
    S410 = 5
    GREY = 6
    S410V = 7
    UNKNOWN = -1


class Status(IntEnum):
    """nvjpegStatus_t"""

    SUCCESS = 0
    NOT_INITIALIZED = 1
    INVALID_PARAMETER = 2
    BAD_JPEG = 3
    JPEG_NOT_SUPPORTED = 4
    ALLOCATOR_FAILURE = 5
    EXECUTION_FAILED = 6
    ARCH_MISMATCH = 7
    INTERNAL_ERROR = 8
    IMPLEMENTATION_NOT_SUPPORTED = 9
    INCOMPLETE_BITSTREAM = 10


MEANINGS: Mapping[Status, str] = MappingProxyType(
    {
        Status.SUCCESS: "nothing is wrong",
        Status.NOT_INITIALIZED: "the library's handle was not made, or is gone",
        Status.INVALID_PARAMETER: "a call was made with wrong arguments",
        Status.BAD_JPEG: "the frame cannot be parsed",
        Status.JPEG_NOT_SUPPORTED: "the frame is of a kind that nvJPEG does not decode",
        Status.ALLOCATOR_FAILURE: "there is not enough memory on the GPU or page-locked memory",
        Status.EXECUTION_FAILED: "a kernel could not be started, or there is no usable GPU or driver",
        Status.ARCH_MISMATCH: "this GPU lacks what the chosen backend needs",
        Status.INTERNAL_ERROR: "the library failed in itself",
        Status.IMPLEMENTATION_NOT_SUPPORTED: "the chosen backend does not do what was asked",
        Status.INCOMPLETE_BITSTREAM: "the frame was cut off",
    }
)
"""In our words, after nvJPEG's documentation ("nvJPEG API Return Codes")."""

_OF_THE_FRAME = frozenset({Status.BAD_JPEG, Status.JPEG_NOT_SUPPORTED, Status.INCOMPLETE_BITSTREAM})


class NvJpegError(Exception):
    """What nvJPEG answered. ``of_the_frame``: the next frame may be good; else the library or the GPU is at fault."""

    def __init__(self, call: str, code: int) -> None:
        known = code in Status.__members__.values()
        name, meaning = (Status(code).name, MEANINGS[Status(code)]) if known else ("?", "a status we do not know")
        super().__init__(f"{call}: NVJPEG_STATUS_{name} ({code}), {meaning}")
        self.code = code
        self.of_the_frame = known and Status(code) in _OF_THE_FRAME


class Destination(ctypes.Structure):
    """nvjpegImage_t: where each plane goes in the GPU's memory, and its bytes per line there."""

    _fields_ = (("channel", ctypes.c_void_p * COMPONENTS), ("pitch", ctypes.c_size_t * COMPONENTS))


_HANDLE, _ADDRESS, _SIZE = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t
_OUT_HANDLE, _OUT_INTEGER = ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_int)

SIGNATURES: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {
        "nvjpegGetProperty": (ctypes.c_int, _OUT_INTEGER),
        "nvjpegCreateEx": (ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, _OUT_HANDLE),
        "nvjpegDestroy": (_HANDLE,),
        "nvjpegJpegStateCreate": (_HANDLE, _OUT_HANDLE),
        "nvjpegJpegStateDestroy": (_HANDLE,),
        "nvjpegGetImageInfo": (_HANDLE, _ADDRESS, _SIZE, _OUT_INTEGER, _OUT_INTEGER, _OUT_INTEGER, _OUT_INTEGER),
        "nvjpegDecode": (
            _HANDLE, _HANDLE, _ADDRESS, _SIZE, ctypes.c_int, ctypes.POINTER(Destination), ctypes.c_void_p,
        ),
    }
)  # fmt: skip
"""Arguments of each function that is called, after nvjpeg.h; each returns a status. Calls release the GIL."""

Functions: TypeAlias = Mapping[str, Callable[..., int]]
"""The library: what SIGNATURES names. The seam at which tests put another one."""


@dataclass(frozen=True, slots=True)
class JpegInfo:
    """What a frame says of itself. sizes: (width, height) of each component. subsampling: of nvJPEG."""

    sizes: tuple[tuple[int, int], ...]
    subsampling: int


def load_nvjpeg() -> Functions:
    """The library of NVIDIA's package, else the system's. Raises MissingDependencyError."""
    path = find_nvjpeg()
    try:
        library = ctypes.CDLL(path)
        functions = {name: getattr(library, name) for name in SIGNATURES}
    except (OSError, AttributeError) as error:
        raise MissingDependencyError(f"{path} cannot be used: {error}", hint=_install_hint()) from error
    for name, arguments in SIGNATURES.items():
        functions[name].argtypes, functions[name].restype = arguments, ctypes.c_int
    return MappingProxyType(functions)


def find_nvjpeg() -> str:
    """Where libnvjpeg is. Raises MissingDependencyError."""
    for package in _PACKAGES:
        try:
            files = metadata.files(package) or ()
        except metadata.PackageNotFoundError:
            continue
        found = next((str(file.locate()) for file in files if file.name.startswith("libnvjpeg.so")), None)
        if found is not None:
            return found
    system = ctypes.util.find_library("nvjpeg")
    if system is None:
        raise MissingDependencyError("nvJPEG is not installed", hint=_install_hint())
    return system


class NvJpeg:
    """One handle and one decoding state. Used by one thread at a time, with the GPU's context current."""

    def __init__(self, functions: Functions, *, backend: Backend = Backend.DEFAULT) -> None:
        """Raises NvJpegError, EXECUTION_FAILED where there is no GPU."""
        self._functions = functions
        self._handle, self._state = ctypes.c_void_p(), ctypes.c_void_p()
        self._components, self._subsampling = ctypes.c_int(), ctypes.c_int()
        self._widths, self._heights = (ctypes.c_int * COMPONENTS)(), (ctypes.c_int * COMPONENTS)()
        self._call("nvjpegCreateEx", backend, None, None, BITSTREAM_STRICT, ctypes.byref(self._handle))
        try:
            self._call("nvjpegJpegStateCreate", self._handle, ctypes.byref(self._state))
        except NvJpegError:
            self.close()
            raise

    def close(self) -> None:
        """Free state and handle, whatever they answer; harmless when called again. No decoding may be under way."""
        state, self._state = self._state, ctypes.c_void_p()
        handle, self._handle = self._handle, ctypes.c_void_p()
        if state.value is not None:
            self._functions["nvjpegJpegStateDestroy"](state)
        if handle.value is not None:
            self._functions["nvjpegDestroy"](handle)

    def renew(self) -> None:
        """A fresh decoding state, after an error. No decoding may be under way. Raises NvJpegError."""
        state, self._state = self._state, ctypes.c_void_p()
        if state.value is not None:
            self._functions["nvjpegJpegStateDestroy"](state)
        self._call("nvjpegJpegStateCreate", self._handle, ctypes.byref(self._state))

    def info(self, address: int, nbytes: int) -> JpegInfo:
        """Of a JPEG in the host's memory. Raises NvJpegError."""
        self._call(
            "nvjpegGetImageInfo", self._handle, address, nbytes, ctypes.byref(self._components),
            ctypes.byref(self._subsampling), self._widths, self._heights,
        )  # fmt: skip
        count = min(max(self._components.value, 0), COMPONENTS)
        sizes = tuple(zip(self._widths, self._heights, strict=True))[:count]
        return JpegInfo(sizes, self._subsampling.value)

    def decode(self, address: int, nbytes: int, destination: Destination, *, cuda_stream: int) -> None:
        """Read a JPEG from the host's memory and queue its decoding. Raises NvJpegError."""
        self._call(
            "nvjpegDecode", self._handle, self._state, address, nbytes, OUTPUT_YUV, ctypes.byref(destination),
            cuda_stream,
        )  # fmt: skip

    def _call(self, name: str, *arguments: object) -> None:
        _call(self._functions, name, *arguments)


def version(functions: Functions) -> str:
    """The library's, as ``13.0.2``. Raises NvJpegError."""
    value, parts = ctypes.c_int(), []
    for part in range(3):  # libraryPropertyType: MAJOR_VERSION, MINOR_VERSION, PATCH_LEVEL
        _call(functions, "nvjpegGetProperty", part, ctypes.byref(value))
        parts.append(str(value.value))
    return ".".join(parts)


def _call(functions: Functions, name: str, *arguments: object) -> None:
    code = functions[name](*arguments)
    if code != Status.SUCCESS:
        raise NvJpegError(name, code)


def _install_hint() -> str:
    return f"{how_to_add('nvjpeg')}; until then libjpeg-turbo decodes"
