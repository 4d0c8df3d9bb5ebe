"""How much of a build is done, from what the library tells about its phases, which lie within each other."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """phase: in English words, of the library. share: of the whole, 0 to 1; it never goes back."""

    phase: str
    share: float


ProgressCallback: TypeAlias = Callable[[BuildProgress], None]


def ignore(_progress: BuildProgress) -> None:
    """For callers that show nothing."""


@dataclass(slots=True)
class _Phase:
    parent: str | None
    steps: int
    done: int = 0


class PhaseTree:
    """Satisfies Monitor. Phases are known by name, which is unique among those that go on; any thread may tell.

    told: is called with each change worth showing.
    """

    def __init__(self, told: ProgressCallback) -> None:
        self._told = told
        self._lock = threading.Lock()
        self._phases: dict[str, _Phase] = {}
        self._shown = BuildProgress("", 0.0)
        self._finest = 0.005

    def started(self, phase: str, parent: str | None, steps: int) -> None:
        with self._lock:
            self._phases[phase] = _Phase(parent, max(steps, 1))
            self._tell(phase)

    def stepped(self, phase: str, step: int) -> None:
        with self._lock:
            known = self._phases.get(phase)
            if known is not None:
                known.done = min(max(known.done, step + 1), known.steps)
                self._tell(phase)

    def finished(self, phase: str) -> None:
        with self._lock:
            known = self._phases.get(phase)
            if known is not None:
                known.done = known.steps
                self._tell(phase)
                del self._phases[phase]

    def _tell(self, phase: str) -> None:
        share = max(self._shown.share, self._share())
        if share - self._shown.share >= self._finest or (not self._phases[phase].done and self._is_high(phase)):
            self._shown = BuildProgress(phase, share)
            self._told(self._shown)

    def _is_high(self, phase: str) -> bool:
        """At the root or just below: the others begin too often to be read."""
        parent = self._phases[phase].parent
        return parent is None or (parent in self._phases and self._phases[parent].parent is None)

    def _share(self) -> float:
        """Each phase counts for the step of its parent that it is in; siblings at once count as one."""
        within: dict[str, float] = {}
        for name, phase in reversed(self._phases.items()):  # children begin after their parents
            share = min((phase.done + within.get(name, 0.0)) / phase.steps, 1.0)
            if phase.parent is None:
                return share
            within[phase.parent] = max(within.get(phase.parent, 0.0), share)
        return 0.0
