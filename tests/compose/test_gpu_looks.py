"""How the person is shown and the camera is framed, on the GPU: as the CPU does it, frame by frame."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace

import numpy as np
import pytest

from tests.compose.gpu_rig import SIZE, Gpu, assert_same, copies
from tests.compose.rig import CAMERA, NV12, SMALL, YUYV, NoiseBackdrop, frame
from tests.native.pictures import SOURCES, TARGETS
from tests.support.host_kernels import host_kernels
from vcam.fakes import FakeDriver
from vcam.fakes.device_engine import steady
from vcam.frame import Image, Matrix, PixelFormat, Plane, Range, Stamp, VideoFormat
from vcam.looks import ColorMap
from vcam.scene.backdrops import SolidBackdrop
from vcam.stages import FrameProcessor, Framing, MatteControls, PersonLook, RoomLook, Scene, StageTimes

FRAMES = 4
SCALED = 8
"""Levels: what a scaled picture differs by in one, the matrices make more of."""

EDGE = MatteControls(1.0, 1.0, 1.0)
GRADED = PersonLook(brightness=1.2, contrast=1.3, gamma=1.7, saturation=0.4, temperature=0.5)
HOLOGRAM = PersonLook(hologram=1.0)
ALL = replace(GRADED, opacity=0.8, colormap=ColorMap.THERMAL, blur=40.0, hologram=0.7, light_wrap=0.6)

LOOKS: Mapping[str, PersonLook] = {
    "opacity": PersonLook(opacity=0.4),
    "colours": GRADED,
    "gray": PersonLook(saturation=0.0),
    "a map": PersonLook(colormap=ColorMap.VIRIDIS, gamma=0.5),
    "a hologram": HOLOGRAM,
    "a faint hologram": PersonLook(hologram=0.2, opacity=0.9),
    "anonymised": PersonLook(blur=60.0),
    "light around the person": PersonLook(light_wrap=1.0),
    "all": ALL,
}
FRAMINGS: Mapping[str, Framing] = {
    "mirrored": Framing(mirror=True),
    "flipped": Framing(flip=True),
    "turned around": Framing(mirror=True, flip=True),
    "zoomed": Framing(zoom=2.5, pan_x=-0.4, pan_y=0.7),
    "zoomed to the corner and mirrored": Framing(zoom=4.0, pan_x=1.0, pan_y=-1.0, mirror=True),
    "panned only": Framing(pan_x=1.0, pan_y=-0.5),
}


def make(targets: Sequence[VideoFormat], *, half: bool = False, graphs: bool = True) -> Gpu:
    """The real kernels, on the CPU."""
    return Gpu(targets, half=half, graphs=graphs, driver=FakeDriver(host_kernels()))


def play(
    processor: FrameProcessor, scene: Scene, number: int, camera: VideoFormat = CAMERA, *, still: bool = False
) -> list[tuple[Plane, ...]]:
    """Frame after frame, 40 ms apart. still: each with the same picture."""
    image: Image = replace(frame(camera, 1 if still else number), stamp=Stamp(number * 40_000_000, number))
    return copies(processor.process(image, scene, StageTimes()))


def assert_alike(
    gpu: Gpu, scenes: Sequence[Scene], camera: VideoFormat = CAMERA, *, limit: int = 1, scaled: int = SCALED
) -> None:
    """limit: for pictures of the camera's size that are not framed, scaled: for others."""
    with gpu.processor as processor, gpu.twin() as twin:
        for number, scene in enumerate(scenes):
            got, wanted = play(processor, scene, number, camera), play(twin, scene, number, camera)
            for target, picture, expected in zip(gpu.targets, got, wanted, strict=True):
                whole = target.size == camera.size and scene.framing == Framing()
                assert_same([picture], [expected], limit=limit if whole else scaled)
            if not scene.show_room:
                assert_same([(processor.last_alpha(),)], [(twin.last_alpha(),)])
    assert gpu.driver.leaks() == []


