"""How pictures get to the GPU and back: no copy too many, none missing, no memory left."""

import ctypes
import gc
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tests.compose.gpu_rig import Gpu, assert_same, copies, shown
from tests.compose.rig import CAMERA, NV12, SMALL, YUYV, NoiseBackdrop, frame
from tests.native.pictures import noise
from tests.support.host_kernels import host_kernels
from tests.support.jpeg import encode_jpeg, smooth_rgb
from tests.support.nvjpeg_like import NvJpegLike
from vcam.compose.gpu import GpuFrameProcessor
from vcam.cuda.device import Device
from vcam.cuda.live import FigureStruct, LiveStruct, ViewStruct
from vcam.decode.nvjpeg import NvJpegDecoder
from vcam.decode.turbo import TurboDecoder
from vcam.fakes import FakeDriver
from vcam.frame import (
    EncodedFrame,
    Image,
    PixelFormat,
    Plane,
    Range,
    Stamp,
    VideoFormat,
    allocate_planes,
    frame_bytes,
    split_planes,
)
from vcam.scene.backdrops import SolidBackdrop
from vcam.stages import Framing, MatteControls, PersonLook, Scene, StageTimes

STILL = Scene(SolidBackdrop((10, 200, 30)))


@pytest.fixture
def gpu() -> Iterator[Gpu]:
    """Open, and past the first frames."""
    gpu = Gpu([YUYV, NV12], driver=FakeDriver(host_kernels()))
    with gpu.processor as processor:
        for number in range(4):
            shown(processor, number, STILL)
        yield gpu
    assert gpu.driver.leaks() == []


def uploads(gpu: Gpu, image: Image, scene: Scene = STILL) -> int:
    """Copies to the device that a frame takes."""
    return processed(gpu, image, scene)[1]


def processed(gpu: Gpu, image: Image, scene: Scene = STILL) -> tuple[list[tuple[Plane, ...]], int]:
    """Copies of what is shown, and how many uploads it took."""
    before = gpu.driver.calls.count("copy_to_device")
    shown = copies(gpu.processor.process(image, scene, StageTimes()))
    return shown, gpu.driver.calls.count("copy_to_device") - before


def lent(processor: GpuFrameProcessor, image: Image, padding: int = 0) -> Image:
    """The same picture in memory of the processor; rows longer by ``padding`` bytes."""
    fmt = replace(image.format, stride=image.planes[0].shape[1] + padding if padding else 0)
    planes = split_planes(processor.allocate(frame_bytes(fmt)), fmt)
    for plane, values in zip(planes, image.planes, strict=True):
        plane[:] = values
    return Image(planes, fmt, image.stamp)


def test_a_picture_in_our_memory_takes_one_copy(gpu: Gpu) -> None:
    assert uploads(gpu, lent(gpu.processor, frame())) == 1


def test_a_picture_in_any_memory_takes_one_copy(gpu: Gpu) -> None:
    assert uploads(gpu, frame()) == 1


def test_planes_with_padded_rows_take_one_copy_each(gpu: Gpu) -> None:
    camera = VideoFormat(PixelFormat.NV12, 160, 96)
    assert uploads(gpu, lent(gpu.processor, noise(camera), padding=16)) == 2


@pytest.mark.parametrize("padding", [0, 16])
@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("layout", [PixelFormat.NV12, PixelFormat.YUYV, PixelFormat.GREY, PixelFormat.I420])
def test_padded_or_not_ours_or_not_it_is_the_same_picture(*, layout: PixelFormat, ours: bool, padding: int) -> None:
    gpu = Gpu([SMALL])
    with gpu.processor as processor, gpu.twin() as twin:
        for number in range(4):
            image = replace(noise(VideoFormat(layout, 62, 44), seed=number), stamp=Stamp(number, number))
            given = lent(processor, image, padding) if ours else image
            got = copies(processor.process(given, STILL, StageTimes()))
            assert_same(got, copies(twin.process(image, STILL, StageTimes())))


