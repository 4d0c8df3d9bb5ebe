"""What decides the race of decoders: time, equal pictures, and honesty about broken frames."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from vcam.cuda.device import Device
from vcam.decode.nvjpeg import NvJpegDecoder
from vcam.decode.turbo import TurboDecoder
from vcam.errors import DecodeError
from vcam.frame import Image

MARGIN = 0.9
"""nvJPEG must take less than this share of the time: the GPU has other work to do."""

_LARGEST_LEVELS, _MEAN_LEVELS = 4, 0.5
"""Exact inverse DCTs differ by one level of 255 here and there; another picture differs by more."""

_HOLE = 0.1
"""Share of a scan's bytes that is cut out to see whether it is refused."""

_START_OF_SCAN = b"\xff\xda"
_MS_PER_S = 1e3


@dataclass(frozen=True, slots=True)
class Verdict:
    """decoder: the name of the one chosen. Medians of what each took per frame, uploading included; 0: not known."""

    decoder: str
    reason: str
    turbo_ms: float = 0.0
    nvjpeg_ms: float = 0.0


def judge(turbo_s: Sequence[float], nvjpeg_s: Sequence[float], *, conceals: bool) -> Verdict:
    """By the medians. conceals: whether nvJPEG made a picture of a broken frame."""
    turbo_ms, nvjpeg_ms = (round(_MS_PER_S * median(each), 3) for each in (turbo_s, nvjpeg_s))
    if nvjpeg_ms >= MARGIN * turbo_ms:
        return Verdict(TurboDecoder.name, "nvJPEG is not clearly faster", turbo_ms, nvjpeg_ms)
    if conceals:
        return Verdict(TurboDecoder.name, "nvJPEG shows broken frames", turbo_ms, nvjpeg_ms)
    return Verdict(NvJpegDecoder.name, "nvJPEG is faster", turbo_ms, nvjpeg_ms)


def require_alike(rival: Image, picture: Image, device: Device) -> None:
    """Raises DecodeError unless both show the same."""
    if rival.format != picture.format:
        raise _differs(f"{rival.format} instead of {picture.format}")
    for source, wanted in zip(rival.device, picture.planes, strict=True):
        found = np.empty_like(wanted)
        with device.current():
            device.download_rows(found, source.address, source.stride, cuda_stream=device.cuda_stream)
        device.synchronize()
        off = np.abs(found.astype(np.int16) - wanted)
        if off.max() > _LARGEST_LEVELS or off.mean() > _MEAN_LEVELS:
            raise _differs(f"by up to {off.max()} levels, {off.mean():.2f} on average")


def _differs(how: str) -> DecodeError:
    return DecodeError(f"nvJPEG's picture differs from libjpeg-turbo's: {how}", hint="libjpeg-turbo decodes instead.")


def with_hole(data: bytes) -> bytes:
    """The frame as it arrives when packets in its middle are lost."""
    scan = max(data.find(_START_OF_SCAN), 0)
    middle, length = (scan + len(data)) // 2, math.ceil((len(data) - scan) * _HOLE)
    return data[:middle] + data[middle + length :]
