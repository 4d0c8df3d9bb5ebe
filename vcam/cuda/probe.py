"""Whether this machine has an NVIDIA GPU that vcam can use, and if not, why. Needs no library but the driver's own."""

import ctypes
from dataclasses import dataclass

from vcam.cuda.driver import DeviceFacts
from vcam.cuda.errors import INVALID_DEVICE, failure
from vcam.errors import EngineUnavailableError, VcamError

LIBRARY = "libcuda.so.1"
OLDEST_CUDA = 13000
"""CUDA 13.0, which driver 580 brought."""
OLDEST_COMPUTE_CAPABILITY = (7, 5)
"""Turing: CUDA 13, TensorRT 10 and our kernels all begin there."""

_NAME_BYTES = 256
# enum CUdevice_attribute
_COMPUTE_CAPABILITY_MAJOR, _COMPUTE_CAPABILITY_MINOR = 75, 76


@dataclass(frozen=True, slots=True)
class GpuAnswer:
    """facts: of the GPU; None when there is none to use, and then ``problem`` and ``hint`` tell why."""

    facts: DeviceFacts | None
    problem: str = ""
    hint: str = ""


def find_gpu(index: int = 0) -> GpuAnswer:
    """Look for a GPU. Never raises; on a machine without a driver it costs a failed search for the library."""
    try:
        return GpuAnswer(gpu_facts(index))
    except VcamError as error:
        return GpuAnswer(None, error.problem, error.hint)


def gpu_count() -> int:
    """Raises EngineUnavailableError or GpuError where not even that can be told."""
    count = ctypes.c_int()
    _call(_initialised(), "cuDeviceGetCount", ctypes.byref(count))
    return count.value


def gpu_facts(index: int = 0) -> DeviceFacts:
    """What is known of a GPU. Raises EngineUnavailableError, or GpuError when the driver itself has trouble."""
    library = _initialised()
    device, memory, name = ctypes.c_int(), ctypes.c_size_t(), ctypes.create_string_buffer(_NAME_BYTES)
    version, major, minor = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    if index < 0:
        raise failure(INVALID_DEVICE, "cuDeviceGet", f"number {index}")
    _call(library, "cuDeviceGet", ctypes.byref(device), index)
    _call(library, "cuDeviceGetName", name, _NAME_BYTES, device)
    _call(library, "cuDeviceTotalMem_v2", ctypes.byref(memory), device)
    _call(library, "cuDeviceGetAttribute", ctypes.byref(major), _COMPUTE_CAPABILITY_MAJOR, device)
    _call(library, "cuDeviceGetAttribute", ctypes.byref(minor), _COMPUTE_CAPABILITY_MINOR, device)
    _call(library, "cuDriverGetVersion", ctypes.byref(version))
    capability = (major.value, minor.value)
    label = name.value.decode(errors="replace")
    if capability < OLDEST_COMPUTE_CAPABILITY:
        raise EngineUnavailableError(
            f"the GPU is too old: {label} has compute capability {capability[0]}.{capability[1]}, vcam needs 7.5",
            hint="use an NVIDIA GPU of the Turing generation (RTX 20, GTX 16, T4) or newer, or run with `-e openvino`",
        )
    return DeviceFacts(index, label, capability, memory.value, version.value)


def _initialised() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError as error:
        raise EngineUnavailableError(
            f"no NVIDIA driver: {error}",
            hint="install NVIDIA's driver 580 or newer and reboot; a container needs `--gpus all` besides",
        ) from None
    version = ctypes.c_int()
    _call(library, "cuDriverGetVersion", ctypes.byref(version))
    if version.value < OLDEST_CUDA:
        raise EngineUnavailableError(
            f"the NVIDIA driver is too old: it supports CUDA {_spoken(version.value)}, vcam needs"
            f" {_spoken(OLDEST_CUDA)}",
            hint="install NVIDIA's driver 580 or newer, then reboot",
        )
    _call(library, "cuInit", 0)
    return library


def _call(library: ctypes.CDLL, name: str, *arguments: object) -> None:
    try:
        code = getattr(library, name)(*arguments)
    except AttributeError:
        raise EngineUnavailableError(
            f"{LIBRARY} is no CUDA driver: it lacks {name}", hint="reinstall NVIDIA's driver, then reboot"
        ) from None
    if code:
        raise failure(code, name)


def _spoken(version: int) -> str:
    return f"{version // 1000}.{version % 1000 // 10}"
