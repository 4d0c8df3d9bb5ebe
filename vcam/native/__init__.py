"""The pixel arithmetic on the CPU: what stands between camera planes and the matting network, and back.

Nothing here allocates pictures: outputs are the caller's. Sources may have padded rows. Every function checks types,
shapes and overlap (TypeError, ValueError), releases the GIL and splits its work over ``threads()``. RGB24 is always
full range. Where an argument is a ``Window``, it is a part of a picture in that picture's pixels.

A program that shares its cores with inference sets OMP_WAIT_POLICY=passive before it loads this, as vcam's command
line does: idle OpenMP threads otherwise spin, and on two busy cores calls take ten times as long.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vcam.color import decoding, encoding, same_colour
from vcam.frame import AffineMatte, Image, Levels, Planes, Size, Tensor, VideoFormat, Window
from vcam.native import _pixels
from vcam.native.arguments import Matte as MatteArguments
from vcam.native.arguments import corners_of, matte_of, picture_of
from vcam.stages import MatteControls

__all__ = [
    "Levels",
    "Look",
    "MaskedBlur",
    "PersonEdge",
    "Window",
    "all_finite",
    "alpha",
    "compose",
    "convert",
    "isa",
    "isas",
    "sample",
    "scale",
    "select_isa",
    "set_threads",
    "threads",
]

UNCHANGED = Levels()

BLUR_SIGMA = 0.05
"""Sigma of the strongest blur, as a share of the picture's width."""


def sample(image: Image, out: Tensor, window: Window | None = None) -> None:
    """Resize the picture, or the window of it, into ``out``, (3, h, w) float32 RGB in [0, 1].

    Bilinear at half-pixel centres without antialiasing, taps clamped at the border of the picture: ONNX Resize with
    mode linear and coordinate_transformation_mode half_pixel, scale = output size / input size. Chroma is replicated.
    """
    _pixels.sample(picture_of(image.planes, image.format), decoding(image.format), corners_of(window), out)


def compose(
    image: Image,
    matte: AffineMatte,
    background: Image,
    out: Planes,
    *,
    levels: Levels = UNCHANGED,
    window: Window | None = None,
) -> None:
    """Blend the person of ``image`` over ``background`` into ``out``, planes in the background's format.

    All three have one size. The blend happens in the target's space, out = alpha * encode(foreground) +
    (1 - alpha) * background, with chroma averaged before it is rounded; alpha 0, and NaN, give the background's bytes.
    window: the part of the matte that covers the image (the whole by default). The planes of the background may be
    ``out``: then it is painted over.
    """
    _compose(image, matte_of(matte, levels, window), background, out, None)


@dataclass(frozen=True, slots=True)
class Look:
    """How the person is shown; look.h has the arithmetic.

    numbers: a ``look::Look`` as float32. light: (3, rows, columns) float32 RGB in [0, 1], the light around the person,
    spread over the picture. blurred: colours instead of the person's own. shift: what is drawn over pair i of pixels
    comes from pair i - shift; other than 0 only where ``out`` is the background itself.
    """

    numbers: Tensor
    light: Tensor | None = None
    blurred: "MaskedBlur | None" = None
    shift: int = 0

    def compose(
        self,
        image: Image,
        matte: AffineMatte,
        background: Image,
        out: Planes,
        *,
        levels: Levels = UNCHANGED,
        window: Window | None = None,
    ) -> None:
        """As the function ``compose``, with this look."""
        _compose(image, matte_of(matte, levels, window), background, out, self)


def alpha(
    image: Image,
    matte: AffineMatte,
    out: npt.NDArray[np.uint8] | Tensor,
    *,
    levels: Levels = UNCHANGED,
    window: Window | None = None,
) -> None:
    """The matte at the picture's resolution into ``out``, (H, W), uint8 0..255 or float32 0..1; as in ``compose``."""
    _pixels.alpha(picture_of(image.planes, image.format), decoding(image.format), matte_of(matte, levels, window), out)


def convert(image: Image, out: Planes, target: VideoFormat) -> None:
    """Repack ``image`` into planes of ``target``, same size, any layout and colour to any other.

    Exact where only bytes move; chroma is replicated or averaged, never rounded twice.
    """
    _pixels.convert(
        picture_of(image.planes, image.format),
        decoding(image.format),
        picture_of(out, target),
        encoding(target),
        same_colour=same_colour(image.format, target),
    )


def scale(image: Image, out: Planes, target: VideoFormat, window: Window | None = None) -> None:
    """The picture, or the window of it, at ``target``'s size, in the image's own layout and colour.

    Bilinear while at most two source pixels make one, from there the mean of the area; chroma likewise on its own grid.
    """
    _pixels.scale(picture_of(image.planes, image.format), corners_of(window), picture_of(out, target))


