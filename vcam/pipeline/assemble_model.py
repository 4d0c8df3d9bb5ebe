"""The prepared networks of one configuration. Part of assemble."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from vcam.config import Config
from vcam.errors import ModelFetchError, SlotClosedError
from vcam.frame import Size
from vcam.pipeline.preparation import Preparation
from vcam.pipeline.worker import RetryPolicy, Worker
from vcam.stages import CoreModel

if TYPE_CHECKING:
    from vcam.model.prepare import PrepareOptions
    from vcam.model.progress import Progress

ModelProgress: TypeAlias = "Callable[[Progress], None]"
"""Is told about each step of the model's preparation."""

_RETRY_S, _RETRY_LIMIT_S = 10.0, 600.0
"""Between two attempts to download; doubles from the one to the other."""
_LOOK_S = 0.2


def silent(progress: "Progress") -> None:
    """Nobody looks."""


def _nothing() -> None:
    """Whoever waits looks by itself."""


@dataclass(frozen=True, slots=True)
class Cores:
    """camera: nominal size of the camera's picture, whose shape the internal size follows."""

    config: Config
    camera: Size

    @property
    def size(self) -> Size:
        """What the network sees."""
        return self.config.internal_size(self.camera)

    def find(self, precision: str) -> CoreModel | None:
        """The network, if it is there already. Raises ModelError when the user's own file is not."""
        from vcam.model.prepare import find

        return find(self._options(precision))

    def make(self, precision: str, progress: ModelProgress) -> CoreModel:
        """The network; fetched first where that is allowed, and prepared. Raises ModelError, MissingDependencyError."""
        from vcam.model.fetch import present
        from vcam.model.manifest import DEFAULT_MODEL, load_manifest
        from vcam.model.prepare import prepare

        config = self.config
        may_fetch = config.model is not None or config.model_download
        if not may_fetch and present(load_manifest().get(DEFAULT_MODEL), config.models_dir) is None:
            raise ModelFetchError(
                f"the network {DEFAULT_MODEL} is not in {config.models_dir} and downloading it is switched off",
                hint="vcam model prepare, or model_download = true",
            )
        return prepare(self._options(precision), progress)

    def await_network(self, preparation: Preparation) -> None:
        """Make it, in a thread of its own, as often as it takes: a computer may be up before its network is.

        Raises SlotClosedError once cancelled, ModelError and MissingDependencyError where no download is to blame.
        """
        worker = Worker(
            "vcam-fetch", lambda: self._make_under(worker), RetryPolicy(_RETRY_S, _RETRY_LIMIT_S), on_end=_nothing
        )
        worker.start()
        while not worker.join(0.0):
            if preparation.cancelled:
                worker.stop()
                raise SlotClosedError
            preparation.wait(_LOOK_S)
        if worker.failure is not None:
            raise worker.failure

    def _make_under(self, worker: Worker) -> None:
        def go_on(_: "Progress") -> None:
            if worker.stopping:
                raise SlotClosedError

        self.make("fp32", go_on)

    def _options(self, precision: str) -> "PrepareOptions":
        from vcam.model.manifest import DEFAULT_MODEL
        from vcam.model.prepare import PrepareOptions

        return PrepareOptions(self.config.models_dir, self.size, self.config.model or DEFAULT_MODEL, precision)
