"""Which engine runs: the user's choice, or the best that is here, and why. Part of assemble."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from vcam.compose.cpu import CpuFrameProcessor
from vcam.config import Config, EngineChoice
from vcam.engines.select import EngineName, choose, default_threads, look
from vcam.errors import MissingDependencyError, ModelError, ModelFetchError, ModelMismatchError
from vcam.frame import Size, VideoFormat
from vcam.pipeline.preparation import Preparation
from vcam.pipeline.wiring import OpenedProcessor
from vcam.stages import CoreModel, MattingEngine

if TYPE_CHECKING:
    from vcam.model.progress import Progress

_log = logging.getLogger(__name__)

ModelProgress: TypeAlias = "Callable[[Progress], None]"
"""Is told about each step of the model's preparation."""

_PLATE_WIDTH = 320


def silent(progress: "Progress") -> None:
    """Nobody looks."""


class EngineRoom:
    """Opens frame processors for one configuration.

    camera: nominal size of the camera's picture, whose shape the internal size follows.
    """

    def __init__(self, config: Config, camera: Size, targets: tuple[VideoFormat, ...], progress: ModelProgress) -> None:
        self._config = config
        self._camera = camera
        self._targets = targets
        self._progress = progress

    def open_processor(self, preparation: Preparation) -> OpenedProcessor:
        """Make the engine, preparing its model first; may take long. The processor enters it.

        Raises ModelError, EngineUnavailableError, MissingDependencyError when the user's own choice cannot be had.
        """
        engine, reason = self._engine()
        return OpenedProcessor(CpuFrameProcessor(engine, self._targets), reason)

    def _engine(self) -> tuple[MattingEngine, str]:
        config = self._config
        wanted = None if config.engine is EngineChoice.AUTO else EngineName(config.engine.value)
        available = look(model=True)
        choice = choose(replace(available, bf16=available.bf16 and config.fp16), wanted)
        if choice.engine is EngineName.PLATE:
            return self._plate(), choice.reason
        try:
            core = self._core()
        except (ModelFetchError, MissingDependencyError) as error:
            if wanted is not None or config.model is not None:
                raise
            _log.warning("engine.no_network", extra={"problem": error.problem, "hint": error.hint})
            return self._plate(), "the network could not be had (the log says why); this engine needs none"
        except ModelMismatchError as mismatch:
            return self._mask_network(mismatch), "the model gives a mask, which the guided filter refines"
        threads = config.threads or default_threads()
        if choice.engine is EngineName.OPENVINO:
            from vcam.engines.rvm_openvino import Arithmetic, OpenVinoEngine

            arithmetic: Arithmetic = "bf16" if choice.bf16 else "f32"
            return OpenVinoEngine(core, threads=threads, arithmetic=arithmetic), choice.reason
        from vcam.engines.rvm_onnxruntime import OnnxRuntimeEngine

        return OnnxRuntimeEngine(core, threads=threads), choice.reason

    def _core(self) -> CoreModel:
        """The prepared network; fetched first where that is allowed. float32: no CPU is faster in float16."""
        from vcam.model.fetch import present
        from vcam.model.manifest import DEFAULT_MODEL, load_manifest
        from vcam.model.prepare import PrepareOptions, prepare

        config = self._config
        model = config.model or DEFAULT_MODEL
        may_fetch = config.model is not None or config.model_download
        if not may_fetch and present(load_manifest().get(DEFAULT_MODEL), config.models_dir) is None:
            raise ModelFetchError(
                f"the network {DEFAULT_MODEL} is not in {config.models_dir} and downloading it is switched off",
                hint="vcam model prepare, or model_download = true",
            )
        size = config.internal_size(self._camera)
        return prepare(PrepareOptions(config.models_dir, size, model, "fp32"), self._progress)

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

    def _plate(self) -> MattingEngine:
        from vcam.engines.plate import PlateEngine

        height = round(_PLATE_WIDTH * self._camera.height / self._camera.width)
        return PlateEngine(Size(_PLATE_WIDTH, height))
