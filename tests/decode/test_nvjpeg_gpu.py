"""The real nvJPEG on a real GPU, against libjpeg-turbo."""

from contextlib import suppress

import numpy as np
import pytest

from tests.decode.test_nvjpeg import TAKEN
from tests.decode.test_turbo import corrupt_frames, frame_of
from tests.support.gpu import real_driver
from tests.support.jpeg import Subsampling, encode_jpeg, smooth_rgb, without_huffman_tables
from vcam.cuda.device import Device
from vcam.decode.nvjpeg import NvJpegDecoder
from vcam.decode.turbo import TurboDecoder
from vcam.errors import DecodeError
from vcam.frame import EncodedFrame

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (1921, 1081)])
@pytest.mark.parametrize("subsampling", list(TAKEN))
def test_the_real_library_agrees_with_libjpeg_turbo(size: tuple[int, int], subsampling: Subsampling) -> None:
    """Two exact inverse DCTs may round one level apart."""
    driver = real_driver()
    noise = np.random.default_rng(0).normal(0.0, 6.0, (size[1], size[0], 3))
    frame = frame_of(encode_jpeg(np.clip(smooth_rgb(*size) + noise, 0, 255).astype(np.uint8), subsampling), *size)
    with TurboDecoder() as turbo, Device(driver) as device, NvJpegDecoder(lambda: Device(driver)) as decoder:
        expected = turbo.decode(frame)
        for data in (frame.data, without_huffman_tables(bytes(frame.data))):
            image = decoder.decode(EncodedFrame(data, frame.format, frame.stamp))
            assert image.format == expected.format
            for plane, wanted in zip(image.device, expected.planes, strict=True):
                found = np.empty_like(wanted)
                with device.current():
                    device.download_rows(found, plane.address, plane.stride, cuda_stream=device.cuda_stream)
                    device.synchronize()
                assert np.abs(found.astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("kind", list(corrupt_frames()))
def test_the_real_library_survives_corrupt_frames(kind: str) -> None:
    """Whether it refuses every one is for the race to find out on the camera's own frames."""
    driver = real_driver()
    good = frame_of(encode_jpeg(smooth_rgb(64, 48)))
    with NvJpegDecoder(lambda: Device(driver)) as decoder:
        decoder.decode(good)
        for _ in range(3):
            with suppress(DecodeError):
                decoder.decode(frame_of(corrupt_frames()[kind]))
            assert decoder.decode(good).device
