"""Holds a prepared core against the network it was cut from: same pictures in, same alpha and foreground out.

The steps that were cut away, enlarging and evaluating, are done here in NumPy, after ONNX's definition of Resize
(linear, half-pixel centres), so that the check does not lean on the code that it checks. The core is fed the very
picture that the uncut network made for itself: the fast guided filter divides by variances near zero and turns a
difference of 2e-7 in its input into one of 1e-3 in its output, in the uncut network as in ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vcam.errors import ModelMismatchError
from vcam.frame import Size, Tensor
from vcam.model.cut import expose_small
from vcam.model.frames import moving_figure
from vcam.model.runtime import Array, Network
from vcam.rvm import ALPHA, COEFFICIENTS, DOWNSAMPLE_RATIO, FOREGROUND, SRC, STATES_IN, STATES_OUT, state_shapes

if TYPE_CHECKING:
    import onnx

STEPS = 5
"""Recurrent steps that a check runs."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a core may differ from the original. largest: of alpha and foreground, in [0, 1]; mean_alpha: on average."""

    largest: float
    mean_alpha: float


LIMITS: Mapping[str, Limit] = MappingProxyType({"fp32": Limit(1e-3, 1e-3), "fp16": Limit(5e-2, 1e-3)})
"""By precision. In float16 single pixels at soft edges may be off."""

_RATIOS = ((2, 5), (1, 2))
"""downsample_ratio as a fraction, the first that gives whole full-size pixels: 0.4 is what 720p to 288 lines uses."""

_DOWNSAMPLING_TOLERANCE = 1e-5
"""Two float32 evaluations of the same four-point mean differ by some 2e-7."""

_HINT = "use the published export rvm_mobilenetv3_fp32.onnx (vcam model prepare)"


@dataclass(frozen=True, slots=True)
class Difference:
    """Largest absolute differences over all pixels and steps; all values in [0, 1].

    soft: the share of pixels whose alpha is neither 0 nor 1, so that a saturated, blind comparison shows.
    """

    alpha: float
    foreground: float
    mean_alpha: float
    soft: float

    @property
    def largest(self) -> float:
        return max(self.alpha, self.foreground)


def compare(uncut: "onnx.ModelProto", core: "onnx.ModelProto", size: Size) -> Difference:
    """Run both on a moving picture whose downsampled size is exactly ``size``. Raises ModelError."""
    full, ratio = full_size(size)
    exposed, small_name = expose_small(uncut)
    reference, tested = Network(exposed), Network(core)
    dtype = np.float16 if is_half(core) else np.float32  # of the picture and the coefficients; states are float32
    ratio_input = {DOWNSAMPLE_RATIO: np.array([ratio], np.float32)}
    whole_states, core_states = zero_states(size), zero_states(size)
    differences = []
    for frame in moving_figure(full, STEPS):
        whole = reference.run({SRC: frame[None], **ratio_input, **whole_states})
        small = whole[small_name]
        _check_downsampling(small, resize(frame, size)[None])
        cut = tested.run({SRC: small.astype(dtype), **core_states})
        a, b = (cut[name][0].astype(np.float32) for name in COEFFICIENTS)
        alpha, foreground = evaluate(frame, a, b)
        differences.append(_difference((whole[ALPHA][0, 0], whole[FOREGROUND][0]), (alpha, foreground)))
        whole_states, core_states = next_states(whole), next_states(cut)
    return Difference(
        alpha=max(each.alpha for each in differences),
        foreground=max(each.foreground for each in differences),
        mean_alpha=float(np.mean([each.mean_alpha for each in differences])),
        soft=float(np.mean([each.soft for each in differences])),
    )


def check(difference: Difference, limit: Limit = LIMITS["fp32"]) -> None:
    """Raises ModelMismatchError when the difference is above the limit, or is no number."""
    if not (difference.largest <= limit.largest and difference.mean_alpha <= limit.mean_alpha):
        raise ModelMismatchError(
            f"the prepared network differs from the original: alpha by {difference.alpha:.2g} (mean "
            f"{difference.mean_alpha:.2g}), foreground by {difference.foreground:.2g}; accepted are {limit.largest:g} "
            f"and {limit.mean_alpha:g}",
            hint=_HINT,
        )


def _check_downsampling(found: Array, wanted: Tensor) -> None:
    """vcam's sample kernel takes the place of the Resize that was cut away, so that must be what it computes."""
    if found.shape != wanted.shape or not np.allclose(found, wanted, rtol=0, atol=_DOWNSAMPLING_TOLERANCE):
        raise ModelMismatchError(
            "the network's downsampling is not the sought one, linear with half-pixel centres",
            hint=_HINT,
        )


def is_half(core: "onnx.ModelProto") -> bool:
    """Whether the network takes a float16 picture."""
    import onnx

    kind: int = core.graph.input[0].type.tensor_type.elem_type
    return kind == onnx.TensorProto.FLOAT16


def zero_states(size: Size) -> dict[str, Array]:
    """The recurrent inputs before the first frame."""
    return {name: np.zeros(shape, np.float32) for name, shape in zip(STATES_IN, state_shapes(size), strict=True)}


def next_states(outputs: Mapping[str, Array]) -> dict[str, Array]:
    """The recurrent inputs of the next step."""
    return {given: outputs[returned] for given, returned in zip(STATES_IN, STATES_OUT, strict=True)}


def full_size(size: Size) -> tuple[Size, float]:
    """A full size and the downsample_ratio that brings it to ``size`` exactly."""
    for numerator, denominator in _RATIOS:
        if size.width * denominator % numerator == 0 and size.height * denominator % numerator == 0:
            full = Size(size.width * denominator // numerator, size.height * denominator // numerator)
            return full, numerator / denominator
    raise AssertionError("a ratio of one half fits every size")


def resize(picture: Tensor, size: Size) -> Tensor:
    """ONNX Resize, linear, half-pixel centres, no anti-aliasing: (C, H, W) -> (C, h, w)."""
    rows, row_weight = _taps(picture.shape[1], size.height)
    columns, column_weight = _taps(picture.shape[2], size.width)
    row_weight = row_weight[:, None]
    lines: Tensor = picture[:, rows[0]] * (1 - row_weight) + picture[:, rows[1]] * row_weight
    resized: Tensor = lines[:, :, columns[0]] * (1 - column_weight) + lines[:, :, columns[1]] * column_weight
    return resized


def evaluate(rgb: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """alpha (H, W) and foreground (3, H, W) at the size of ``rgb``, from coefficients of internal size."""
    size = Size(rgb.shape[2], rgb.shape[1])
    picture = np.concatenate([rgb, rgb.mean(axis=0, keepdims=True)])
    out = resize(a, size) * picture + resize(b, size)
    return np.clip(out[3], 0, 1), np.clip(rgb + out[:3], 0, 1)


def _taps(source: int, target: int) -> tuple[npt.NDArray[np.intp], Tensor]:
    """The two neighbours (2, target) of each target position and the weight of the second."""
    position = np.clip((np.arange(target) + 0.5) * (source / target) - 0.5, 0, source - 1)  # float64: exact enough
    first = np.floor(position).astype(np.intp)
    return np.stack([first, np.minimum(first + 1, source - 1)]), (position - first).astype(np.float32)


def _difference(reference: tuple[Array, Array], tested: tuple[Tensor, Tensor]) -> Difference:
    alpha, foreground = (np.abs(one - other) for one, other in zip(reference, tested, strict=True))
    soft = np.mean((reference[0] > 0) & (reference[0] < 1))
    return Difference(float(alpha.max()), float(foreground.max()), float(alpha.mean()), float(soft))
