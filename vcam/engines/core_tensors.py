"""The buffers of a cut core, allocated once: picture, coefficients, and two sets of recurrent states to swap."""

import numpy as np
import numpy.typing as npt

from vcam.errors import EngineError, ModelMismatchError
from vcam.frame import AffineMatte, Stamp, Tensor
from vcam.rvm import COEFFICIENTS, SRC, STATES_IN, STATES_OUT, core_shapes
from vcam.stages import CoreModel

Buffer = npt.NDArray[np.float32 | np.float16]
Interface = dict[str, tuple[tuple[int, ...], str]]
"""Shape and dtype name (``float32``, ``float16``) of each tensor."""

DIRECTIONS = 2
_HINT = "prepare it again: vcam model prepare"


class CoreTensors:
    """What an engine binds, twice: direction 0 reads state set 0 and writes set 1, direction 1 the reverse."""

    def __init__(self, model: CoreModel) -> None:
        self._interface = core_interface(model)
        self._src, self._a, self._b = (self._zeros(name) for name in (SRC, *COEFFICIENTS))
        self._states = [[self._zeros(name) for name in STATES_IN] for _ in range(DIRECTIONS)]
        # Engines return float32 whatever the core computes in; for float32 cores these are the same memory.
        self._a_out, self._b_out = (each[0].astype(np.float32, copy=False) for each in (self._a, self._b))
        self._turn = 0

    def inputs(self, direction: int) -> dict[str, Buffer]:
        """By tensor name; valid for the object's life."""
        return {SRC: self._src, **dict(zip(STATES_IN, self._states[direction], strict=True))}

    def outputs(self, direction: int) -> dict[str, Buffer]:
        """By tensor name; valid for the object's life."""
        coefficients = dict(zip(COEFFICIENTS, (self._a, self._b), strict=True))
        return {**coefficients, **dict(zip(STATES_OUT, self._states[1 - direction], strict=True))}

    def load(self, small: Tensor) -> int:
        """Copy the picture (3, h, w) in; returns the direction to run. Raises EngineError."""
        if small.shape != self._src.shape[1:]:
            raise EngineError(
                f"the engine expects a picture of shape {self._src.shape[1:]}, got {small.shape}",
                hint="sample the picture to the engine's input_size",
            )
        np.copyto(self._src[0], small, casting="same_kind")
        return self._turn

    def matte(self, stamp: Stamp) -> AffineMatte:
        """The coefficients just computed; swaps the states."""
        self._turn = 1 - self._turn
        if self._a.dtype != np.float32:
            np.copyto(self._a_out, self._a[0])
            np.copyto(self._b_out, self._b[0])
        return AffineMatte(self._a_out, self._b_out, stamp)

    def reset(self) -> None:
        """Zero both sets of states, so that nothing that was in them can return."""
        for states in self._states:
            for state in states:
                state.fill(0)
        self._turn = 0

    def check(self, found: Interface, model: CoreModel) -> None:
        """See check_interface."""
        check_interface(found, model)

    def _zeros(self, name: str) -> Buffer:
        shape, dtype = self._interface[name]
        buffer: Buffer = np.zeros(shape, dtype)
        return buffer


def core_interface(model: CoreModel) -> Interface:
    """What a core of that size and precision takes and gives."""
    shapes = core_shapes(model.size)
    halves = frozenset((SRC, *COEFFICIENTS)) if model.precision == "fp16" else frozenset[str]()
    return {name: (shape, "float16" if name in halves else "float32") for name, shape in shapes.items()}


def check_interface(found: Interface, model: CoreModel) -> None:
    """Raises ModelMismatchError unless a network has just the inputs and outputs of the core."""
    wanted = core_interface(model)
    if found == wanted:
        return
    wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    name = wrong[0]
    raise ModelMismatchError(
        f"{model.path} is not a core of internal size {model.size} in {model.precision}: tensor {name} should be "
        f"{_text(wanted.get(name))}, it is {_text(found.get(name))}",
        hint=_HINT,
    )


def _text(tensor: tuple[tuple[int, ...], str] | None) -> str:
    return f"{tensor[1]} {'x'.join(map(str, tensor[0]))}" if tensor else "absent"


def check_threads(threads: int) -> int:
    """Raises EngineError unless at least one thread is asked for."""
    if threads < 1:
        raise EngineError(f"an engine needs at least one thread, got {threads}", hint="set threads to 1 or more")
    return threads
