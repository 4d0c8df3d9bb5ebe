"""Robust Video Matting's core in TensorRT or TensorRT-RTX, on an NVIDIA GPU."""

import itertools
import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import MappingProxyType, TracebackType
from typing import Self

from vcam.engines.core_tensors import DIRECTIONS, check_interface
from vcam.engines.tensorrt_flavour import Flavour, TensorRtModule, load_module
from vcam.engines.tensorrt_key import PlanRequest, plan_key
from vcam.engines.tensorrt_library import Context, Library, LoadedPlan, PlanRefusedError
from vcam.engines.tensorrt_plans import PlanFolder
from vcam.errors import EngineError, EngineUnavailableError, ModelMismatchError
from vcam.frame import Size
from vcam.rvm import SRC, STATES_IN
from vcam.stages import EngineInfo, TensorSpec

ALIGNMENT_BYTES = 256
"""Of every tensor's address, as TensorRT demands it. CUDA's own allocations have it."""

_FAULT = "this is a fault in vcam: please report it with the log"
_MEMORY = "memory"
_INPUTS = frozenset((SRC, *STATES_IN))

logger = logging.getLogger(__name__)


class TensorRtEngine:
    """Satisfies DeviceEngine. The plan must be there: ensure_plan builds it.

    A plan that the library refuses although it is whole is removed, so that ensure_plan builds it anew; not so where
    the GPU's memory was short.
    """

    def __init__(self, request: PlanRequest, load: Callable[[Flavour], TensorRtModule] = load_module) -> None:
        """Raises EngineUnavailableError without a GPU: TensorRT may end the process where there is none."""
        if request.gpu is None:
            raise EngineUnavailableError(
                f"{request.flavour} needs an NVIDIA GPU to run, and there is none here",
                hint="-e openvino runs on the processor; vcam doctor looks for the GPU and its driver",
            )
        self._request = request
        self._load = load
        self._device = request.gpu.name
        self._tensors: Mapping[str, TensorSpec] = MappingProxyType({})
        self._plan: LoadedPlan | None = None
        self._contexts: list[Context] = []
        self._bound = [False] * DIRECTIONS

    def __enter__(self) -> Self:
        """Load the plan onto the GPU. Raises EngineUnavailableError, EngineError, ModelMismatchError."""
        with ExitStack() as undo:
            undo.callback(self._close)
            plan = self._plan = self._load_plan()
            self._check(plan)
            self._tensors = MappingProxyType(
                {name: TensorSpec(shape, dtype == "float16") for name, (shape, dtype) in plan.interface.items()}
            )
            self._contexts = [plan.context() for _ in range(DIRECTIONS)]
            undo.pop_all()
        facts = {"engine": str(self._request.flavour), "gpu": self._device, "scratch_bytes": plan.scratch_bytes}
        logger.info("plan.loaded", extra=facts)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._close()

    @property
    def info(self) -> EngineInfo:
        core = self._request.core
        return EngineInfo(str(self._request.flavour), core.name, core.precision, core.size, self._device)

    @property
    def input_size(self) -> Size:
        return self._request.core.size

    @property
    def tensors(self) -> Mapping[str, TensorSpec]:
        return self._tensors

    def bind(self, turn: int, addresses: Mapping[str, int]) -> None:
        """See DeviceEngine. Every tensor has memory of its own, aligned to ALIGNMENT_BYTES."""
        context = self._context(turn)
        _check_addresses(addresses, self._tensors)
        self._bound[turn] = False
        context.bind(addresses)
        self._bound[turn] = True

    def enqueue(self, turn: int, *, cuda_stream: int) -> None:
        context = self._context(turn)
        if not self._bound[turn]:
            raise EngineError(f"turn {turn} of the engine has no tensors", hint=_FAULT)
        context.enqueue(cuda_stream=cuda_stream)

    def _load_plan(self) -> LoadedPlan:
        request = self._request
        library = Library(request.flavour, self._load)
        key = plan_key(request, library.version)
        folder = PlanFolder(request.folder)
        payload = folder.read(key)
        try:
            return library.deserialize(payload)
        except PlanRefusedError as error:
            if _MEMORY not in error.problem.lower():  # else the plan is as good as before
                folder.discard(key)
            raise

    def _check(self, plan: LoadedPlan) -> None:
        core = self._request.core
        check_interface(plan.interface, core)
        if plan.inputs != _INPUTS:
            raise ModelMismatchError(
                f"the plan of {core.path} takes {', '.join(sorted(plan.inputs))}, not {', '.join(sorted(_INPUTS))}",
                hint="prepare it again: vcam model prepare",
            )

    def _context(self, turn: int) -> Context:
        if not self._contexts:
            raise EngineError("the engine is not open", hint="use it inside `with`")
        return self._contexts[turn]

    def _close(self) -> None:
        self._contexts = []
        plan, self._plan = self._plan, None
        if plan is not None:
            plan.close()
        self._tensors = MappingProxyType({})
        self._bound = [False] * DIRECTIONS


def _check_addresses(addresses: Mapping[str, int], tensors: Mapping[str, TensorSpec]) -> None:
    """Raises EngineError unless each tensor has a place of its own."""
    if addresses.keys() != tensors.keys():
        wrong = ", ".join(sorted(addresses.keys() ^ tensors.keys()))
        raise EngineError(f"tensors and addresses do not match: {wrong}", hint=_FAULT)
    crooked = [name for name, address in addresses.items() if address <= 0 or address % ALIGNMENT_BYTES]
    if crooked:
        raise EngineError(f"no usable address, a multiple of {ALIGNMENT_BYTES}: {', '.join(crooked)}", hint=_FAULT)
    places = sorted((addresses[name], addresses[name] + spec.nbytes, name) for name, spec in tensors.items())
    for (_, end, name), (begin, _, following) in itertools.pairwise(places):
        if begin < end:
            raise EngineError(f"the memory of {name} and {following} overlaps", hint=_FAULT)