@pytest.mark.parametrize("blur", [0.0, 30.0])
@pytest.mark.parametrize("name", FRAMINGS)
def test_a_framed_picture_is_that_of_the_cpu(name: str, blur: float) -> None:
    """The kernels are those of the CPU here, so that no more than arithmetic differs."""
    gpu = Gpu([YUYV, NV12, SMALL])
    scenes = [Scene(NoiseBackdrop(), blur, framing=FRAMINGS[name])] * FRAMES
    scenes += [replace(scenes[0], show_room=True)] * FRAMES
    assert_alike(gpu, scenes, scaled=1)


@pytest.mark.parametrize("name", FRAMINGS)
def test_a_framed_edge_is_that_of_the_cpu(name: str) -> None:
    scene = Scene(NoiseBackdrop(), framing=FRAMINGS[name], matte=EDGE)
    assert_alike(make([YUYV, SMALL]), [scene] * FRAMES)


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("half", [True, False])
def test_a_look_is_that_of_the_cpu(name: str, half: bool) -> None:
    scene = Scene(NoiseBackdrop(), person=LOOKS[name])
    assert_alike(make([YUYV, NV12, SMALL], half=half), [scene] * FRAMES)


@pytest.mark.parametrize("layout", SOURCES)
def test_every_camera_layout_into_every_output(layout: PixelFormat) -> None:
    """Odd sizes: pairs that are not whole, moved sideways."""
    camera = VideoFormat(layout, 75, 43, range=Range.FULL)
    targets = [VideoFormat(each, 75, 43) for each in TARGETS]
    targets += [VideoFormat(each, 61, 37, range=Range.FULL, matrix=Matrix.BT709) for each in TARGETS]
    scene = Scene(NoiseBackdrop(), person=ALL, matte=EDGE, framing=Framing(mirror=True))
    assert_alike(make(targets), [replace(scene, framing=Framing())] * 2 + [scene] * 2, camera)


@pytest.mark.parametrize(
    "room",
    [
        RoomLook(tint=0.4, color=(0, 80, 255)),
        RoomLook(saturation=0.0, brightness=1.8),
        RoomLook(0.7, 1.6, 1.9, 0.2, (255, 200, 0)),
    ],
    ids=str,
)
def test_a_blurred_room_looks_as_on_the_cpu(room: RoomLook) -> None:
    scene = Scene(NoiseBackdrop(), 30.0, room=room)
    assert_alike(make([YUYV, NV12, SMALL]), [scene] * FRAMES)
    picture = replace(scene, blur=0.0)  # its look is in its own pixels
    assert_alike(make([YUYV]), [picture, replace(picture, room=RoomLook())])


def test_levels_are_those_of_the_cpu() -> None:
    scenes = [
        Scene(NoiseBackdrop(), blur, matte=replace(controls, threshold=threshold, softness=softness))
        for blur in (0.0, 30.0)
        for controls in (MatteControls(), EDGE)
        for threshold, softness in ((0.3, 1.0), (0.5, 0.2), (0.8, 0.0))
    ]
    assert_alike(make([YUYV]), scenes)


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("strength", [-1.0, -0.2, 0.3, 1.0])
def test_a_person_is_made_larger_or_smaller_as_on_the_cpu(strength: float, half: bool) -> None:
    """Before its edge is corrected, and what is remembered of it with it."""
    scenes = [
        Scene(NoiseBackdrop(), blur, matte=replace(controls, grow=strength, threshold=threshold))
        for controls in (MatteControls(), EDGE)
        for blur, threshold in ((0.0, 0.5), (30.0, 0.6))
    ]
    assert_alike(make([YUYV, SMALL], half=half), [scene for scene in scenes for _ in range(3)])


OTHER: Mapping[str, object] = {
    "mirror": True,
    "flip": True,
    "zoom": 3.0,
    "colormap": ColorMap.OCEAN,
    "color": (0, 0, 255),
    "blur": 50.0,
    "gamma": 2.0,
    "grow": 1.0,
    "softness": 0.2,
}
"""Values of settings that are not 0.3 elsewhere."""


