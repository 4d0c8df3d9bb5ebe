"""What the pipeline is made of, as factories: the supervisor opens, closes and reopens by them.

Nothing here names a concrete stage; ``assemble`` fills it in, tests fill it with fakes.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from vcam.frame import Image, VideoFormat
from vcam.pipeline.snapshot import SafeReason
from vcam.stages import Backdrop, Decoder, FrameProcessor, Scene, Sink, Source


@dataclass(frozen=True, slots=True)
class OpenedProcessor:
    """A frame processor that is not entered yet, and why this engine was chosen."""

    processor: FrameProcessor
    reason: str


@dataclass(frozen=True, slots=True)
class Policy:
    """When the output is LIVE, SAFE or IDLE.

    live: the source keeps its own time (a camera, a paced file); else every frame counts and nothing is late.
    safe_after_s: the SAFE card appears when no live frame left for this long.
    max_latency_s: a frame older than this is not shown.
    frames: end after this many pictures (None: never).
    idle_after_s: close the camera when nobody has watched for this long (None: never).
    wait_for_camera: a camera that is missing at start is waited for instead of being an error.
    engine_retry_s: wait before an engine that failed is opened again; doubles with each failure in a row.
    clock: seconds of CLOCK_MONOTONIC, the one that cameras stamp their frames with.
    """

    live: bool
    frame_interval_s: float
    safe_after_s: float = 0.25
    max_latency_s: float = 1.0
    frames: int | None = None
    idle_after_s: float | None = None
    wait_for_camera: bool = False
    engine_retry_s: float = 0.5
    clock: Callable[[], float] = time.monotonic


CardRenderer: TypeAlias = Callable[[Backdrop, VideoFormat, SafeReason], Image]
"""Draws the SAFE card before a backdrop, in the layout of one output. Cached by whoever draws it."""

Observer: TypeAlias = Callable[[Image, FrameProcessor, Sequence[Image]], None]
"""Sees each composed frame before it is written: the camera's picture, the processor, the results. All borrowed."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything a pipeline needs.

    total_frames: how many pictures there will be; None without an end, or where a file does not say.
    open_processor may take long (model download, plan build) and runs in the frame thread, under the SAFE card.
    """

    source_name: str
    open_source: Callable[[], Source]
    make_decoder: Callable[[VideoFormat], Decoder]
    open_processor: Callable[[], OpenedProcessor]
    sinks: tuple[Sink, ...]
    scene: Scene
    card: CardRenderer
    policy: Policy
    total_frames: int | None = None
    observer: Observer | None = None
