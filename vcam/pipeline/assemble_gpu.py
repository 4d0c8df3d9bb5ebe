"""The GPU's engine: its plan, its frame processor, its decoders. Part of assemble; imported where there is a GPU."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from vcam.compose.gpu import GpuFrameProcessor
from vcam.cuda.device import Device
from vcam.cuda.driver import DeviceFacts, Driver
from vcam.decode.race import DecoderRace
from vcam.engines.tensorrt import TensorRtEngine
from vcam.engines.tensorrt_builder import ensure_plan, plan_state
from vcam.engines.tensorrt_flavour import Flavour, load_module
from vcam.engines.tensorrt_key import PlanRequest
from vcam.engines.tensorrt_plans import PlanStatus, plan_folder
from vcam.frame import VideoFormat
from vcam.pipeline.assemble_model import Cores, ModelProgress
from vcam.pipeline.preparation import Preparation
from vcam.pipeline.wiring import OpenedProcessor
from vcam.stages import CoreModel, FrameProcessor


@cache
def process_driver() -> Driver:
    """One for the process, as the primary context is. Raises EngineUnavailableError, MissingDependencyError."""
    from vcam.cuda.pycuda_driver import PycudaDriver

    return PycudaDriver()


@dataclass(frozen=True, slots=True)
class GpuEngineRoom:
    """Opens frame processors on one GPU. reason: why this engine was chosen. finished: puts around a processor what is
    done on the CPU."""

    cores: Cores
    flavour: Flavour
    gpu: DeviceFacts
    targets: tuple[VideoFormat, ...]
    reason: str
    finished: Callable[[FrameProcessor], FrameProcessor]

    def is_ready(self) -> bool:
        """Whether it can be opened at once: nothing is to be prepared or built.

        Raises EngineUnavailableError when the library cannot be loaded, ModelError.
        """
        load_module(self.flavour)
        core = self.cores.find(self._precision)
        return core is not None and self._plan_is_ready(self._request(core))

    def open_processor(self, preparation: Preparation, progress: ModelProgress) -> OpenedProcessor:
        """Prepare what is missing, the plan at last, which may take minutes; ends soon after it is cancelled.

        Raises ModelError, EngineError, EngineUnavailableError, MissingDependencyError.
        """
        driver = process_driver()  # first: without it the rest would be for nothing
        request = self._request(self.cores.make(self._precision, progress))
        if not self._plan_is_ready(request):
            with preparation.plan_build() as progressed:
                ensure_plan(request, lambda told: progressed(told.share), stop=lambda: preparation.cancelled)
        processor = GpuFrameProcessor(driver, TensorRtEngine(request), self.targets)
        race = DecoderRace(lambda: Device(driver, self.gpu.index), processor.allocate)
        return OpenedProcessor(
            self.finished(processor),
            self.reason,
            make_decoder=race.make_decoder,
            ahead=True,
            gpu_graph=lambda: processor.captured,
        )

    @property
    def _precision(self) -> str:
        return "fp16" if self.cores.config.fp16 else "fp32"

    def _request(self, core: CoreModel) -> PlanRequest:
        config = self.cores.config
        return PlanRequest(core, self.flavour, plan_folder(config.plan_dir, config.models_dir), self.gpu)

    def _plan_is_ready(self, request: PlanRequest) -> bool:
        return plan_state(request).status is PlanStatus.READY
