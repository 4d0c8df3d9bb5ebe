"""Ways to put frames into a file: raw YUV4MPEG2 here; a container with H.264 is vcam.media_writer's."""

from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np

from vcam.frame import Image, Range, VideoFormat


class Writer(Protocol):
    """Opened on construction. Raises OSError or PyAV's errors, which the sink translates."""

    def write(self, image: Image, pts_ns: int) -> None: ...

    def close(self) -> None: ...


class Y4mWriter:
    """YUV4MPEG2: every frame as it is, at a constant rate (stamps are not kept), without the matrix.

    Chroma is sited between the lines and columns, hence ``420jpeg``.
    """

    def __init__(self, path: Path, fmt: VideoFormat, rate: Fraction) -> None:
        self._file = path.open("wb")
        colour_range = "FULL" if fmt.range is Range.FULL else "LIMITED"
        self._header = (
            f"YUV4MPEG2 W{fmt.width} H{fmt.height} F{rate.numerator}:{rate.denominator} Ip A1:1 C420jpeg "
            f"XCOLORRANGE={colour_range}\n"
        ).encode()

    def write(self, image: Image, pts_ns: int) -> None:
        self._file.write(self._header + b"FRAME\n")
        self._header = b""
        for plane in image.planes:
            self._file.write(np.ascontiguousarray(plane).data)

    def close(self) -> None:
        self._file.close()
