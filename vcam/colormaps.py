"""Colour maps: which colour stands for how bright a picture is. For the person and for backgrounds alike."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import numpy as np

from vcam.frame import Tensor
from vcam.looks import ColorMap

LEVELS = 256

_POINTS: Mapping[ColorMap, str] = MappingProxyType(
    {
        ColorMap.GRAY: "000000 ffffff",
        ColorMap.SEPIA: "000000 4a3016 a2794a e0bf92 fff6e2",
        ColorMap.THERMAL: "00000a 1d0068 7b0091 c4265f ee6a1a fbb416 fff07a ffffff",
        ColorMap.NIGHT: "000000 0a5a14 39ff6a d8ffe0",
        ColorMap.INFERNO: "000004 0c0826 240c4f 420a68 5d126e 781c6d 932667 ae305c "
        "c73e4c dd513a ed6925 f8850f fca50a fac62d f2e661 fcffa4",
        ColorMap.MAGMA: "000004 0b0924 20114b 3b0f70 57157e 721f81 8c2981 a8327d "
        "c43c75 de4968 f1605d fa7f5e fe9f6d febf84 fddea0 fcfdbf",
        ColorMap.PLASMA: "0d0887 330597 5002a2 6a00a8 8405a7 9c179e b12a90 c33d80 "
        "d35171 e16462 ed7953 f68f44 fca636 fec029 f9dc24 f0f921",
        ColorMap.VIRIDIS: "440154 481a6c 472f7d 414487 39568c 31688e 2a788e 23888e "
        "1f988b 22a884 35b779 54c568 7ad151 a5db36 d2e21b fde725",
        ColorMap.TURBO: "30123b 4143a7 4771e9 3e9bfe 22c5e2 1ae4b6 46f884 88ff4e "
        "b9f635 e1dd37 faba39 fd8d27 f05b12 d63506 af1801 7a0403",
        ColorMap.JET: "00007f 0000ff 007fff 00ffff 7fff7f ffff00 ff7f00 ff0000 7f0000",
        ColorMap.HOT: "000000 ff0000 ffff00 ffffff",
        ColorMap.COOL: "00ffff ff00ff",
        ColorMap.BONE: "000000 30304a 6f8794 b7d2d2 ffffff",
        ColorMap.OCEAN: "000000 00205a 0080aa ffffff",
    }
)
"""Colours at even distances from black to white. Inferno to viridis are matplotlib's (CC0), turbo is Google's (Apache
License 2.0), each within 7 of 255 levels of the original between the points."""


@cache
def colors_of(colormap: ColorMap) -> Tensor:
    """(256, 3) RGB in [0, 1], the colour of each 8-bit level of brightness; shared and read-only.

    Raises KeyError for ``none``, which is no map.
    """
    points = np.array([list(bytes.fromhex(point)) for point in _POINTS[colormap].split()], np.float32) / 255.0
    places = np.linspace(0.0, 1.0, len(points))
    levels = np.linspace(0.0, 1.0, LEVELS)
    table = np.stack([np.interp(levels, places, channel) for channel in points.T], axis=-1).astype(np.float32)
    table.flags.writeable = False
    return table
