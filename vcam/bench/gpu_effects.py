"""What each effect of a scene costs on the GPU: one at a time, then all at once, against none."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from vcam.bench.clip import Clip
from vcam.bench.gpu_frames import FrameMaker, Way
from vcam.bench.gpu_room import GpuRoom
from vcam.bench.report import Row, row
from vcam.frame import VideoFormat
from vcam.looks import ColorMap
from vcam.scene.backdrops import SolidBackdrop
from vcam.stages import Framing, MatteControls, PersonLook, RoomLook, Scene, Stage

NONE = "none"


def effects() -> Mapping[str, Scene]:
    """By name; without any first."""
    plain = Scene(SolidBackdrop((0, 255, 0)))
    backdrop, room = plain.backdrop, RoomLook(tint=0.3)
    corrected, person = MatteControls(1.0, 1.0, 1.0), PersonLook(gamma=1.5, colormap=ColorMap.THERMAL)
    return {
        NONE: plain,
        "blurred room": Scene(backdrop, 50.0),
        "blurred room, tinted": Scene(backdrop, 50.0, room=room),
        "framing": Scene(backdrop, framing=Framing(mirror=True, zoom=1.5)),
        "edge: smoothing, refine, despill": Scene(backdrop, matte=corrected),
        "grow": Scene(backdrop, matte=MatteControls(grow=1.0)),
        "colours": Scene(backdrop, person=person),
        "person blur": Scene(backdrop, person=PersonLook(blur=50.0)),
        "hologram": Scene(backdrop, person=PersonLook(hologram=1.0)),
        "light wrap": Scene(backdrop, person=PersonLook(light_wrap=1.0)),
        "all": Scene(
            backdrop,
            50.0,
            matte=MatteControls(1.0, 1.0, 1.0, grow=1.0),
            person=PersonLook(gamma=1.5, colormap=ColorMap.THERMAL, blur=50.0, hologram=1.0, light_wrap=1.0),
            framing=Framing(mirror=True, zoom=1.5),
            room=room,
        ),
    }


def run(room: GpuRoom, clip: Clip, way: Way) -> Iterator[Row]:
    """A row for each: seconds of the compose stage, by events. Raises VcamError where the engine cannot be had."""
    with FrameMaker(room, clip, way) as maker:
        for name, scene in effects().items():
            maker.change_scene(scene)
            seconds, ours = [], []
            for number in range(room.weight.warm_up + room.weight.frames):
                maker.frame()
                if number >= room.weight.warm_up:
                    seconds.append(maker.times.seconds()[Stage.COMPOSE])
                    ours.append(maker.ours_s)
            own = {"ours_p50_us": round(1e6 * sorted(ours)[len(ours) // 2], 1)}
            yield replace(row(name, seconds, **own), group=_group(clip.format))


def _group(fmt: VideoFormat) -> str:
    return f"{fmt.height}p, compose with each effect, by events; ours: our own work on the CPU for a whole frame"