def test_strange_strides_are_copied_aside() -> None:
    """Bottom-up, and every second byte of a row, in the processor's own memory too."""
    gpu = Gpu([SMALL])
    fmt = VideoFormat(PixelFormat.GREY, 30, 20)
    with gpu.processor as processor, gpu.twin() as twin:
        whole = processor.allocate(60 * 20).reshape(20, 60)
        whole[:] = np.random.default_rng(0).integers(0, 256, whole.shape)
        for number, plane in enumerate((whole[::-1, :30], whole[:, ::2], whole[:, 30:])):
            image = Image((plane,), fmt, Stamp(number, number))
            got = copies(processor.process(image, STILL, StageTimes()))
            plain = replace(image, planes=(np.ascontiguousarray(plane),))
            assert_same(got, copies(twin.process(plain, STILL, StageTimes())))


def test_a_decoder_s_jpegs_are_uploaded_from_where_it_wrote_them(gpu: Gpu) -> None:
    jpegs = [encode_jpeg(np.roll(smooth_rgb(160, 96), shift, axis=1)) for shift in (0, 30, 60)]
    mjpg = VideoFormat(PixelFormat.MJPG, 160, 96)
    with TurboDecoder(allocate=gpu.processor.allocate) as decoder, TurboDecoder() as plain, gpu.twin() as twin:
        gpu.processor.reset()
        for number, data in enumerate(jpegs):
            encoded = EncodedFrame(data, mjpg, Stamp(number, number))
            got, copied = processed(gpu, decoder.decode(encoded))
            assert copied == 1
            assert_same(got, copies(twin.process(plain.decode(encoded), STILL, StageTimes())))


def test_memory_that_was_lent_is_freed_once_its_last_view_is_gone() -> None:
    gpu = Gpu([YUYV])
    with gpu.processor as processor:
        before = gpu.driver.calls.count("free_host")
        memory = processor.allocate(1000)
        view = memory[100:200].reshape(10, 10)[2:]
        del memory
        gc.collect()
        processor.allocate(10)
        assert gpu.driver.calls.count("free_host") == before
        view[:] = 7
        del view
        gc.collect()
        processor.allocate(10)
        assert gpu.driver.calls.count("free_host") == before + 2, "and that of the line before the last"
    assert gpu.driver.leaks() == []


def test_decoders_in_other_threads_may_ask_for_memory(gpu: Gpu) -> None:
    found: list[Plane] = []
    thread = threading.Thread(target=lambda: found.append(gpu.processor.allocate(64)))
    thread.start()
    thread.join()
    assert found[0].shape == (64,)


def test_a_still_backdrop_is_uploaded_once(gpu: Gpu) -> None:
    assert uploads(gpu, frame()) == 1
    assert uploads(gpu, frame(), Scene(SolidBackdrop((1, 2, 3)))) == 3
    moving = Scene(NoiseBackdrop())
    assert [uploads(gpu, frame(), moving) for _ in range(3)] == [3, 3, 3]


def test_after_the_blur_the_backdrop_is_uploaded_again(gpu: Gpu) -> None:
    blurred = replace(STILL, blur=20.0)
    assert uploads(gpu, frame(), blurred) == 2, "and how strong it is"
    assert uploads(gpu, frame(), blurred) == 1
    assert uploads(gpu, frame(), STILL) == 4
    assert uploads(gpu, frame(), STILL) == 1


def test_what_only_changes_numbers_takes_one_small_copy_and_records_nothing(gpu: Gpu) -> None:
    """Sliders are moved while frames pass."""
    scenes = [replace(STILL, blur=blur, matte=MatteControls(*[0.1 * blur] * 3)) for blur in (2.0, 4.0, 6.0, 8.0, 10.0)]
    for scene in [scenes[0]] * 4:
        shown(gpu.processor, 4, scene)
    recorded = gpu.driver.calls.count("begin_capture")
    for number, scene in enumerate(scenes[1:]):
        before = len(gpu.driver.calls)
        assert uploads(gpu, frame(sequence=number), scene) == 2
        assert "launch_graph" in gpu.driver.calls[before:]
    assert gpu.driver.calls.count("begin_capture") == recorded


