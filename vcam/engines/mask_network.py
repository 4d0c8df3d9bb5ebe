"""Any network that turns a picture into a mask, made a matting engine by the guided filter.

One input (1, 3, h, w), sizes fixed or open. The mask is the first output of shape (1, 1, h, w) or (1, h, w), clipped
to [0, 1], or (1, 2, h, w): background and person, made probabilities by softmax unless they are already.
"""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from vcam.engines.core_tensors import check_threads
from vcam.engines.guided import guided_coefficients
from vcam.engines.onnx_session import OnnxSession, TensorInfo
from vcam.errors import ConfigError, EngineError, ModelMismatchError
from vcam.frame import AffineMatte, Size, Stamp, Tensor
from vcam.stages import EngineInfo

CHANNELS = 3
_PERSON = 1
_CLASSES = 2
_SUM_TOLERANCE = 1e-3
_HINT = "give a network with one float32 input (1, 3, h, w) and a mask (1, 1, h, w), (1, h, w) or (1, 2, h, w)"

Mask = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MaskNetwork:
    """A mask network and how to use it.

    size: picture to give it, where the network leaves that open. mean, std: its input is (rgb - mean) / std.
    radius, eps: of the guided filter (pixels of the mask; variance in [0, 1] units).
    """

    path: Path
    size: Size | None = None
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    radius: int = 4
    eps: float = 1e-4


class MaskNetworkEngine:
    """Satisfies MattingEngine. Raises ModelMismatchError on entering when the network has another shape."""

    def __init__(self, network: MaskNetwork, *, threads: int) -> None:
        self._network = network
        self._threads = check_threads(threads)
        self._session: OnnxSession | None = None
        self._input_name = ""
        self._mask_name = ""
        self._input_size = network.size or Size(0, 0)
        shape = (CHANNELS, 1, 1)
        self._mean = np.array(network.mean, np.float32).reshape(shape)
        self._scale = np.float32(1) / np.array(network.std, np.float32).reshape(shape)
        self._picture = self._coefficients = np.zeros((0, 0, 0, 0), np.float32)

    def __enter__(self) -> Self:
        session = OnnxSession(self._network.path, threads=self._threads)
        given = self._check_input(session.inputs)
        self._input_name, self._input_size = given.name, self._choose_size(given)
        h, w = self._input_size.height, self._input_size.width
        self._picture = np.zeros((1, CHANNELS, h, w), np.float32)
        self._coefficients = np.zeros((2, 4, h, w), np.float32)
        self._mask_name = self._find_mask(session)
        self._session = session
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._session = None

    @property
    def info(self) -> EngineInfo:
        return EngineInfo("onnxruntime", self._network.path.stem, "fp32", self.input_size, "cpu")

    @property
    def input_size(self) -> Size:
        """Known once entered, where the network fixes it."""
        return self._input_size

    def matte(self, small: Tensor, stamp: Stamp) -> AffineMatte:
        if self._session is None:
            raise EngineError("the engine is not open", hint="use it inside `with`")
        if small.shape != self._picture.shape[1:]:
            raise EngineError(
                f"the engine expects a picture of shape {self._picture.shape[1:]}, got {small.shape}",
                hint="sample the picture to the engine's input_size",
            )
        np.subtract(small, self._mean, out=self._picture[0])
        self._picture[0] *= self._scale
        output = self._session.run({self._input_name: self._picture}, self._mask_name)
        a, b = self._coefficients
        network = self._network
        guided_coefficients(small.mean(axis=0), _to_mask(output), radius=network.radius, eps=network.eps, a=a, b=b)
        return AffineMatte(a, b, stamp)

    def reset(self) -> None:
        """Such a network remembers nothing."""

    def _check_input(self, inputs: list[TensorInfo]) -> TensorInfo:
        if len(inputs) != 1:
            raise self._mismatch(f"it has {len(inputs)} inputs ({', '.join(each.name for each in inputs)})")
        given = inputs[0]
        if given.dtype != "float32":
            raise self._mismatch(f"its input {given.name} is {given.dtype}")
        fits = len(given.shape) == CHANNELS + 1 and given.shape[0] in (1, None) and given.shape[1] in (CHANNELS, None)
        if not fits:
            raise self._mismatch(f"its input {given.name} is {_text(given.shape)}")
        return given

    def _choose_size(self, given: TensorInfo) -> Size:
        h, w = given.shape[2:]
        wanted = self._network.size
        if h is not None and w is not None:
            return Size(w, h)
        if wanted is None:
            raise ConfigError(
                f"{self._network.path} works at any size: none was chosen", hint="choose one with --quality"
            )
        return Size(w or wanted.width, h or wanted.height)

    def _find_mask(self, session: OnnxSession) -> str:
        """By running it once: where sizes are open, only that shows the outputs' shapes."""
        h, w = self._input_size.height, self._input_size.width
        shapes = []
        for output in session.outputs:
            shape = session.run({self._input_name: self._picture}, output.name).shape
            if shape in ((1, 1, h, w), (1, h, w), (1, _CLASSES, h, w)):
                return output.name
            shapes.append(f"{output.name} {_text(shape)}")
        raise self._mismatch(f"for {self._input_size} it gives {', '.join(shapes)}")

    def _mismatch(self, found: str) -> ModelMismatchError:
        return ModelMismatchError(f"{self._network.path} is not a mask network: {found}", hint=_HINT)


def _to_mask(output: Mask) -> Mask:
    """(h, w) in [0, 1]; a NaN stays one, for the processor to refuse."""
    classes = (output[0] if output.ndim == CHANNELS + 1 else output).astype(np.float32, copy=False)
    if len(classes) == _CLASSES:
        return _person(classes)
    mask: Mask = np.clip(classes[0], 0.0, 1.0)
    return mask


def _person(classes: Mask) -> Mask:
    """Softmax of (2, h, w), of which the second is the person. Logits never sum to 1 all over a picture."""
    total = classes[0] + classes[_PERSON]
    if classes.min() >= 0.0 and np.abs(total - 1.0).max() < _SUM_TOLERANCE:
        person: Mask = classes[_PERSON]
        return person
    with np.errstate(over="ignore"):  # exp(inf) is a person of 0, as it should be
        person = 1.0 / (1.0 + np.exp(classes[0] - classes[_PERSON]))
    return person


def _text(shape: tuple[int | None, ...]) -> str:
    return "x".join("?" if size is None else str(size) for size in shape)
