"""What the network engines share around their libraries' calls: a core that runs over two sets of states in turn."""

from collections.abc import Callable, Sequence

from vcam.engines.core_tensors import CoreTensors
from vcam.errors import EngineError
from vcam.frame import AffineMatte, Stamp, Tensor


class RecurrentCore:
    """A loaded core. runs: for each direction of the states, the call that computes in place; it raises EngineError.

    Each is called once here, since libraries allocate on their first run and no frame should wait for that.
    """

    def __init__(self, tensors: CoreTensors, runs: Sequence[Callable[[], None]]) -> None:
        self._tensors = tensors
        self._runs = tuple(runs)
        for run in self._runs:
            run()
        self.reset()

    def matte(self, small: Tensor, stamp: Stamp) -> AffineMatte:
        """See MattingEngine."""
        direction = self._tensors.load(small)
        try:
            self._runs[direction]()
        except EngineError:
            self.reset()  # the states may be half written
            raise
        return self._tensors.matte(stamp)

    def reset(self) -> None:
        self._tensors.reset()


def opened(core: RecurrentCore | None) -> RecurrentCore:
    """Raises EngineError while an engine is closed."""
    if core is None:
        raise EngineError("the engine is not open", hint="use it inside `with`")
    return core