def test_a_backdrop_of_another_format_is_refused(gpu: Gpu) -> None:
    class Wrong:
        def render(self, target: VideoFormat, pts_ns: int) -> Image:
            return noise(replace(target, height=target.height // 2))

    with pytest.raises(ValueError, match="a backdrop of"):
        gpu.processor.process(frame(), Scene(Wrong()), StageTimes())
    assert len(shown(gpu.processor, 9, STILL)) == 2


@pytest.mark.parametrize(
    ("planes", "error", "text"),
    [
        (lambda planes: planes[:2], ValueError, "expected 3 raw planes, got 2"),
        (lambda planes: (*planes[:2], planes[2][:1]), ValueError, "plane 2: expected shape"),
        (lambda planes: (planes[0].astype(np.float32), *planes[1:]), TypeError, "plane 0: expected uint8"),
    ],
)
def test_planes_that_are_not_of_the_format_are_refused(
    gpu: Gpu, planes: object, error: type[Exception], text: str
) -> None:
    assert callable(planes)
    with pytest.raises(error, match=text):
        gpu.processor.process(replace(frame(), planes=planes(frame().planes)), STILL, StageTimes())


def test_pictures_of_a_decoder_on_the_gpu_are_not_uploaded() -> None:
    """Three decoders in turn, as when decoding ahead; each has memory of its own, and so graphs of its own."""
    gpu = Gpu([YUYV, SMALL])
    library = NvJpegLike(gpu.driver)
    jpegs = [encode_jpeg(np.roll(smooth_rgb(160, 96), shift, axis=1)) for shift in range(0, 150, 10)]
    mjpg = VideoFormat(PixelFormat.MJPG, 160, 96)
    decoders = [NvJpegDecoder(lambda: Device(gpu.driver), load=lambda: library.functions) for _ in range(3)]
    with gpu.processor as processor, gpu.twin() as twin, decoders[0], decoders[1], decoders[2]:
        for number, data in enumerate(jpegs):
            image = decoders[number % 3].decode(EncodedFrame(data, mjpg, Stamp(number, number)))
            got, copied = processed(gpu, image)
            assert copied == (3 if number == 0 else 0), "the backdrops and what the scene asks, once"
            assert_same(got, copies(twin.process(on_host(gpu.driver, image), STILL, StageTimes())))
            assert_same([(processor.last_alpha(),)], [(twin.last_alpha(),)])
        assert processor.captured
        assert gpu.driver.calls.count("instantiate") == 6
    assert gpu.driver.leaks() == []


def on_host(driver: FakeDriver, image: Image) -> Image:
    _, planes = allocate_planes(image.format)
    for plane, there in zip(planes, image.device, strict=True):
        rows, row = plane.shape
        memory = driver.memory.bytes(there.address, (rows - 1) * there.stride + row)
        plane[:] = np.lib.stride_tricks.as_strided(memory, (rows, row), (there.stride, 1))
    return Image(planes, image.format, image.stamp)


def test_the_last_pictures_are_untouched_by_the_frame_after() -> None:
    """They lie in page-locked memory of their own, in turns: a sink may still be at them."""
    gpu = Gpu([YUYV])
    with gpu.processor as processor:
        for number in range(6):
            before = processor.process(frame(sequence=number), STILL, StageTimes())
            kept = copies(before)
            after = processor.process(frame(sequence=number + 1), STILL, StageTimes())
            assert_same(copies(before), kept, limit=0)
            assert not np.shares_memory(before[0].planes[0], after[0].planes[0])


def test_outputs_are_one_buffer_each_so_that_a_sink_writes_them_at_once() -> None:
    gpu = Gpu([NV12, VideoFormat(PixelFormat.I420, 33, 21)])
    with gpu.processor as processor:
        for image in processor.process(frame(), STILL, StageTimes()):
            ends = [np.lib.array_utils.byte_bounds(plane) for plane in image.planes]
            assert all(before[1] == after[0] for before, after in pairwise(ends))


def test_nothing_is_allocated_after_the_first_frames(gpu: Gpu) -> None:
    blurred = replace(STILL, blur=30.0)
    for scene in (STILL, blurred):
        for number in range(4):
            shown(gpu.processor, number, scene)
        before, held = list(gpu.driver.calls), gpu.processor.device.allocated_bytes
        for number in range(4, 8):
            shown(gpu.processor, number, scene)
        new = gpu.driver.calls[len(before) :]
        assert not {"allocate", "allocate_host", "begin_capture", "create_event"} & set(new)
        assert gpu.processor.device.allocated_bytes == held
        assert new.count("synchronize_stream") == 4, "one wait a frame"
        assert new.count("launch_graph") == 4


def test_formats_of_the_camera_leave_no_memory_behind(gpu: Gpu) -> None:
    shown(gpu.processor, 4, STILL)
    gpu.processor.last_alpha()
    held = gpu.processor.device.allocated_bytes
    others = [VideoFormat(PixelFormat.NV12, 300, 200, range=Range.FULL), VideoFormat(PixelFormat.YUYV, 64, 48)]
    for number in range(5, 17):
        shown(gpu.processor, number, replace(STILL, blur=10.0 * (number % 2)), others[number % 2])
        gpu.processor.last_alpha()
    shown(gpu.processor, 17, STILL, CAMERA)
    gpu.processor.last_alpha()
    assert gpu.processor.device.allocated_bytes == held


def test_a_stride_is_no_change_of_format(gpu: Gpu) -> None:
    before = gpu.driver.calls.count("instantiate")
    for number in range(4, 9):
        image = lent(gpu.processor, frame(sequence=number), padding=16)
        gpu.processor.process(image, STILL, StageTimes())
    assert gpu.driver.calls.count("instantiate") == before


def test_what_moves_takes_one_small_copy_a_frame(gpu: Gpu) -> None:
    """A hologram's phases, and the framing of a person who walks."""
    hologram = replace(STILL, person=PersonLook(hologram=0.5))
    for number in range(4):
        uploads(gpu, frame(sequence=number), hologram)
    recorded = gpu.driver.calls.count("begin_capture")
    for number in range(4, 8):
        walking = replace(hologram, framing=Framing(zoom=2.0, pan_x=0.1 * number))
        assert [uploads(gpu, frame(sequence=number + more), walking) for more in (0, 10, 20)] == [2, 2, 2]
    assert gpu.driver.calls.count("begin_capture") == recorded + 2, "once, when framing began"
    still = replace(walking, person=PersonLook(opacity=0.5))
    assert [uploads(gpu, frame(sequence=number), still) for _ in range(3)] == [2, 1, 1]


def test_what_is_held_can_be_calculated() -> None:
    """The camera's picture, output and backdrop, the tensors, and what kernels read of the scene: nothing else, but for
    where each begins."""
    gpu = Gpu([YUYV])
    with gpu.processor as processor:
        shown(processor, 1, STILL)
        tensors = [spec.nbytes for spec in gpu.engine.tensors.values()]
        wanted = frame_bytes(CAMERA) + 2 * frame_bytes(YUYV) + sum(tensors)
        wanted += sum(map(ctypes.sizeof, (*[LiveStruct] * 2, *[ViewStruct] * 2, *[FigureStruct] * 3)))
        assert 0 <= processor.device.allocated_bytes - wanted < 256 * (len(tensors) + 4)
