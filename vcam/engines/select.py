"""Which engine ``auto`` means here, and why. Looking is apart from choosing, so that choosing can be tested.

The order of the CPU engines is measured (``vcam bench`` measures it again): at 256x144, 384x216 and 512x288, with one
thread and with two, OpenVINO is ahead of ONNX Runtime, and ahead of itself in bfloat16 where the CPU has that in
hardware; the matte then moves by some 0.0002 on average.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from vcam.cuda.probe import GpuAnswer, find_gpu
from vcam.engine_names import EngineName
from vcam.engines.tensorrt_flavour import Flavour
from vcam.errors import EngineUnavailableError
from vcam.installing import how_to_add

_CPU_INFO = Path("/proc/cpuinfo")
_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
_MAX_THREADS = 8
"""The core is small: more threads than this wait for each other."""

_NO_GPU = GpuAnswer(None, "no NVIDIA GPU is here", "choose --engine auto")
_RTX_LEFT_OUT = frozenset({9, 10, 11})
"""Major compute capabilities that NVIDIA's support matrix of TensorRT-RTX leaves out: chips of data centres, robots."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What an engine is. reason: why ``auto`` takes it. library: what Python calls the one that it needs; None for an
    engine that needs neither a library nor a network. extra: ours that has the library. flavour: of TensorRT, for an
    engine on a GPU."""

    reason: str
    library: str | None = None
    extra: str = ""
    flavour: Flavour | None = None


def _gpu_kind(reason: str, flavour: Flavour) -> Kind:
    return Kind(reason, flavour.module, flavour=flavour)


ENGINES: Mapping[EngineName, Kind] = MappingProxyType(
    {
        EngineName.TENSORRT: _gpu_kind("a GPU and TensorRT are here", Flavour.TENSORRT),
        EngineName.TENSORRT_RTX: _gpu_kind("a GPU and TensorRT-RTX are here", Flavour.RTX),
        EngineName.OPENVINO: Kind("OpenVINO is the fastest on a CPU", "openvino", "cpu"),
        EngineName.ONNXRUNTIME: Kind("OpenVINO is not installed", "onnxruntime", "cpu"),
        EngineName.PLATE: Kind("no network can run here; this engine needs none"),
    }
)
"""All that ``auto`` chooses from, the best first."""


@dataclass(frozen=True, slots=True)
class Availability:
    """What this machine has. model: the network is here or can be fetched. installed: the engines whose library is.

    bf16: the CPU multiplies bfloat16. gpu: an NVIDIA GPU, or what hinders its use. cuda: pycuda and cuda-bindings are
    installed.
    """

    model: bool
    installed: frozenset[EngineName] = frozenset()
    bf16: bool = False
    gpu: GpuAnswer = _NO_GPU
    cuda: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """reason: a sentence for the log and the user. bf16: OpenVINO should compute in bfloat16."""

    engine: EngineName
    reason: str
    bf16: bool = False


def choose(available: Availability, wanted: EngineName = EngineName.AUTO) -> Choice:
    """The engine the user ``wanted``, or the best one.

    Raises EngineUnavailableError when the wanted one cannot run; nothing else takes its place.
    """
    asked = wanted is not EngineName.AUTO
    best = wanted if asked else next(name for name in ENGINES if not _missing(name, available))
    missing = _missing(best, available)
    if missing:
        raise EngineUnavailableError(f"engine {best} cannot run: {missing[0]}", hint=missing[1])
    reason = "it was asked for" if asked else _reason(best, available)
    bf16 = best is EngineName.OPENVINO and available.bf16
    return Choice(best, f"{reason}; computes in bfloat16, which this CPU has" if bf16 else reason, bf16)


def look(*, model: bool) -> Availability:
    """Finds libraries without importing them, and asks the NVIDIA driver, where there is one, for a GPU."""
    return Availability(
        model=model,
        installed=frozenset(name for name, kind in ENGINES.items() if kind.library and find_spec(kind.library)),
        bf16=_has_bf16(),
        gpu=find_gpu(),
        cuda=find_spec("pycuda") is not None and find_spec("cuda") is not None,
    )


def default_threads() -> int:
    """As many as this process may run at once: the frame thread waits while the engine computes."""
    return min(len(os.sched_getaffinity(0)), _MAX_THREADS)


def _reason(engine: EngineName, available: Availability) -> str:
    """Why ``auto`` takes it; for an engine on the CPU also why no GPU engine runs, which its owner may want to know."""
    kind = ENGINES[engine]
    if kind.library is None or kind.flavour is not None:
        return kind.reason
    on_gpu = [name for name, each in ENGINES.items() if each.flavour is not None]
    nearest = next((name for name in on_gpu if name in available.installed), on_gpu[0])
    hindrance = _missing(nearest, available)
    return f"{f'no GPU engine can run: {hindrance[0]}; ' if hindrance else ''}{kind.reason}"


def _missing(engine: EngineName, available: Availability) -> tuple[str, str] | None:
    """What stands in an engine's way, and the remedy."""
    kind = ENGINES[engine]
    if kind.library is None:
        return None
    if not available.model:
        return "its network is not here", "vcam model prepare, or vcam model prepare --from FILE"
    if kind.flavour is not None:
        return _gpu_missing(kind.flavour, available, installed=engine in available.installed)
    return None if engine in available.installed else (f"{kind.library} is not installed", how_to_add(kind.extra))


def _gpu_missing(flavour: Flavour, available: Availability, *, installed: bool) -> tuple[str, str] | None:
    gpu = available.gpu.facts
    if gpu is None:
        return available.gpu.problem, available.gpu.hint
    if flavour is Flavour.RTX and gpu.compute_capability[0] in _RTX_LEFT_OUT:
        return f"TensorRT-RTX does not support the {gpu}", Flavour.TENSORRT.install_hint
    if not installed:
        return f"{flavour.module} is not installed for the {gpu}", flavour.install_hint
    if not available.cuda:
        return f"pycuda or cuda-bindings is not installed for the {gpu}", how_to_add("gpu")
    return None


def _has_bf16() -> bool:
    try:
        text = _CPU_INFO.read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return bool(_BF16_FLAGS & set(flags.split()))
