"""What stands in the folder of plans, and whether each plan would be used here."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from vcam.cuda.driver import DeviceFacts
from vcam.engines.tensorrt_builder import library_version
from vcam.engines.tensorrt_flavour import Flavour
from vcam.engines.tensorrt_key import PlanKey, PlanRequest, plan_key
from vcam.engines.tensorrt_plans import PlanEntry, PlanFolder, PlanStatus
from vcam.errors import EngineUnavailableError, ModelError
from vcam.stages import CoreModel

Version = Callable[[Flavour], str]

_ALIKE = ("network", "size", "precision")


@dataclass(frozen=True, slots=True)
class Judged:
    """told: ``ready``, or what is wrong, in words."""

    entry: PlanEntry
    told: str


class Survey:
    """Judges plans by what is here: the prepared networks, the libraries, the GPU (None: none)."""

    def __init__(self, cores: Sequence[CoreModel], gpu: DeviceFacts | None, version: Version = library_version) -> None:
        self._cores = cores
        self._gpu = gpu
        self._version = version

    def judge(self, folder: PlanFolder) -> Iterator[Judged]:
        """Every plan of a folder. Imports a library only where a plan of its is there."""
        for entry in folder.entries():
            yield Judged(entry, entry.problem or self._judge(folder, entry))

    def _judge(self, folder: PlanFolder, entry: PlanEntry) -> str:
        try:
            keys = [*self._keys(folder, entry)]
        except (EngineUnavailableError, ModelError, ValueError) as error:
            return f"cannot be told: {error}"
        for key in keys:
            if not key.differences(entry.facts):
                state = folder.state(key)
                return "ready" if state.status is PlanStatus.READY else f"{state.status}: {state.why}"
        return f"stale: {keys[-1].differences(entry.facts) if keys else 'no such network is prepared any more'}"

    def _keys(self, folder: PlanFolder, entry: PlanEntry) -> Iterator[PlanKey]:
        """Those of the plans that would be used here in the place of this one."""
        alike = tuple(entry.facts.get(name) for name in _ALIKE)
        flavour = Flavour(entry.facts.get("engine", ""))
        for core in self._cores:
            if (core.name, str(core.size), core.precision) == alike:
                yield plan_key(PlanRequest(core, flavour, folder.folder, self._gpu), self._version(flavour))
