"""Robust Video Matting's tensor names and state shapes. They stand here and nowhere else.

Names: those of the published export (PeterL1n/RobustVideoMatting, release v1.0.0). COEFFICIENTS are the names our
own cut gives to the refiner's A and b.
"""

from vcam.frame import Size

SRC = "src"
DOWNSAMPLE_RATIO = "downsample_ratio"
FOREGROUND = "fgr"
ALPHA = "pha"
STATES_IN = ("r1i", "r2i", "r3i", "r4i")
STATES_OUT = ("r1o", "r2o", "r3o", "r4o")
COEFFICIENTS = ("A", "b")

STATE_CHANNELS = (16, 20, 40, 64)
"""Channels of the MobileNetV3 variant's four recurrent states."""


def state_shapes(size: Size) -> tuple[tuple[int, int, int, int], ...]:
    """(1, C, h, w) of r1..r4 for an internal size: halved 1..4 times, rounding up."""
    shapes = []
    h, w = size.height, size.width
    for channels in STATE_CHANNELS:
        h, w = (h + 1) // 2, (w + 1) // 2
        shapes.append((1, channels, h, w))
    return tuple(shapes)


def core_shapes(size: Size) -> dict[str, tuple[int, ...]]:
    """Shape of every input and output of a cut core with that internal size, by name."""
    states = state_shapes(size)
    coefficients = (1, 4, size.height, size.width)
    return {
        SRC: (1, 3, size.height, size.width),
        **dict(zip(STATES_IN, states, strict=True)),
        **dict.fromkeys(COEFFICIENTS, coefficients),
        **dict(zip(STATES_OUT, states, strict=True)),
    }
