"""What the pipeline is made of, as factories: the supervisor opens, closes and reopens by them.

Nothing here names a concrete stage; ``assemble`` fills it in, tests fill it with fakes.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from vcam.frame import Image, VideoFormat
from vcam.pipeline.preparation import Preparation
from vcam.pipeline.snapshot import SafeReason
from vcam.pipeline.takeover import TakeoverPolicy
from vcam.stages import Backdrop, Decoder, FrameProcessor, Scene, Sink, Source
from vcam.v4l2.wanted_controls import WantedControls

DecoderFactory: TypeAlias = Callable[[VideoFormat], Decoder]
"""A decoder for frames of a format, not entered yet."""


def _no_graph() -> bool | None:
    return None


@dataclass(frozen=True, slots=True)
class OpenedProcessor:
    """A frame processor that is not entered yet, and why this engine was chosen.

    make_decoder: decoders that suit it (page-locked memory, the GPU's own), used only while it is entered; None: the
    pipeline's. ahead: the next frame is decoded in a thread of its own, while this one works on another device.
    gpu_graph: see Snapshot; any thread may ask. successor: makes ready a better processor, which takes over between two
    frames; it may take minutes and runs in the thread "vcam-upgrade". That one may have a successor in turn.
    learn: makes an engine that knows the empty room forget and learn it; called between two frames.
    last_resort: nobody asked for this engine, and any other would be better.
    """

    processor: FrameProcessor
    reason: str
    make_decoder: DecoderFactory | None = None
    ahead: bool = False
    gpu_graph: Callable[[], bool | None] = _no_graph
    successor: "ProcessorFactory | None" = None
    learn: Callable[[], None] | None = None
    last_resort: bool = False


ProcessorFactory: TypeAlias = Callable[[Preparation], OpenedProcessor]
"""May take long (model download, plan build); tells the Preparation, and ends soon after it is cancelled."""


@dataclass(frozen=True, slots=True)
class Policy:
    """When the output is LIVE, SAFE or IDLE.

    live: the source keeps its own time (a camera, a paced file); else every frame counts and nothing is late.
    safe_after_s: the SAFE card appears when no live frame left for this long.
    max_latency_s: a frame older than this is not shown.
    frames: end after this many pictures (None: never).
    idle_after_s: close the camera when nobody has watched for this long (None: never).
    give_up_after_s: end when no output has taken a picture for this long, after one failed.
    wait_for_camera: a camera that is missing at start is waited for instead of being an error.
    engine_retry_s: wait before an engine that failed is opened again; doubles with each failure in a row.
    upgrade_retry_s: the same for a better engine that could not be made ready, while another runs.
    takeover: what that one must show before it takes over.
    preview_source: the camera's own picture may be looked at; see Tap.
    clock: seconds of CLOCK_MONOTONIC, the one that cameras stamp their frames with.
    """

    live: bool
    frame_interval_s: float
    safe_after_s: float = 0.25
    max_latency_s: float = 1.0
    frames: int | None = None
    idle_after_s: float | None = None
    give_up_after_s: float = 60.0
    wait_for_camera: bool = False
    engine_retry_s: float = 0.5
    upgrade_retry_s: float = 10.0
    takeover: TakeoverPolicy = field(default_factory=TakeoverPolicy)
    preview_source: bool = False
    clock: Callable[[], float] = time.monotonic


CardRenderer: TypeAlias = Callable[[Backdrop, VideoFormat, SafeReason], Image]
"""Draws the SAFE card before a backdrop, in the layout of one output. Cached by whoever draws it."""

Observer: TypeAlias = Callable[[Image, FrameProcessor, Sequence[Image]], None]
"""Sees each composed frame before it is written: the camera's picture, the processor, the results. All borrowed."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything a pipeline needs.

    camera_controls: what was set on the camera while it ran; ``open_source`` sets it anew.
    total_frames: how many pictures there will be; None without an end, or where a file does not say.
    open_processor runs in the frame thread, under the SAFE card.
    """

    source_name: str
    open_source: Callable[[], Source]
    make_decoder: DecoderFactory
    open_processor: ProcessorFactory
    sinks: tuple[Sink, ...]
    scene: Scene
    card: CardRenderer
    policy: Policy
    total_frames: int | None = None
    observer: Observer | None = None
    camera_controls: WantedControls = field(default_factory=WantedControls)
