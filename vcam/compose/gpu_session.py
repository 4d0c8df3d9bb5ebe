"""One frame after the other through an open GPU: upload, one graph, one wait, and a verdict on what came back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from vcam.compose.gpu_frame import CameraFrame
from vcam.compose.gpu_layout import packed
from vcam.compose.gpu_outputs import TURNS
from vcam.compose.gpu_parts import Parts, Work, work_of
from vcam.compose.gpu_program import Programs, Step
from vcam.compose.gpu_times import MATTED, ROOM, Mark
from vcam.cuda.kernels import DeviceMatte, DevicePicture
from vcam.errors import EngineError, GpuError, MatteInvalidError
from vcam.frame import Image, Plane, Stamp, VideoFormat
from vcam.stages import MatteControls, Scene, Stage, StageTimes

_FINITE, _NOT_FINITE = 0, 1


class Session:
    """Used with the device's context current, by one thread at a time.

    After an error nothing that was queued, recorded or cached is trusted: the next frame starts afresh.
    """

    def __init__(self, parts: Parts, programs: Programs) -> None:
        self._parts = parts
        self._programs = programs
        self._frame: CameraFrame | None = None
        self._camera: VideoFormat | None = None
        self._scene: Scene | None = None
        self._work: Work | None = None
        self._last: tuple[DevicePicture, DeviceMatte] | None = None
        self._turn = 0
        self._fresh = True
        self._sound = True

    def process(self, image: Image, scene: Scene, times: StageTimes) -> list[Image]:
        """See FrameProcessor. The image is not in use any more when this returns or raises."""
        self._last = None
        with self._watched():
            frame = self._frame_for(image.format)
            work = self._look_at(scene)
            self._parts.block.ask(image.format.size, scene, image.stamp.pts_ns)
            if work.room:
                source = self._show_room(frame, image, work, times)
            else:
                source = self._matted(frame, image, scene, times)
            turn, self._turn = self._turn, (self._turn + 1) % TURNS
        self._judge(turn, image.stamp)
        self._last = None if scene.show_room else (source, self._parts.edges.matte(turn))
        return self._parts.outputs.images(turn, image.stamp)

    def reset(self) -> None:
        """Forget the states before the next frame."""
        self._fresh = True

    def last_alpha(self) -> Plane:
        """See FrameProcessor."""
        if self._frame is None or self._last is None:
            raise RuntimeError("no matte yet: the last call of process() gave none")
        parts, last, self._last = self._parts, self._last, None
        with self._watched():
            parts.recorder.take()
            alpha = self._frame.alpha(*last)
            for step in parts.recorder.take():
                step()
            parts.device.synchronize()
        self._last = last
        return alpha.copy()

    def close(self) -> None:
        """Before the engine and the device are closed. What was queued no longer matters, nor that it failed."""
        with suppress(GpuError):
            self._parts.device.synchronize()
        with suppress(GpuError):
            self._programs.clear()

    def _matted(self, frame: CameraFrame, image: Image, scene: Scene, times: StageTimes) -> DevicePicture:
        parts, turn, work = self._parts, self._turn, self._look_at(scene)
        if not work.blurs:
            with times.measure(Stage.COMPOSE):
                parts.backdrops.render(scene.backdrop, image.stamp.pts_ns)
        parts.clock.mark(Mark.BEGUN)
        source = frame.source(image)
        parts.block.queue()
        parts.backdrops.queue()
        self._forget()
        parts.clock.mark(Mark.UPLOADED)
        self._run(turn, source, lambda: parts.matted(frame, source, turn, work))
        parts.clock.add_to(times, MATTED)
        return source

    def _forget(self) -> None:
        parts = self._parts
        if self._fresh:
            parts.tensors.forget(cuda_stream=parts.stream)
            parts.edges.forget()
            self._fresh = False
        parts.edges.queue_forgetting(cuda_stream=parts.stream)

    def _show_room(self, frame: CameraFrame, image: Image, work: Work, times: StageTimes) -> DevicePicture:
        parts, turn = self._parts, self._turn
        self._fresh = True
        parts.clock.mark(Mark.BEGUN)
        source = frame.source(image)
        parts.block.queue()
        parts.clock.mark(Mark.UPLOADED)
        self._run(turn, source, lambda: parts.room(frame, source, turn, work))
        parts.clock.add_to(times, ROOM)
        return source

    def _run(self, turn: int, source: DevicePicture, record: Callable[[], tuple[Step, ...]]) -> None:
        self._parts.outputs.spoil(turn)
        self._programs.run((turn, source.planes), record)
        self._parts.device.synchronize()

    def _judge(self, turn: int, stamp: Stamp) -> None:
        """Raises unless the pictures of this turn are those of this frame, made with a finite matte."""
        verdict = self._parts.outputs.verdict(turn)
        if verdict == _FINITE:
            return
        self._fresh = True
        engine = self._parts.engine.info.engine
        if verdict == _NOT_FINITE:
            raise MatteInvalidError(
                f"the engine {engine} returned coefficients that are not finite",
                hint="if this goes on, choose another engine with --engine, or --no-fp16",
                engine=engine,
                sequence=stamp.sequence,
            )
        self._sound = False
        raise GpuError(
            f"the pictures of frame {stamp.sequence} did not arrive from the GPU (flag {verdict:#x})",
            hint="restart vcam; if it happens again run `vcam doctor`",
            sequence=stamp.sequence,
        )

    def _frame_for(self, camera: VideoFormat) -> CameraFrame:
        if self._frame is not None and (camera is self._camera or packed(camera) == self._frame.format):
            self._camera = camera
            return self._frame
        self._drop_frame()
        self._parts.edges.forget()
        frame = self._frame = self._parts.frame(camera)
        frame.show({target.size for target in self._parts.outputs.pictures})
        self._camera = camera
        return frame

    def _look_at(self, scene: Scene) -> Work:
        """What work the scene is; forgets what was recorded when that is another."""
        if scene is self._scene and self._work is not None:
            return self._work
        work = work_of(scene)
        self._parts.edges.ask(MatteControls() if work.room else scene.matte)
        if work != self._work:
            self._programs.clear()
            if self._work is not None and self._work.blurs:
                self._parts.backdrops.forget()  # the blur wrote over them
        self._scene, self._work = scene, work
        return work

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Start afresh where the last time did not end well; and when this one does not, wait for what it queued."""
        if not self._sound:
            self._recover()
        self._sound = False
        try:
            yield
            self._sound = True
        finally:
            if not self._sound:
                with suppress(EngineError):  # the error on its way says more
                    self._parts.device.synchronize()

    def _recover(self) -> None:
        self._fresh = True
        self._parts.device.synchronize()
        self._drop_frame()
        self._parts.backdrops.forget()
        self._parts.block.forget()

    def _drop_frame(self) -> None:
        frame, self._frame, self._camera = self._frame, None, None
        self._programs.clear()
        if frame is not None:
            frame.release()
