"""Which engine runs: the user's choice, or the best that is here, and why. Part of assemble."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from vcam.compose.cpu import CpuFrameProcessor
from vcam.compose.directed import DirectedProcessor, Director
from vcam.compose.layers import LayeredProcessor
from vcam.config import Config, WhileBuilding
from vcam.cuda.probe import GpuAnswer
from vcam.engine_names import EngineName
from vcam.engines.select import ENGINES, Availability, Choice, choose, default_threads, look
from vcam.engines.tensorrt_flavour import Flavour
from vcam.errors import (
    EngineUnavailableError,
    MissingDependencyError,
    ModelError,
    ModelFetchError,
    ModelMismatchError,
    VcamError,
)
from vcam.frame import Size, VideoFormat
from vcam.pipeline.assemble_model import Cores, ModelProgress, silent
from vcam.pipeline.preparation import Preparation
from vcam.pipeline.wiring import OpenedProcessor, ProcessorFactory
from vcam.stages import CoreModel, FrameProcessor, MattingEngine

if TYPE_CHECKING:
    from vcam.pipeline.assemble_gpu import GpuEngineRoom

_log = logging.getLogger(__name__)

_PLATE_WIDTH = 320
_GPU_OPENINGS = 2
"""So often ``auto`` opens a GPU's engine at once; one that fails after that (its memory may be taken by another
program) must first show beside an engine on the CPU that it works again."""


@dataclass(frozen=True, slots=True)
class _OnCpu:
    """refused: why the network that was wanted is not the one that runs; None where it is, or no network was.

    learn, last_resort, successor: see OpenedProcessor.
    """

    engine: MattingEngine
    reason: str
    refused: VcamError | None = None
    learn: Callable[[], None] | None = None
    last_resort: bool = False
    successor: ProcessorFactory | None = None


class EngineRoom:
    """Opens frame processors for one configuration.

    camera: nominal size of the camera's picture, whose shape the internal size follows. waits: nothing is shown before
    the chosen engine is ready; else one on the CPU runs while a GPU's plan is built, and one that needs no network
    until that can be downloaded.
    """

    def __init__(
        self,
        config: Config,
        camera: Size,
        targets: tuple[VideoFormat, ...],
        progress: ModelProgress,
        *,
        waits: bool = True,
    ) -> None:
        self._config = config
        self._camera = camera
        self._targets = targets
        self._progress = progress
        self._director = Director(targets[0].size)
        self._never_changes = waits
        self._waits = waits or config.while_building is WhileBuilding.SAFE
        self._cores = Cores(config, camera)
        self._gpu_openings = 0
        self._asked = config.engine is not EngineName.AUTO

    def open_processor(self, preparation: Preparation) -> OpenedProcessor:
        """Make the engine, preparing its model first; may take long. The processor enters it.

        Raises ModelError, EngineUnavailableError, MissingDependencyError when the user's own choice cannot be had.
        """
        available = look(model=True)
        available = replace(available, bf16=available.bf16 and self._config.fp16)
        choice = choose(available, self._config.engine)
        if ENGINES[choice.engine].flavour is None:
            return self._opened(self._on_cpu(choice))
        try:
            return self._on_gpu(choice, available, preparation)
        except (EngineUnavailableError, ModelFetchError, MissingDependencyError, ModelMismatchError) as error:
            if self._asked:
                raise
            _log.warning("engine.no_gpu", extra={"problem": error.problem, "hint": error.hint})
            return self._opened(self._on_cpu(_without_gpu(available, error.problem)))

    def _on_gpu(self, choice: Choice, available: Availability, preparation: Preparation) -> OpenedProcessor:
        """The GPU's engine; or, until that can be had, one on the CPU, with the GPU's as its successor."""
        room = self._gpu_room(choice, available)
        why = "" if room.is_ready() else f"the plan for the {room.gpu.name} is yet to be built"
        if not why and not self._asked and self._gpu_openings >= _GPU_OPENINGS:
            why = f"the {room.gpu.name} failed {self._gpu_openings} times"
        if self._waits or not why:
            self._gpu_openings += 1
            return room.open_processor(preparation, self._progress)
        until = self._on_cpu(_without_gpu(available, why))
        if until.refused is not None and self._asked:
            raise until.refused
        if until.refused is not None:
            return self._opened(until)
        return self._opened(replace(until, successor=partial(room.open_processor, progress=silent)))

    def _gpu_room(self, choice: Choice, available: Availability) -> "GpuEngineRoom":
        from vcam.pipeline.assemble_gpu import GpuEngineRoom

        if available.gpu.facts is None:
            raise AssertionError("an engine for a GPU was chosen without one")
        flavour = Flavour(choice.engine.value)
        return GpuEngineRoom(self._cores, flavour, available.gpu.facts, self._targets, choice.reason, self._finished)

    def _opened(self, on_cpu: _OnCpu) -> OpenedProcessor:
        return OpenedProcessor(
            self._finished(CpuFrameProcessor(on_cpu.engine, self._targets)),
            on_cpu.reason,
            successor=on_cpu.successor,
            learn=on_cpu.learn,
            last_resort=on_cpu.last_resort,
        )

    def _finished(self, processor: FrameProcessor) -> FrameProcessor:
        """With what is done around a processor, whatever device it is for."""
        return LayeredProcessor(DirectedProcessor(processor, self._director))

    def _on_cpu(self, choice: Choice) -> _OnCpu:
        if choice.engine is EngineName.PLATE:
            return self._plate(choice.reason)
        try:
            # float32: no CPU is faster in float16
            return _OnCpu(self._network(choice, self._cores.make("fp32", self._progress)), choice.reason)
        except (ModelFetchError, MissingDependencyError) as error:
            if self._asked or self._config.model is not None:
                raise
            _log.warning("engine.no_network", extra={"problem": error.problem, "hint": error.hint})
            later = isinstance(error, ModelFetchError) and self._config.model_download and not self._never_changes
            until = ", and runs until it can be had" if later else ""
            reason = f"the network could not be had (the log says why); this engine needs none{until}"
            return replace(self._plate(reason), refused=error, successor=self._once_fetched if later else None)
        except ModelMismatchError as mismatch:
            reason = "the model gives a mask, which the guided filter refines"
            return _OnCpu(self._mask_network(mismatch), reason, refused=mismatch)

    def _once_fetched(self, preparation: Preparation) -> OpenedProcessor:
        """What ``auto`` means once the network can be downloaded, which is waited for. See ``Cores.await_network``."""
        self._cores.await_network(preparation)
        opened = self.open_processor(preparation)
        if opened.last_resort:
            raise ModelFetchError("the network was downloaded, and is gone again", hint="vcam model prepare")
        return opened

    def _network(self, choice: Choice, core: CoreModel) -> MattingEngine:
        make = NETWORKS_ON_CPU.get(choice.engine)
        if make is None:
            raise AssertionError(f"nothing here makes the engine {choice.engine}")
        return make(core, self._config.threads or default_threads(), choice)

    def _mask_network(self, mismatch: ModelMismatchError) -> MattingEngine:
        """The user's own network as a mask network, or the error that says it is neither."""
        from vcam.engines.mask_network import MaskNetwork, MaskNetworkEngine

        if self._config.model is None:
            raise mismatch
        network = MaskNetwork(Path(self._config.model), self._config.internal_size(self._camera))
        engine = MaskNetworkEngine(network, threads=self._config.threads or default_threads())
        try:
            with engine:
                return engine
        except ModelError as neither:
            raise mismatch from neither

    def _plate(self, reason: str) -> _OnCpu:
        from vcam.engines.plate import PlateEngine

        height = round(_PLATE_WIDTH * self._camera.height / self._camera.width)
        engine = PlateEngine(Size(_PLATE_WIDTH, height))
        return _OnCpu(engine, reason, learn=engine.learn, last_resort=not self._asked)


def _without_gpu(available: Availability, why: str) -> Choice:
    """The best one that needs no GPU."""
    return choose(replace(available, gpu=GpuAnswer(None, why, "choose --engine auto")))


def _openvino(core: CoreModel, threads: int, choice: Choice) -> MattingEngine:
    from vcam.engines.rvm_openvino import OpenVinoEngine

    return OpenVinoEngine(core, threads=threads, arithmetic="bf16" if choice.bf16 else "f32")


def _onnxruntime(core: CoreModel, threads: int, _: Choice) -> MattingEngine:
    from vcam.engines.rvm_onnxruntime import OnnxRuntimeEngine

    return OnnxRuntimeEngine(core, threads=threads)


NETWORKS_ON_CPU: Mapping[EngineName, Callable[[CoreModel, int, Choice], MattingEngine]] = MappingProxyType(
    {EngineName.OPENVINO: _openvino, EngineName.ONNXRUNTIME: _onnxruntime}
)
"""What makes each engine that runs a network on the processor."""
