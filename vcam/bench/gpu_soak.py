"""Does the GPU path stay as it is? The GPU's memory, the host's, descriptors and threads while frames go by."""

from dataclasses import dataclass

from vcam.bench.clip import Clip
from vcam.bench.footprint import Footprint, footprint
from vcam.bench.gpu_frames import FrameMaker, Way
from vcam.bench.gpu_room import GpuRoom
from vcam.bench.report import Row
from vcam.scene.backdrops import SolidBackdrop
from vcam.stages import Scene

_MIB = 1 << 20
_PARTS = 10
_SETTLED = 2
_SCENES = (Scene(SolidBackdrop((0, 255, 0))), Scene(SolidBackdrop((0, 255, 0)), blur=50.0))


@dataclass(frozen=True, slots=True)
class _Held:
    """host: see Footprint. gpu_used_bytes: of the whole GPU, all processes. own_bytes: of our buffers there."""

    host: Footprint
    gpu_used_bytes: int
    own_bytes: int


def soak(room: GpuRoom, clip: Clip, way: Way, frames: int) -> Row:
    """What is held at the end against what was held when a fifth of the frames had gone by.

    The scene changes ten times, which records everything anew; both looks follow a part with the same scene.
    """
    every = max(1, frames // _PARTS)
    settled: _Held | None = None
    with FrameMaker(room, clip, way) as maker:
        for number in range(frames):
            if number % every == 0:
                maker.change_scene(_SCENES[min(number // every, _PARTS - 1) % len(_SCENES)])
            if number == _SETTLED * every:
                settled = _look(maker)
            maker.frame()
        last = _look(maker)
    if settled is None:
        raise AssertionError("a soak needs at least 3 frames")
    figures: dict[str, float | str] = {
        "gpu_memory_growth_mib": round((last.gpu_used_bytes - settled.gpu_used_bytes) / _MIB, 1),
        "own_buffers_growth_bytes": float(last.own_bytes - settled.own_bytes),
        "resident_growth_kib": float(last.host.resident_kib - settled.host.resident_kib),
        "descriptor_growth": float(last.host.descriptors - settled.host.descriptors),
        "thread_growth": float(last.host.kernel_threads - settled.host.kernel_threads),
        "gpu_memory_in_use_mib": round(last.gpu_used_bytes / _MIB, 1),
    }
    return Row(f"soak: {clip.format.height}p MJPEG to YUYV, {way}", 0.0, 0.0, 0.0, frames, figures)


def _look(maker: FrameMaker) -> _Held:
    device = maker.processor.device
    free, total = device.free_memory()
    return _Held(footprint(), total - free, device.allocated_bytes)
