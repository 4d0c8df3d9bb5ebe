"""From JPEG to picture on a GPU that is none: when nvJPEG takes over from libjpeg-turbo, no picture changes."""

from contextlib import ExitStack
from itertools import count, cycle

import numpy as np

from tests.compose.gpu_rig import Gpu, copies
from tests.support.jpeg import encode_jpeg, smooth_rgb
from tests.support.nvjpeg_like import NvJpegLike
from vcam.cuda.device import Device
from vcam.decode.race import ROUNDS, WARM_UP, DecoderRace
from vcam.decode.turbo import TurboDecoder
from vcam.frame import EncodedFrame, PixelFormat, Plane, Stamp, VideoFormat
from vcam.scene.backdrops import SolidBackdrop
from vcam.stages import Decoder, Scene, StageTimes

SIZE = (64, 48)
MJPG = VideoFormat(PixelFormat.MJPG, *SIZE)
TARGET = VideoFormat(PixelFormat.YUYV, *SIZE)
DECODERS = 3
FRAMES = DECODERS * (WARM_UP + ROUNDS) + 12


def pictures(gpu: Gpu, decoders: list[Decoder]) -> tuple[list[tuple[Plane, ...]], list[bool]]:
    """What comes out of each frame, and whether it was decoded on the GPU."""
    made, on_gpu = [], []
    scene, turns = Scene(SolidBackdrop((0, 255, 0))), cycle(decoders)
    for index in range(FRAMES):
        jpeg = encode_jpeg(smooth_rgb(*SIZE, phase=0.2 * index))
        image = next(turns).decode(EncodedFrame(jpeg, MJPG, Stamp(index, index)))
        on_gpu.append(bool(image.device))
        made.extend(copies(gpu.processor.process(image, scene, StageTimes())))
    return made, on_gpu


def test_the_change_of_decoders_is_not_seen() -> None:
    plain = Gpu([TARGET])
    with plain.processor as processor, TurboDecoder(allocate=processor.allocate) as turbo:
        wanted, _ = pictures(plain, [turbo])
    raced, ticks = Gpu([TARGET]), count()
    library = NvJpegLike(raced.driver)
    with ExitStack() as stack:
        processor = stack.enter_context(raced.processor)
        race = DecoderRace(
            lambda: Device(raced.driver),
            processor.allocate,
            load=lambda: library.functions,
            # Between two looks libjpeg-turbo takes 9, nvJPEG 1.
            clock=lambda: float((0, 9, 9, 10)[(tick := next(ticks)) % 4] + 10 * (tick // 4)),
        )
        decoders = [stack.enter_context(race.make_decoder(MJPG)) for _ in range(DECODERS)]
        got, on_gpu = pictures(raced, decoders)
    assert on_gpu.index(True) == DECODERS * (WARM_UP + ROUNDS - 1) + 1
    assert all(on_gpu[on_gpu.index(True) :])
    for picture, expected in zip(got, wanted, strict=True):
        for plane, other in zip(picture, expected, strict=True):
            np.testing.assert_array_equal(plane, other)
    assert raced.driver.leaks() == []
    assert library.leaks() == []
