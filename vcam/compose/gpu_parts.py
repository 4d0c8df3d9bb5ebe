"""What lives on the GPU as long as the processor is open, and the order in which one frame goes through it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from vcam.compose.gpu_backdrops import Backdrops
from vcam.compose.gpu_edges import Edges
from vcam.compose.gpu_frame import CameraFrame
from vcam.compose.gpu_layout import packed
from vcam.compose.gpu_live import GHOSTS, LiveBlock
from vcam.compose.gpu_outputs import Outputs
from vcam.compose.gpu_pinned import PinnedPool
from vcam.compose.gpu_program import Recorder, Step
from vcam.compose.gpu_tensors import EngineTensors
from vcam.compose.gpu_times import FrameClock, Mark
from vcam.compose.gpu_view import DeviceView
from vcam.cuda.arguments import DeviceLook, DeviceWash
from vcam.cuda.device import Device
from vcam.cuda.kernels import DeviceMatte, DevicePicture
from vcam.frame import Levels, Size, VideoFormat
from vcam.stages import DeviceEngine, Framing, PersonLook, Scene


@dataclass(frozen=True, slots=True)
class Work:
    """What of a scene decides which work a frame is: what is recorded is good for one of these.

    room: the camera's picture as it is. framed: not all of the camera's picture, or turned. blurs: the blurred room;
    tints: with a look. corrects: smoothing, refinement, despill. looks: the person's look. anonymises: the person's
    blur. wraps: light around the person. ghosts: how many there are. grows: the matte.
    """

    room: bool = False
    framed: bool = False
    blurs: bool = False
    tints: bool = False
    looks: bool = False
    anonymises: bool = False
    wraps: bool = False
    ghosts: int = 0
    grows: bool = False
    corrects: tuple[bool, bool, bool] = (False, False, False)


def work_of(scene: Scene) -> Work:
    framed = scene.framing != Framing()
    if scene.show_room:
        return Work(room=True, framed=framed)
    matte, person = scene.matte, scene.person
    return Work(
        framed=framed,
        blurs=scene.blur > 0,
        tints=scene.blur > 0 and scene.room.changes,
        looks=person != PersonLook(),
        anonymises=person.blur > 0,
        wraps=person.light_wrap > 0,
        grows=matte.grow != 0,
        ghosts=GHOSTS if person.hologram > 0 else 0,
        corrects=(matte.smoothing > 0, matte.refine > 0, matte.despill > 0),
    )


class Parts:
    """Made on an entered device, with an entered engine; all memory goes with the device."""

    def __init__(
        self, device: Device, engine: DeviceEngine, targets: Sequence[VideoFormat], levels: Levels, fatbin: bytes
    ) -> None:
        self.device = device
        self.stream = device.cuda_stream
        self.engine = engine
        self.recorder = Recorder(device, fatbin)
        self.outputs = Outputs(device, targets)
        sizes = {target.size: None for target in self.outputs.pictures}
        self.block = LiveBlock(device, engine.input_size, levels, sizes)
        self.tensors = EngineTensors(device, engine, self.block)
        self.edges = Edges(device, self.recorder, self.tensors, self.block)
        self.backdrops = Backdrops(device, tuple(self.outputs.pictures))
        self.clock = FrameClock(device)
        self.pool = PinnedPool(device)

    def frame(self, camera: VideoFormat) -> CameraFrame:
        """Room for the camera's pictures; without its views yet."""
        return CameraFrame(self.device, self.pool, self.recorder, self.block, packed(camera))

    def matted(self, frame: CameraFrame, source: DevicePicture, turn: int, work: Work) -> tuple[Step, ...]:
        """One turn's work with a matte, from the picture on the device to the outputs on the host."""
        stream, tensors = self.stream, self.tensors
        self._begin()
        self._add(partial(tensors.poison, cuda_stream=stream))
        self.recorder.sample(source, tensors.src, tensors.size, half=tensors.src_half, cuda_stream=stream)
        self._mark(Mark.SAMPLED)
        self._add(partial(self.engine.enqueue, turn, cuda_stream=stream))
        self._mark(Mark.INFERRED)
        self.recorder.check(tensors.matte(), self.outputs.flag, cuda_stream=stream)
        whole = self.edges.record(turn, cuda_stream=stream)
        for size, view in frame.views.items():
            picture, matte = view.picture(source, framed=work.framed, cuda_stream=stream), view.matte(whole)
            targets = [target for target in self.outputs.pictures if target.size == size]
            if work.blurs:
                self._blur(view, picture, matte, targets, tints=work.tints)
            blurred = view.anonymise(picture, matte, cuda_stream=stream) if work.anonymises else DeviceWash()
            for target in targets:
                under, light = self.backdrops.pictures[target], DeviceWash()
                if work.wraps:
                    light = view.light(picture, under, matte, cuda_stream=stream)
                self._compose(picture, matte, target, self._looks(size, light, blurred, work))
        return self._end(turn)

    def room(self, frame: CameraFrame, source: DevicePicture, turn: int, work: Work) -> tuple[Step, ...]:
        """One turn's work that shows the camera's picture as it is."""
        self._begin()
        pictures = {
            size: view.picture(source, framed=work.framed, cuda_stream=self.stream)
            for size, view in frame.views.items()
        }
        for target, there in self.outputs.pictures.items():
            self.recorder.convert(pictures[target.size], there, cuda_stream=self.stream)
        return self._end(turn)

    def _looks(self, size: Size, light: DeviceWash, blurred: DeviceWash, work: Work) -> Iterator[DeviceLook | None]:
        """How the person is drawn, from the lowest one up: its ghosts, then itself."""
        for ghost in (*range(work.ghosts), -1):
            yield DeviceLook(self.block.figure(size, ghost), light, blurred) if work.looks else None

    def _compose(
        self, picture: DevicePicture, matte: DeviceMatte, target: VideoFormat, looks: Iterable[DeviceLook | None]
    ) -> None:
        under, out = self.backdrops.pictures[target], self.outputs.pictures[target]
        for look in looks:
            looked = replace(matte, look=look)
            self.recorder.compose(picture, looked, under, out, self.outputs.flag, cuda_stream=self.stream)
            under = out

    def _blur(
        self,
        view: DeviceView,
        picture: DevicePicture,
        matte: DeviceMatte,
        targets: Sequence[VideoFormat],
        *,
        tints: bool,
    ) -> None:
        blur = view.gather(picture, matte, cuda_stream=self.stream)
        for target in targets:
            blur.render(self.backdrops.pictures[target], self.block.live if tints else 0, cuda_stream=self.stream)

    def _begin(self) -> None:
        self.recorder.take()  # what a recording left behind that failed
        self._mark(Mark.LAUNCHED)
        self._add(partial(self.outputs.clear, cuda_stream=self.stream))

    def _end(self, turn: int) -> tuple[Step, ...]:
        self._mark(Mark.COMPOSED)
        self._add(partial(self.outputs.download, turn, cuda_stream=self.stream))
        self._mark(Mark.DOWNLOADED)
        return self.recorder.take()

    def _mark(self, moment: Mark) -> None:
        self._add(partial(self.clock.mark, moment))

    def _add(self, step: Step) -> None:
        self.recorder.add(step)
