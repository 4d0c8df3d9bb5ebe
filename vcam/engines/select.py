"""Which engine ``auto`` means here, and why. Looking is apart from choosing, so that choosing can be tested.

The order of the CPU engines is measured (``vcam bench`` measures it again): at 256x144, 384x216 and 512x288, with one
thread and with two, OpenVINO is ahead of ONNX Runtime, and ahead of itself in bfloat16 where the CPU has that in
hardware; the matte then moves by some 0.0002 on average.
"""

import os
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from vcam.cuda.probe import GpuAnswer, find_gpu
from vcam.engines.tensorrt_flavour import Flavour
from vcam.errors import EngineUnavailableError

_CPU_INFO = Path("/proc/cpuinfo")
_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
_MAX_THREADS = 8
"""The core is small: more threads than this wait for each other."""

_NO_GPU = GpuAnswer(None, "no NVIDIA GPU is here", "choose --engine auto")
_RTX_LEFT_OUT = frozenset({9, 10, 11})
"""Major compute capabilities that NVIDIA's support matrix of TensorRT-RTX leaves out: chips of data centres, robots."""


class EngineName(StrEnum):
    """All engines there are names for; the values are what users write."""

    TENSORRT = "tensorrt"
    TENSORRT_RTX = "tensorrt-rtx"
    OPENVINO = "openvino"
    ONNXRUNTIME = "onnxruntime"
    PLATE = "plate"


@dataclass(frozen=True, slots=True)
class Availability:
    """What this machine has. model: the network is here or can be fetched. bf16: the CPU multiplies bfloat16.

    gpu: an NVIDIA GPU, or what hinders its use. cuda: pycuda and cuda-bindings are installed. The others: that library
    is installed.
    """

    model: bool
    openvino: bool = False
    onnxruntime: bool = False
    bf16: bool = False
    gpu: GpuAnswer = _NO_GPU
    cuda: bool = False
    tensorrt: bool = False
    tensorrt_rtx: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """reason: a sentence for the log and the user. bf16: OpenVINO should compute in bfloat16."""

    engine: EngineName
    reason: str
    bf16: bool = False


def choose(available: Availability, wanted: EngineName | None = None) -> Choice:
    """The engine the user ``wanted``, or the best one (None).

    Raises EngineUnavailableError when the wanted one cannot run; nothing else takes its place.
    """
    best = wanted or _best(available)
    missing = _missing(best, available)
    if missing:
        raise EngineUnavailableError(f"engine {best} cannot run: {missing[0]}", hint=missing[1])
    reason = "it was asked for" if wanted else _reason(best, available)
    bf16 = best is EngineName.OPENVINO and available.bf16
    return Choice(best, f"{reason}; computes in bfloat16, which this CPU has" if bf16 else reason, bf16)


def look(*, model: bool) -> Availability:
    """Finds libraries without importing them, and asks the NVIDIA driver, where there is one, for a GPU."""
    return Availability(
        model=model,
        openvino=find_spec("openvino") is not None,
        onnxruntime=find_spec("onnxruntime") is not None,
        bf16=_has_bf16(),
        gpu=find_gpu(),
        cuda=find_spec("pycuda") is not None and find_spec("cuda") is not None,
        tensorrt=find_spec(Flavour.TENSORRT.module) is not None,
        tensorrt_rtx=find_spec(Flavour.RTX.module) is not None,
    )


def default_threads() -> int:
    """As many as this process may run at once: the frame thread waits while the engine computes."""
    return min(len(os.sched_getaffinity(0)), _MAX_THREADS)


_REASONS = {
    EngineName.TENSORRT: "a GPU and TensorRT are here",
    EngineName.TENSORRT_RTX: "a GPU and TensorRT-RTX are here",
    EngineName.OPENVINO: "OpenVINO is the fastest on a CPU",
    EngineName.ONNXRUNTIME: "OpenVINO is not installed",
    EngineName.PLATE: "no network can run here; this engine needs none",
}


def _reason(engine: EngineName, available: Availability) -> str:
    """Why ``auto`` takes it; for an engine on the CPU also why no GPU engine runs, which its owner may want to know."""
    if engine not in (EngineName.OPENVINO, EngineName.ONNXRUNTIME):
        return _REASONS[engine]
    nearest = Flavour.RTX if available.tensorrt_rtx and not available.tensorrt else Flavour.TENSORRT
    hindrance = _gpu_missing(nearest, available)
    return f"{f'no GPU engine can run: {hindrance[0]}; ' if hindrance else ''}{_REASONS[engine]}"


def _best(available: Availability) -> EngineName:
    return next(name for name in EngineName if not _missing(name, available))


def _missing(engine: EngineName, available: Availability) -> tuple[str, str] | None:
    """What stands in an engine's way, and the remedy."""
    if engine is EngineName.PLATE:
        return None
    if not available.model:
        return "its network is not here", "vcam model prepare, or vcam model prepare --from FILE"
    if engine is EngineName.OPENVINO and not available.openvino:
        return "openvino is not installed", "pip install 'vcam[cpu]'"
    if engine is EngineName.ONNXRUNTIME and not available.onnxruntime:
        return "onnxruntime is not installed", "pip install 'vcam[cpu]'"
    if engine in (EngineName.TENSORRT, EngineName.TENSORRT_RTX):
        return _gpu_missing(Flavour(engine.value), available)
    return None


def _gpu_missing(flavour: Flavour, available: Availability) -> tuple[str, str] | None:
    gpu = available.gpu.facts
    if gpu is None:
        return available.gpu.problem, available.gpu.hint
    if flavour is Flavour.RTX and gpu.compute_capability[0] in _RTX_LEFT_OUT:
        return f"TensorRT-RTX does not support the {gpu}", Flavour.TENSORRT.install_hint
    if not (available.tensorrt_rtx if flavour is Flavour.RTX else available.tensorrt):
        return f"{flavour.module} is not installed for the {gpu}", flavour.install_hint
    if not available.cuda:
        return f"pycuda or cuda-bindings is not installed for the {gpu}", "pip install 'vcam[gpu]'"
    return None


def _has_bf16() -> bool:
    try:
        text = _CPU_INFO.read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return bool(_BF16_FLAGS & set(flags.split()))
