"""Effects on the CPU: what they do to a whole frame, and that none of them shows the room."""

from dataclasses import replace

import numpy as np
import pytest

from tests.compose.rig import (
    CAMERA,
    NV12,
    SMALL,
    YUYV,
    NoiseBackdrop,
    SoftEngine,
    assert_close,
    frame,
    planes_of,
    process,
)
from tests.native.pictures import TARGETS, noise
from vcam import native
from vcam.compose.cpu import FAINT, CpuFrameProcessor
from vcam.fakes import FakeEngine
from vcam.frame import Image, PixelFormat, Plane, Range, Stamp, VideoFormat, allocate_planes
from vcam.looks import ColorMap, Framing, MatteControls, PersonLook
from vcam.stages import Scene

WIDTH, HEIGHT = 160, 96
RGB = VideoFormat(PixelFormat.RGB24, WIDTH, HEIGHT)
EVERYTHING = PersonLook(
    opacity=0.8,
    brightness=1.2,
    contrast=1.3,
    gamma=1.5,
    saturation=0.7,
    temperature=0.4,
    hologram=0.9,
    light_wrap=1.0,
)
LOOKS = {
    "colours": EVERYTHING,
    "map": replace(EVERYTHING, colormap=ColorMap.TURBO, hologram=0.0),
    "blur": PersonLook(blur=70.0),
    "all": replace(EVERYTHING, blur=40.0, colormap=ColorMap.THERMAL),
}
FRAMINGS = {
    "as-it-is": Framing(),
    "mirror": Framing(mirror=True),
    "flip": Framing(flip=True),
    "part": Framing(mirror=True, flip=True, zoom=1.7, pan_x=0.6, pan_y=-0.4),
}


def covered() -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """The matte (24, 40) of somebody of 8 x 10 nodes of four pixels each, at the lower edge."""
    mask = np.zeros((24, 40), np.float32)
    mask[14:, 16:24] = 1.0
    return mask


def somebody_in(room: tuple[int, int, int], layout: PixelFormat) -> Image:
    """Noise where the matte is above 0, and two nodes around; the room, of one colour, everywhere else."""
    rng = np.random.default_rng(1)
    picture = np.broadcast_to(np.array(room, np.uint8), (HEIGHT, WIDTH, 3)).copy()
    picture[4 * 12 :, 4 * 14 : 4 * 26] = rng.integers(0, 256, (4 * 12, 4 * 12, 3))
    fmt = VideoFormat(layout, WIDTH, HEIGHT, range=Range.FULL)
    planes = allocate_planes(fmt)[1]
    stamp = Stamp(pts_ns=1_234_567_890, sequence=1)
    native.convert(Image((picture.reshape(HEIGHT, -1),), RGB, stamp), planes, fmt)
    return Image(planes, fmt, stamp)


def shown(scene: Scene, image: Image, targets: list[VideoFormat]) -> list[tuple[Plane, ...]]:
    with CpuFrameProcessor(FakeEngine(covered()), targets) as processor:
        return planes_of(process(processor, image, scene))


CASES = [(look, framing, PixelFormat.I422) for look in LOOKS for framing in FRAMINGS]
CASES += [("all", "part", layout) for layout in (PixelFormat.NV12, PixelFormat.YUYV, PixelFormat.RGB24)]


@pytest.mark.parametrize(("look", "framing", "layout"), CASES)
def test_no_effect_shows_the_room(look: str, framing: str, layout: PixelFormat) -> None:
    """Not one byte depends on the room: two rooms of opposite colours give the same pictures."""
    targets = [VideoFormat(each, WIDTH, HEIGHT) for each in TARGETS]
    targets += [VideoFormat(PixelFormat.NV12, 90, 130), VideoFormat(PixelFormat.YUYV, 64, 36)]
    controls = MatteControls(smoothing=0.5, threshold=0.3, softness=0.6, grow=-0.2)
    scene = Scene(NoiseBackdrop(), person=LOOKS[look], framing=FRAMINGS[framing], matte=controls)
    pictures = [shown(scene, somebody_in(room, layout), targets) for room in ((255, 0, 255), (0, 255, 0))]
    for here, there in zip(*pictures, strict=True):
        for plane, other in zip(here, there, strict=True):
            np.testing.assert_array_equal(plane, other)


def test_the_test_of_the_room_would_see_it() -> None:
    scene = Scene(NoiseBackdrop(), blur=50.0)
    target = [VideoFormat(PixelFormat.YUYV, WIDTH, HEIGHT)]
    here, there = (shown(scene, somebody_in(room, PixelFormat.I422), target) for room in ((255, 0, 255), (0, 255, 0)))
    assert (here[0][0] != there[0][0]).any()


@pytest.mark.parametrize("look", LOOKS)
def test_where_nobody_is_stands_the_background_bit_exactly(look: str) -> None:
    scene = Scene(NoiseBackdrop(), person=replace(LOOKS[look], hologram=0.0))
    target = VideoFormat(PixelFormat.YUYV, WIDTH, HEIGHT)
    (got,) = shown(scene, somebody_in((255, 0, 255), PixelFormat.I422), [target])
    background = noise(target, seed=1_234_567_890 + WIDTH).planes[0]
    np.testing.assert_array_equal(got[0][: 4 * 13], background[: 4 * 13])
    assert (got[0][4 * 16 :, 4 * 36 : 4 * 44] != background[4 * 16 :, 4 * 36 : 4 * 44]).any()


