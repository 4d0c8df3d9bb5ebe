"""CUDA's result codes in words: what happened, and what the operator can do.

The numbers and names are those of cuda.h (enum cudaError_enum, CUDA 13).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vcam.errors import EngineError, EngineUnavailableError, GpuError, GpuLostError

_RESTART = "restart vcam; if it happens again run `vcam doctor` and look for `NVRM: Xid` in `dmesg`"
_REPORT = "this is a fault in vcam: please report it with the log, and run with `-e openvino` until then"
_MEMORY = "close other programs that use the GPU (`nvidia-smi` lists them), or choose a lower `--quality`"
_DRIVER = "install NVIDIA's driver 580 or newer, then reboot"


@dataclass(frozen=True, slots=True)
class Result:
    """One result code. error: the class that it becomes."""

    name: str
    meaning: str
    remedy: str = _REPORT
    error: type[EngineError] = GpuError


def _lost(name: str, meaning: str, remedy: str = _RESTART) -> Result:
    return Result(name, meaning, remedy, GpuLostError)


def _unavailable(name: str, meaning: str, remedy: str) -> Result:
    return Result(name, meaning, remedy, EngineUnavailableError)


SUCCESS = 0
INVALID_VALUE = 1
OUT_OF_MEMORY = 2
NO_DEVICE = 100
INVALID_DEVICE = 101
INVALID_CONTEXT = 201
INVALID_HANDLE = 400
NOT_FOUND = 500
NOT_READY = 600
ILLEGAL_ADDRESS = 700
LAUNCH_FAILED = 719
CAPTURE_UNSUPPORTED = 900
CAPTURE_INVALIDATED = 901
CAPTURE_UNJOINED = 904
CAPTURED_EVENT = 907
CAPTURE_WRONG_THREAD = 908

RESULTS: Mapping[int, Result] = MappingProxyType(
    {
        INVALID_VALUE: Result("CUDA_ERROR_INVALID_VALUE", "an argument is out of its range"),
        OUT_OF_MEMORY: Result("CUDA_ERROR_OUT_OF_MEMORY", "the GPU's memory, or the host's, is used up", _MEMORY),
        3: _unavailable("CUDA_ERROR_NOT_INITIALIZED", "CUDA is not initialised", _DRIVER),
        4: _lost("CUDA_ERROR_DEINITIALIZED", "the driver is shutting down"),
        34: _unavailable(
            "CUDA_ERROR_STUB_LIBRARY",
            "the loaded libcuda is the toolkit's stub, not the driver",
            "take the folder `stubs` out of LD_LIBRARY_PATH",
        ),
        36: _unavailable(
            "CUDA_ERROR_CALL_REQUIRES_NEWER_DRIVER", "the driver lacks a function that vcam uses", _DRIVER
        ),
        46: Result(
            "CUDA_ERROR_DEVICE_UNAVAILABLE",
            "another process holds the GPU for itself",
            "end that process (`nvidia-smi`), or run `sudo nvidia-smi -c DEFAULT`",
        ),
        NO_DEVICE: _unavailable(
            "CUDA_ERROR_NO_DEVICE",
            "the driver finds no NVIDIA GPU",
            "check that `nvidia-smi` lists it, and that CUDA_VISIBLE_DEVICES does not hide it",
        ),
        INVALID_DEVICE: _unavailable(
            "CUDA_ERROR_INVALID_DEVICE", "there is no GPU of that number", "`nvidia-smi -L` lists those that are there"
        ),
        200: _unavailable(
            "CUDA_ERROR_INVALID_IMAGE", "the kernels' file is damaged", "build it anew with `make kernels`"
        ),
        INVALID_CONTEXT: Result("CUDA_ERROR_INVALID_CONTEXT", "no context is current on this thread"),
        209: _unavailable(
            "CUDA_ERROR_NO_BINARY_FOR_GPU",
            "the kernels were not compiled for this GPU",
            "use a GPU of compute capability 7.5 or newer, or build the kernels for it with `make kernels`",
        ),
        214: _lost("CUDA_ERROR_ECC_UNCORRECTABLE", "the GPU's memory has an error that it could not correct"),
        218: _unavailable(
            "CUDA_ERROR_INVALID_PTX", "the kernels' file is damaged", "build it anew with `make kernels`"
        ),
        220: _lost("CUDA_ERROR_NVLINK_UNCORRECTABLE", "the link between GPUs failed"),
        222: _unavailable(
            "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "the driver is older than the compiler of the kernels", _DRIVER
        ),
        226: _lost("CUDA_ERROR_CONTAINED", "the GPU's memory has an error, which hit this process only"),
        304: Result("CUDA_ERROR_OPERATING_SYSTEM", "the operating system refused the driver a call", _RESTART),
        INVALID_HANDLE: Result("CUDA_ERROR_INVALID_HANDLE", "a handle is not, or no longer, valid"),
        NOT_FOUND: Result(
            "CUDA_ERROR_NOT_FOUND", "a kernel of that name is not in the file", "build it anew with `make kernels`"
        ),
        NOT_READY: Result("CUDA_ERROR_NOT_READY", "the work is not through yet"),
        ILLEGAL_ADDRESS: _lost("CUDA_ERROR_ILLEGAL_ADDRESS", "a kernel touched memory that is not its own"),
        701: Result("CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "a kernel needs more of the GPU than there is", _REPORT),
        702: _lost("CUDA_ERROR_LAUNCH_TIMEOUT", "a kernel ran too long, and the display's watchdog ended it"),
        709: _lost("CUDA_ERROR_CONTEXT_IS_DESTROYED", "the process's CUDA context is gone"),
        710: _lost("CUDA_ERROR_ASSERT", "a check inside a kernel failed"),
        712: Result("CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED", "the host memory is page-locked already"),
        714: _lost("CUDA_ERROR_HARDWARE_STACK_ERROR", "a kernel spoilt its stack"),
        715: _lost("CUDA_ERROR_ILLEGAL_INSTRUCTION", "a kernel came to an instruction that the GPU does not know"),
        716: _lost("CUDA_ERROR_MISALIGNED_ADDRESS", "a kernel touched memory that is not aligned"),
        717: _lost("CUDA_ERROR_INVALID_ADDRESS_SPACE", "a kernel used memory of the wrong kind"),
        718: _lost("CUDA_ERROR_INVALID_PC", "a kernel lost its way"),
        LAUNCH_FAILED: _lost("CUDA_ERROR_LAUNCH_FAILED", "a kernel ended with an error"),
        800: _unavailable(
            "CUDA_ERROR_NOT_PERMITTED",
            "this process may not use the GPU so",
            "check the rights on /dev/nvidia*, and in a container its device rules",
        ),
        801: Result("CUDA_ERROR_NOT_SUPPORTED", "this GPU or driver does not have that function", _DRIVER),
        802: _unavailable(
            "CUDA_ERROR_SYSTEM_NOT_READY",
            "the GPU's services do not run yet",
            "start them (`systemctl start nvidia-fabricmanager nvidia-persistenced`), then start vcam again",
        ),
        803: _unavailable(
            "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
            "the driver's library and its kernel module are of two versions",
            "reboot, so that the kernel loads the module that was installed",
        ),
        804: _unavailable(
            "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE", "CUDA's compatibility package does not serve this GPU", _DRIVER
        ),
        CAPTURE_UNSUPPORTED: Result(
            "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "the call is not allowed while a graph is captured"
        ),
        CAPTURE_INVALIDATED: Result(
            "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "an earlier error spoilt the capture of a graph"
        ),
        CAPTURE_UNJOINED: Result(
            "CUDA_ERROR_STREAM_CAPTURE_UNJOINED", "a graph's capture has work on a second stream that was not joined"
        ),
        906: Result(
            "CUDA_ERROR_STREAM_CAPTURE_IMPLICIT", "the call would have used the legacy stream during a capture"
        ),
        CAPTURED_EVENT: Result("CUDA_ERROR_CAPTURED_EVENT", "the event was recorded in a capture and has no time"),
        CAPTURE_WRONG_THREAD: Result(
            "CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD", "a capture was ended by another thread than began it"
        ),
        911: _lost("CUDA_ERROR_EXTERNAL_DEVICE", "another device on the bus failed"),
        999: _lost("CUDA_ERROR_UNKNOWN", "the driver has no name for it; often the GPU fell off the bus"),
    }
)


def failure(code: int, call: str, detail: str = "") -> EngineError:
    """The error to raise for a result code. call: the CUDA function; detail: more of the driver's words."""
    result = RESULTS.get(code, Result(f"CUDA error {code}", "cuda.h of a newer CUDA tells what it means", _RESTART))
    words = f"{call} failed: {result.name} ({result.meaning})" + (f": {detail}" if detail else "")
    return result.error(words, hint=result.remedy, code=code, call=call)


def is_lost(code: int) -> bool:
    """Whether every later call of the process will fail too."""
    return code in RESULTS and RESULTS[code].error is GpuLostError
