"""JPEG to planes through libjpeg-turbo, into memory that is allocated once per size."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from turbojpeg import (
    TJCS_GRAY,
    TJFLAG_ACCURATEDCT,
    TJSAMP_411,
    TJSAMP_420,
    TJSAMP_422,
    TJSAMP_440,
    TJSAMP_444,
    TJSAMP_GRAY,
    TJCS_YCbCr,
)

from vcam.decode.faults import check_size, corrupt, unusual
from vcam.decode.turbo_library import Decompressor, JpegError, JpegHeader, PlanePointers, find_library, plane_pointers
from vcam.errors import DecodeError
from vcam.frame import EncodedFrame, Image, Matrix, PixelFormat, Plane, Planes, Range, VideoFormat, plane_shapes

log = logging.getLogger(__name__)

_MAX_TRAILING_BYTES = 16
"""Many webcams pad their scan by a few bytes; more means that the decoder lost its place in it."""

_TRAILING = re.compile(r"(\d+) extraneous bytes before marker 0xd9")

_LAYOUTS = {
    TJSAMP_444: PixelFormat.I444,
    TJSAMP_422: PixelFormat.I422,
    TJSAMP_420: PixelFormat.I420,
    # Rare, so that no one else needs to know them: chroma repeated (4:4:0 by rows, 4:1:1 by columns), or neutral.
    TJSAMP_440: PixelFormat.I444,
    TJSAMP_411: PixelFormat.I422,
    TJSAMP_GRAY: PixelFormat.I420,
}
_NEUTRAL_CHROMA = 128

_FLAGS = TJFLAG_ACCURATEDCT
"""TJFLAG_FASTDCT saves 4 % and makes all planes 0.48 LSB too low on average (720p and 1080p, 4:2:2, quality 85)."""

Allocate = Callable[[int], Plane]
"""Bytes wanted -> (bytes,) uint8; page-locked memory for a GPU, say."""


def _plain_memory(count: int) -> Plane:
    return np.empty(count, dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class _Target:
    """Memory for one size and subsampling. ``narrow``: chroma as coded, where it is to be repeated."""

    header: JpegHeader
    format: VideoFormat
    planes: Planes
    narrow: Planes
    pointers: PlanePointers

    def repeat_chroma(self) -> None:
        for narrow, plane in zip(self.narrow, self.planes[1:], strict=False):
            for phase in range(2):
                out = plane[phase::2] if self.header.subsampling == TJSAMP_440 else plane[:, phase::2]
                np.copyto(out, narrow[: out.shape[0], : out.shape[1]])


class TurboDecoder:
    """The usual decoder for MJPG. One thread at a time.

    Full range BT.601 (JFIF, ITU-T T.871 section 7). Standard Huffman tables stand in where a camera omits them.
    allocate: where the planes live; called again only when the size or subsampling changes.
    """

    name = "turbojpeg"

    def __init__(self, *, allocate: Allocate = _plain_memory) -> None:
        self._allocate = allocate
        self._decompressor: Decompressor | None = None
        self._target: _Target | None = None

    def __enter__(self) -> Self:
        """Raises MissingDependencyError where libturbojpeg is not installed."""
        self._decompressor = Decompressor(find_library())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        decompressor, self._decompressor, self._target = self._decompressor, None, None
        if decompressor is not None:
            decompressor.close()

    def decode(self, frame: EncodedFrame) -> Image:
        """Planes borrowed until the next call; ``Image.format`` is what the JPEG says, whatever was announced.

        Raises DecodeError for a frame that is truncated or corrupt.
        """
        if self._decompressor is None:
            raise RuntimeError("TurboDecoder is used outside its with block")
        data = np.frombuffer(frame.data, dtype=np.uint8)
        try:
            target = self._decode(data, self._decompressor)
        except (JpegError, DecodeError) as error:
            self._decompressor.renew()
            if isinstance(error, JpegError):
                raise corrupt(str(error), data.size) from error
            raise
        target.repeat_chroma()
        return Image(target.planes, target.format, frame.stamp)

    def _decode(self, data: Plane, decompressor: Decompressor) -> _Target:
        header = decompressor.header(data)
        if not header.width:
            raise corrupt("no picture in it", data.size)
        target = self._target_for(header, decompressor)
        try:
            decompressor.planes(data, header, target.pointers, _FLAGS)
        except JpegError as error:
            if error.fatal or not _harmless(str(error)):
                raise
        return target

    def _target_for(self, header: JpegHeader, decompressor: Decompressor) -> _Target:
        if self._target is None or self._target.header != header:
            _check(header)
            self._target = None
            self._target = _make_target(header, decompressor, self._allocate)
            log.info("decode.size", extra={"width": header.width, "height": header.height})
        return self._target


def _make_target(header: JpegHeader, decompressor: Decompressor, allocate: Allocate) -> _Target:
    pixel_format = _LAYOUTS[header.subsampling]
    fmt = VideoFormat(pixel_format, header.width, header.height, range=Range.FULL, matrix=Matrix.BT601)
    repeated = header.subsampling in (TJSAMP_440, TJSAMP_411)
    grey = header.subsampling == TJSAMP_GRAY
    # libjpeg-turbo pads odd luma to whole chroma samples, so its shapes win where it writes into the plane itself.
    coded = [decompressor.plane_shape(component, header) for component in range(1 if grey else 3)]
    wanted = list(plane_shapes(fmt))
    shapes = [coded[0], *(wanted[1:] if grey or repeated else coded[1:]), *(coded[1:] if repeated else ())]
    memory = allocate(sum(rows * row_bytes for rows, row_bytes in shapes))
    whole: list[Plane] = []
    offset = 0
    for rows, row_bytes in shapes:
        whole.append(memory[offset : offset + rows * row_bytes].reshape(rows, row_bytes))
        offset += rows * row_bytes
    if grey:
        for chroma in whole[1:]:
            chroma.fill(_NEUTRAL_CHROMA)
    planes = tuple(plane[:rows, :row_bytes] for plane, (rows, row_bytes) in zip(whole, wanted, strict=False))
    narrow = tuple(whole[3:])
    written = [whole[0], *(narrow or whole[1 : len(coded)])]
    return _Target(header, fmt, planes, narrow, plane_pointers(written))


def _check(header: JpegHeader) -> None:
    if header.colorspace not in (TJCS_YCbCr, TJCS_GRAY) or header.subsampling not in _LAYOUTS:
        raise unusual(f"colour space {header.colorspace}, subsampling {header.subsampling}")
    check_size(header.width, header.height)


def _harmless(warning: str) -> bool:
    # libjpeg keeps the text of the first warning only; this one can come only after the last pixel.
    found = _TRAILING.search(warning)
    return found is not None and int(found.group(1)) <= _MAX_TRAILING_BYTES