@pytest.mark.parametrize("target", [YUYV, NV12])
def test_settings_that_change_nothing_change_no_bit(target: VideoFormat) -> None:
    engine, image = SoftEngine(), frame()
    plain = Scene(NoiseBackdrop(), person=PersonLook(), framing=Framing(), matte=MatteControls())
    with CpuFrameProcessor(engine, [target]) as processor:
        (got,) = planes_of(process(processor, image, plain))
    wanted = allocate_planes(target)[1]
    background = noise(target, seed=image.stamp.pts_ns + target.width)
    native.compose(image, engine.matte(engine.seen[0], image.stamp), background, wanted, levels=FAINT)
    for plane, expected in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(plane, expected)


def test_effects_can_come_and_go_between_frames() -> None:
    """Each frame is what a fresh processor makes of it; outputs stay where they are."""
    scenes = [
        Scene(NoiseBackdrop()),
        Scene(NoiseBackdrop(), person=EVERYTHING),
        Scene(NoiseBackdrop(), framing=Framing(mirror=True, zoom=2.0)),
        Scene(NoiseBackdrop(), person=PersonLook(blur=30.0), matte=MatteControls(grow=0.5)),
        Scene(NoiseBackdrop(), blur=50.0, framing=Framing(flip=True), matte=MatteControls(grow=-0.5)),
        Scene(NoiseBackdrop()),
    ]
    lasting: list[int] = []
    with CpuFrameProcessor(SoftEngine(), [YUYV, SMALL]) as processor:
        for number, scene in enumerate(scenes):
            image = frame(sequence=number)
            results = process(processor, image, scene)
            with CpuFrameProcessor(SoftEngine(), [YUYV, SMALL]) as fresh:
                for got, wanted in zip(planes_of(results), planes_of(process(fresh, image, scene)), strict=True):
                    assert_close(got, wanted, limit=0)
            places = [plane.ctypes.data for result in results for plane in result.planes]
            assert lasting in ([], places)
            lasting = places


def test_a_mirrored_person_stands_before_the_same_background() -> None:
    """The person and the matte are those of a camera whose picture is turned; the background is not."""
    camera, target = replace(CAMERA, pixel_format=PixelFormat.I444), replace(YUYV, pixel_format=PixelFormat.I444)
    image = frame(camera)
    engine, turned = SoftEngine(), SoftEngine()
    turned.a, turned.b = (np.ascontiguousarray(part[:, ::-1, ::-1]) for part in (engine.a, engine.b))
    upside = replace(image, planes=tuple(np.ascontiguousarray(plane[::-1, ::-1]) for plane in image.planes))
    with CpuFrameProcessor(engine, [target]) as processor:
        (got,) = planes_of(process(processor, image, Scene(NoiseBackdrop(), framing=Framing(mirror=True, flip=True))))
    with CpuFrameProcessor(turned, [target]) as processor:
        (wanted,) = planes_of(process(processor, upside))
    assert_close(got, wanted)


def test_zoom_and_pan_choose_a_part() -> None:
    """At twice the size the lower right quarter is what a camera of that quarter alone would show."""
    camera = replace(CAMERA, pixel_format=PixelFormat.I444)
    target = replace(camera.resized(replace(camera.size, width=80, height=48)), range=Range.LIMITED)
    image = frame(camera)
    part = Image(tuple(plane[48:, 80:] for plane in image.planes), camera.resized(target.size), image.stamp)
    flat = FakeEngine(np.ones((9, 16), np.float32))
    with CpuFrameProcessor(flat, [target]) as processor:
        (got,) = planes_of(
            process(processor, image, Scene(NoiseBackdrop(), framing=Framing(zoom=2.0, pan_x=1.0, pan_y=1.0)))
        )
    with CpuFrameProcessor(FakeEngine(np.ones((9, 16), np.float32)), [target]) as processor:
        (wanted,) = planes_of(process(processor, part))
    assert_close(got, wanted)


def test_the_room_that_is_shown_on_demand_is_framed_too() -> None:
    camera = replace(CAMERA, pixel_format=PixelFormat.I444)
    image = frame(camera)
    with CpuFrameProcessor(SoftEngine(), [replace(camera, stride=0)]) as processor:
        (got,) = process(processor, image, Scene(NoiseBackdrop(), show_room=True, framing=Framing(mirror=True)))
    for plane, source in zip(got.planes, image.planes, strict=True):
        np.testing.assert_array_equal(plane, source[:, ::-1])


def test_the_last_alpha_is_of_the_matte_as_it_was_shaped() -> None:
    image = somebody_in((255, 0, 255), PixelFormat.I422)
    areas = {}
    for grow in (-1.0, 0.0, 1.0):
        with CpuFrameProcessor(FakeEngine(covered()), [YUYV]) as processor:
            process(processor, image, Scene(NoiseBackdrop(), matte=MatteControls(grow=grow)))
            areas[grow] = float(processor.last_alpha().mean())
    assert areas[-1.0] < 0.85 * areas[0.0] < 0.85 * 0.85 * areas[1.0]
