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

from vcam.errors import EngineUnavailableError

_CPU_INFO = Path("/proc/cpuinfo")
_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
_MAX_THREADS = 8
"""The core is small: more threads than this wait for each other."""


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

    tensorrt, tensorrt_rtx: that engine can run, library and GPU.
    """

    model: bool
    openvino: bool = False
    onnxruntime: bool = False
    bf16: bool = False
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
    reason = "it was asked for" if wanted else _REASONS[best]
    bf16 = best is EngineName.OPENVINO and available.bf16
    return Choice(best, f"{reason}; computes in bfloat16, which this CPU has" if bf16 else reason, bf16)


def look(*, model: bool) -> Availability:
    """Finds libraries without importing them. GPU engines are not there yet."""
    return Availability(
        model=model,
        openvino=find_spec("openvino") is not None,
        onnxruntime=find_spec("onnxruntime") is not None,
        bf16=_has_bf16(),
    )


def default_threads() -> int:
    """As many as this process may run at once: the frame thread waits while the engine computes."""
    return min(len(os.sched_getaffinity(0)), _MAX_THREADS)


_REASONS = {
    EngineName.TENSORRT: "a GPU and TensorRT are here",
    EngineName.TENSORRT_RTX: "a GPU and TensorRT-RTX are here",
    EngineName.OPENVINO: "no GPU engine is here; OpenVINO is the fastest on a CPU",
    EngineName.ONNXRUNTIME: "neither a GPU engine nor OpenVINO is here",
    EngineName.PLATE: "no network can run here; this engine needs none",
}


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
    if engine is EngineName.TENSORRT and not available.tensorrt:
        return "this version has no TensorRT engine", "choose --engine auto"
    if engine is EngineName.TENSORRT_RTX and not available.tensorrt_rtx:
        return "this version has no TensorRT-RTX engine", "choose --engine auto"
    return None


def _has_bf16() -> bool:
    try:
        text = _CPU_INFO.read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return bool(_BF16_FLAGS & set(flags.split()))