class MaskedBlur:
    """The room behind the person, blurred as if the person were not there, for pictures of one size; or the reverse.

    The person is weighted out of the blur, soft edges and a rim of one cell (1/320 of the longer side) included, so
    there is no halo; where no room is near, a wider blur fills in. All memory is allocated here.
    """

    def __init__(self, size: Size) -> None:
        self._width = size.width
        self._blur = _pixels.MaskedBlur(size.width, size.height)

    def gather(
        self,
        image: Image,
        matte: AffineMatte,
        strength: float,
        *,
        levels: Levels = UNCHANGED,
        window: Window | None = None,
        person: bool = False,
    ) -> None:
        """Blur the room of ``image``, or the person; matte, levels and window as in ``compose``.

        strength, 0..100: the Gaussian's sigma is strength / 100 * BLUR_SIGMA * width. Below half a cell, 1/640 of the
        longer side, it gets no sharper.
        """
        sigma = strength / 100.0 * BLUR_SIGMA * self._width
        model = matte_of(matte, levels, window)
        self._blur.gather(picture_of(image.planes, image.format), decoding(image.format), model, sigma, person)

    @property
    def planes(self) -> _pixels.MaskedBlur:
        """What was gathered last, for the loops."""
        return self._blur

    def render(self, out: Planes, target: VideoFormat, look: Tensor | None = None) -> None:
        """Write what was gathered last into planes of ``target``, at the same size; black before the first.

        look: (3, 4), what is done to its R, G, B in [0, 1], and then clipped; see color.look_matrix.
        """
        self._blur.render(picture_of(out, target), encoding(target), look)


class PersonEdge:
    """Corrections of a matte where it is uncertain, and what they remember of earlier frames; see post.h.

    For mattes of one size. Where the matte of the frame itself gives alpha 0, the result is exactly the background,
    whatever is corrected; where it gives 1, exactly what ``compose`` makes. All memory is allocated here.
    """

    def __init__(self, size: Size) -> None:
        self._edge = _pixels.PersonEdge(size.width, size.height)
        self._frame: tuple[AffineMatte, Levels] | None = None

    def prepare(
        self, small: Tensor, matte: AffineMatte, controls: MatteControls, *, levels: Levels = UNCHANGED
    ) -> None:
        """Take the next frame. small: (3, h, w) float32 RGB, what the matte, (4, h, w), was made of.

        The matte is borrowed until the next call. A control of 0 costs nothing; smoothing 0 forgets earlier frames.
        """
        model = matte_of(matte, levels, None)
        self._edge.prepare(small, model, controls.smoothing, controls.refine, controls.despill)
        self._frame = matte, levels

    def compose(
        self,
        image: Image,
        background: Image,
        out: Planes,
        *,
        window: Window | None = None,
        look: Look | None = None,
    ) -> None:
        """As the function ``compose`` with the frame's matte, corrected."""
        self._edge.compose(
            picture_of(image.planes, image.format),
            decoding(image.format),
            self._matte(window),
            picture_of(background.planes, background.format),
            picture_of(out, background.format),
            encoding(background.format),
            _look(look),
        )

    def alpha(self, image: Image, out: npt.NDArray[np.uint8] | Tensor, *, window: Window | None = None) -> None:
        """As the function ``alpha`` with the frame's matte, corrected."""
        self._edge.alpha(picture_of(image.planes, image.format), decoding(image.format), self._matte(window), out)

    def reset(self) -> None:
        """Forget every frame: after a gap, a restart, a new camera."""
        self._edge.reset()
        self._frame = None

    def _matte(self, window: Window | None) -> MatteArguments:
        if self._frame is None:
            raise RuntimeError("no frame yet: prepare() comes first")
        matte, levels = self._frame
        return matte_of(matte, levels, window)


def all_finite(array: Tensor) -> bool:
    """Whether no value of a C-contiguous float32 array is NaN or infinite."""
    return _pixels.all_finite(array)


def isa() -> str:
    """The instruction set whose loops run: v4, v3 or baseline (x86-64 levels; other processors: baseline)."""
    return _pixels.isa()


def isas() -> list[str]:
    """Every instruction set that this processor and build can run, best first."""
    return _pixels.isas()


def select_isa(name: str) -> None:
    """Use another of ``isas()``, process-wide. For tests and measurements."""
    _pixels.select_isa(name)


def threads() -> int:
    """How many threads share the work of one call."""
    return _pixels.threads()


def set_threads(count: int) -> None:
    """Process-wide; at least 1."""
    _pixels.set_threads(count)


def _compose(image: Image, matte: MatteArguments, background: Image, out: Planes, look: Look | None) -> None:
    _pixels.compose(
        picture_of(image.planes, image.format),
        decoding(image.format),
        matte,
        picture_of(background.planes, background.format),
        picture_of(out, background.format),
        encoding(background.format),
        _look(look),
    )


def _look(look: Look | None) -> tuple[Tensor, Tensor | None, _pixels.MaskedBlur | None, int] | None:
    if look is None:
        return None
    return (look.numbers, look.light, None if look.blurred is None else look.blurred.planes, look.shift)
