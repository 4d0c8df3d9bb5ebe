"""JPEG frames for tests and benchmarks: encoded by libjpeg-turbo, or by Pillow where that is missing."""

import io
from enum import IntEnum

import numpy as np
import numpy.typing as npt

Rgb = npt.NDArray[np.uint8]


class Subsampling(IntEnum):
    """TJSAMP_* of turbojpeg.h."""

    S444 = 0
    S422 = 1
    S420 = 2
    GREY = 3
    S440 = 4
    S411 = 5


_PILLOW = {Subsampling.S444: 0, Subsampling.S422: 1, Subsampling.S420: 2}


def encode_jpeg(rgb: Rgb, subsampling: Subsampling = Subsampling.S422, quality: int = 85) -> bytes:
    """(H, W, 3) uint8 RGB to one JPEG. Pillow, the fallback, knows 4:4:4, 4:2:2 and 4:2:0."""
    import turbojpeg

    try:
        encoder = turbojpeg.TurboJPEG()
    except RuntimeError:
        from PIL import Image

        memory = io.BytesIO()
        Image.fromarray(rgb).save(memory, "JPEG", quality=quality, subsampling=_PILLOW[subsampling])
        return memory.getvalue()
    encoded = encoder.encode(rgb, quality=quality, pixel_format=turbojpeg.TJPF_RGB, jpeg_subsample=int(subsampling))
    return bytes(encoded)


def smooth_rgb(width: int, height: int, phase: float = 0.0) -> Rgb:
    """A colourful picture without hard edges, which JPEG keeps well. (H, W, 3) uint8."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    channels = [
        0.5 + 0.35 * np.sin(6.0 * x / max(width, 1) + phase),
        0.5 + 0.35 * np.cos(5.0 * y / max(height, 1) + phase),
        0.5 + 0.3 * np.sin(4.0 * (x + y) / max(width + height, 1) - phase),
    ]
    return np.rint(255.0 * np.stack(channels, axis=-1)).astype(np.uint8)


def without_huffman_tables(jpeg: bytes) -> bytes:
    """The same JPEG with its DHT segments cut out, as many webcams send it."""
    kept = bytearray(jpeg[:2])
    position = 2
    while jpeg[position + 1] != 0xDA:
        length = 2 + int.from_bytes(jpeg[position + 2 : position + 4])
        if jpeg[position + 1] != 0xC4:
            kept += jpeg[position : position + length]
        position += length
    return bytes(kept + jpeg[position:])
