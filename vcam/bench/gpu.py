"""Everything that only a GPU can show: kernels against the card's own copy, whole frames, decoders, accuracy."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from vcam.bench import gpu_accuracy, gpu_bandwidth, gpu_decode, gpu_effects, gpu_frames, gpu_soak
from vcam.bench.clip import Clip, file_clip, scene_clip
from vcam.bench.gpu_fixed import FixedDeviceEngine
from vcam.bench.gpu_frames import Way
from vcam.bench.gpu_room import GpuRoom, Weight, not_measured
from vcam.bench.report import Row
from vcam.errors import VcamError
from vcam.frame import Size
from vcam.stages import DeviceEngine

_PICTURES = 24
_USUAL = Size(1920, 1080)
FIXED = "no engine"
"""The name of the engine that has its answer ready."""


def run(room: GpuRoom, person: Path | None = None) -> Iterator[Row]:
    """All rows. person: an MJPEG film for the accuracy; else the drawn scene."""
    yield _card(room)
    yield from gpu_bandwidth.run(room)
    clips = [scene_clip(size, frames=_PICTURES) for size in room.weight.sizes]
    for name, open_engine in _engines(room).items():
        try:
            yield from _frames(room, clips, name, open_engine)
            if name != FIXED:
                yield gpu_accuracy.run(room, name, clips[0] if person is None else file_clip(person))
        except VcamError as error:
            yield not_measured(name, "whole frames", error)
    yield from gpu_effects.run(room, _usual(clips), Way(FIXED, _engines(room)[FIXED], graphs=True))
    yield from gpu_decode.run(room)


def soak(room: GpuRoom, frames: int) -> Iterator[Row]:
    """A row for each engine that can be had."""
    clip = scene_clip(min(_USUAL, room.weight.sizes[-1], key=lambda size: size.width), frames=_PICTURES)
    for name, open_engine in _engines(room).items():
        try:
            yield gpu_soak.soak(room, clip, Way(name, open_engine, graphs=True), frames)
        except VcamError as error:
            yield not_measured(f"soak: {name}", "", error)


def _usual(clips: list[Clip]) -> Clip:
    """That of 1080p, or the largest that there is."""
    return next((clip for clip in clips if clip.format.size == _USUAL), clips[-1])


def _engines(room: GpuRoom) -> dict[str, Callable[[], DeviceEngine]]:
    fixed: Callable[[], DeviceEngine] = partial(FixedDeviceEngine, room.driver, room.weight.internal)
    return {FIXED: fixed, **room.engines}


def _frames(room: GpuRoom, clips: list[Clip], name: str, open_engine: Callable[[], DeviceEngine]) -> Iterator[Row]:
    ways = (Way(name, open_engine, graphs=True), Way(name, open_engine, graphs=False))
    for clip in clips:
        for way in ways:
            yield from gpu_frames.run(room, clip, way)
        yield gpu_frames.compare(room, clip, ways)


def _card(room: GpuRoom) -> Row:
    facts = room.driver.facts(0)
    major, minor = facts.compute_capability
    extra: dict[str, float | str] = {
        "gpu": facts.name,
        "compute_capability": f"{major}.{minor}",
        "memory_gib": round(facts.memory_bytes / 2**30, 1),
        "driver_cuda": f"{facts.driver_version // 1000}.{facts.driver_version % 1000 // 10}",
    }
    return Row("the GPU", 0.0, 0.0, 0.0, 1, extra, "the machine")


def weight_of(frames: int | None) -> Weight:
    """frames: of each figure, where the user says so; the rest follows."""
    if frames is None:
        return Weight()
    return Weight(frames=frames, warm_up=min(60, frames), compared=min(300, frames), rounds=min(50, max(5, frames)))