def changed(scene: Scene) -> Iterator[tuple[str, Scene]]:
    """The scene with each of its settings changed, one at a time. ``auto`` is for the wrapper around a processor."""
    for part in ("person", "framing", "matte", "room"):
        values = getattr(scene, part)
        for field in fields(values):
            if (part, field.name) != ("framing", "auto"):
                other = replace(values, **{field.name: OTHER.get(field.name, 0.3)})
                yield f"{part}.{field.name}", replace(scene, **{part: other})


@pytest.mark.parametrize("half", [True, False])
def test_no_setting_is_ignored(half: bool) -> None:
    """Each of them is seen, the new ones of tomorrow too, and as the CPU shows it."""
    base = Scene(NoiseBackdrop(), 30.0, room=RoomLook(tint=0.2), framing=Framing(zoom=2.0))
    blank = make([YUYV], half=half)
    with blank.processor as processor:
        without = [play(processor, base, number, still=True)[0][0].astype(int) for number in range(3)]
    for name, scene in changed(base):
        gpu, seen = make([YUYV], half=half), []
        with gpu.processor as processor, gpu.twin() as twin:
            for number in range(3):
                got = play(processor, scene, number, still=True)
                assert_same(got, play(twin, scene, number, still=True), limit=SCALED)
                seen.append(np.abs(got[0][0] - without[number]).max())
        assert max(seen) > 4, name


def test_sliders_and_what_moves_record_nothing_anew() -> None:
    gpu = make([YUYV, SMALL])
    with gpu.processor as processor, gpu.twin() as twin:
        for number in range(12):
            share = number / 12
            look = replace(ALL, opacity=share, brightness=2 * share, gamma=1 + share, blur=1 + 90 * share)
            framing = Framing(mirror=number % 2 == 0, zoom=1.0 + share, pan_x=share)
            controls = MatteControls(
                0.1 + share / 2, 0.2, 0.3, grow=1.9 * share - 0.99, threshold=share, softness=share
            )
            room = RoomLook(tint=0.1 + share / 2)
            scene = Scene(NoiseBackdrop(), 1 + share, person=look, framing=framing, matte=controls, room=room)
            assert_same(play(processor, scene, number), play(twin, scene, number), limit=SCALED)
        assert gpu.driver.calls.count("begin_capture") == 2
        assert gpu.driver.calls.count("launch_graph") == 10


def test_a_hologram_moves_over_a_picture_that_does_not() -> None:
    still = steady(np.full((SIZE.height, SIZE.width), 0.7, np.float32))
    gpu = Gpu([YUYV], still, driver=FakeDriver(host_kernels()))
    scene = Scene(SolidBackdrop((10, 200, 30)), person=HOLOGRAM)
    with gpu.processor as processor:
        shown = [
            copies(processor.process(replace(frame(), stamp=Stamp(at * 40_000_000, at)), scene, StageTimes()))
            for at in (0, 0, 0, 1, 2, 1)
        ]
    assert_same(shown[0], shown[2], limit=0)
    assert_same(shown[3], shown[5], limit=0)
    for one, other in ((2, 3), (3, 4)):
        assert np.abs(shown[one][0][0].astype(int) - shown[other][0][0].astype(int)).max() > 4


def test_effects_come_and_go() -> None:
    """Each time other work is recorded; nothing of before stays."""
    base = Scene(NoiseBackdrop())
    story = [base, replace(base, person=ALL), replace(base, framing=Framing(zoom=2.0)), replace(base, blur=30.0)]
    story += [replace(base, blur=30.0, person=HOLOGRAM), replace(base, person=PersonLook(blur=9.0)), base]
    assert_alike(make([YUYV, SMALL]), [scene for scene in story for _ in range(3)])


def test_off_they_take_no_work_and_once_on_no_more_memory() -> None:
    gpu = make([YUYV])
    with gpu.processor as processor:
        for number in range(4):
            play(processor, Scene(NoiseBackdrop()), number)
        assert not {"launch compose_look", "launch scale", "launch blur_gather"} & set(gpu.driver.ran)
        scene = Scene(NoiseBackdrop(), person=ALL, framing=Framing(mirror=True))
        play(processor, scene, 4)
        held = processor.device.allocated_bytes
        for number in range(5, 9):
            play(processor, scene, number)
        assert processor.device.allocated_bytes == held
