"""What a scene asks for beside its background: of the person, of the matte, of the camera's framing.

Small values that live on ``stages.Scene``; each default changes nothing. vcam/native/look.h has the arithmetic of
colours, vcam.compose.look turns these into its numbers.
"""

from dataclasses import dataclass
from enum import StrEnum


class ColorMap(StrEnum):
    """Colours that stand for brightness instead of a picture's own; vcam.colormaps has them."""

    NONE = "none"
    GRAY = "gray"
    SEPIA = "sepia"
    THERMAL = "thermal"
    NIGHT = "night"
    INFERNO = "inferno"
    MAGMA = "magma"
    PLASMA = "plasma"
    VIRIDIS = "viridis"
    TURBO = "turbo"
    JET = "jet"
    HOT = "hot"
    COOL = "cool"
    BONE = "bone"
    OCEAN = "ocean"


@dataclass(frozen=True, slots=True)
class PersonLook:
    """How the person is shown. Alpha is always that of the untouched picture; only colours change, and how much of
    the background shows through.

    opacity: 0..1, of the person; below 1 the background shows through. brightness, contrast, saturation: factors,
    0..2. gamma: 0.2..5, above 1 brightens the middle. temperature: -1 (cold) .. 1 (warm). blur: 0..100, strength as in
    Scene.blur. hologram, light_wrap: 0 (off) .. 1.
    """

    opacity: float = 1.0
    brightness: float = 1.0
    contrast: float = 1.0
    gamma: float = 1.0
    saturation: float = 1.0
    temperature: float = 0.0
    colormap: ColorMap = ColorMap.NONE
    blur: float = 0.0
    hologram: float = 0.0
    light_wrap: float = 0.0


@dataclass(frozen=True, slots=True)
class Framing:
    """Which part of the camera's picture is shown, and how it is turned. Backgrounds stay as they are.

    mirror: left and right change places. flip: top and bottom do. zoom: 1..4, how much less than the whole is shown.
    pan_x, pan_y: -1..1, where the part lies within what zoom and cropping leave room for: at the left (top), in the
    middle, at the right (bottom) edge, as the viewer sees it. auto: zoom and pan follow the person instead.
    """

    mirror: bool = False
    flip: bool = False
    zoom: float = 1.0
    pan_x: float = 0.0
    pan_y: float = 0.0
    auto: bool = False


@dataclass(frozen=True, slots=True)
class MatteControls:
    """What is done to the matte before it composes.

    smoothing: over time, where alpha is uncertain and nothing moves. despill: the real room's colour is taken out of
    soft edges. refine: uncertain alpha is found anew from the full-resolution picture. 0 switches each of these off, 1
    is its full strength.

    threshold: 0..1, the alpha that becomes one half; softness: 0..1, how much of a soft edge stays soft. grow: -1..1,
    makes the person smaller or larger; above 0 a rim of the real room is shown, by explicit wish only.
    """

    smoothing: float = 0.0
    despill: float = 0.0
    refine: float = 0.0
    threshold: float = 0.5
    softness: float = 1.0
    grow: float = 0.0


@dataclass(frozen=True, slots=True)
class RoomLook:
    """The linear part of a background's look: of every backdrop, and of the blurred room. color.look_matrix has it.

    brightness, contrast, saturation: factors, 0..2. tint: 0..1, how much of ``color``, RGB 0..255, is mixed in.
    """

    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    tint: float = 0.0
    color: tuple[int, int, int] = (0, 0, 0)

    @property
    def changes(self) -> bool:
        return (self.brightness, self.contrast, self.saturation, self.tint) != (1.0, 1.0, 1.0, 0.0)
