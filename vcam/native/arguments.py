"""What the loops take for a picture, a window and a matte."""

from typing import TypeAlias

from vcam.frame import AffineMatte, Levels, Planes, Tensor, VideoFormat, Window

Picture: TypeAlias = tuple[str, int, int, Planes]
Corners: TypeAlias = tuple[float, float, float, float] | None
Matte: TypeAlias = tuple[Tensor, Tensor, Corners, float, float]


def picture_of(planes: Planes, fmt: VideoFormat) -> Picture:
    return (fmt.pixel_format.value, fmt.width, fmt.height, planes)


def corners_of(window: Window | None) -> Corners:
    return None if window is None else (window.x, window.y, window.width, window.height)


def matte_of(matte: AffineMatte, levels: Levels, window: Window | None) -> Matte:
    return (matte.a, matte.b, corners_of(window), levels.gain, levels.offset)
