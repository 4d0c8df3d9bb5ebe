"""sample -> matte -> compose on the CPU: the native loops around one engine."""

from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

import numpy as np

from vcam import native
from vcam.color import room_matrix
from vcam.compose.person import PersonPainter
from vcam.compose.post import MatteShaper, ShapedMatte
from vcam.compose.view import View
from vcam.errors import MatteInvalidError
from vcam.frame import AffineMatte, Image, Plane, Planes, Size, Stamp, Tensor, VideoFormat, allocate_planes
from vcam.stages import EngineInfo, MattingEngine, RoomLook, Scene, Stage, StageTimes

FAINT = native.Levels(black=2.0 / 255.0, white=253.0 / 255.0)
"""A network leaves ghosts of a level or two of 255 far from the person: they become exact background."""

_DIMENSIONS = 3
_CHANNELS = 4


class CpuFrameProcessor:
    """Satisfies FrameProcessor. Enters and leaves the engine it is given; outputs are allocated once.

    The camera's format may change between frames. Where an output has another shape than the camera, the picture is
    cropped to cover it.
    """

    def __init__(self, engine: MattingEngine, targets: Sequence[VideoFormat], levels: native.Levels = FAINT) -> None:
        self._engine = engine
        self._levels = levels
        self._targets = tuple(target.resized(target.size) for target in targets)
        self._outputs: dict[VideoFormat, Planes] = {}
        self._rooms: dict[VideoFormat, Planes] = {}
        self._views: dict[Size, View] = {}
        self._camera: VideoFormat | None = None
        self._small: Tensor = np.zeros((_DIMENSIONS, 1, 1), np.float32)
        self._shaper = MatteShaper(Size(1, 1), levels)
        self._painter = PersonPainter()
        self._last: tuple[Image, ShapedMatte] | None = None
        self._remembers = False

    def __enter__(self) -> Self:
        self._engine.__enter__()
        size = self._engine.input_size
        self._small = np.zeros((3, size.height, size.width), np.float32)
        self._shaper = MatteShaper(size, self._levels)
        self._outputs = {target: allocate_planes(target)[1] for target in self._targets}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._last = None
        self._engine.__exit__(kind, error, trace)

    @property
    def info(self) -> EngineInfo:
        """Of the engine."""
        return self._engine.info

    def process(self, image: Image, scene: Scene, times: StageTimes) -> Sequence[Image]:
        """See FrameProcessor. Outputs of one format are one picture."""
        self._plan(image.format, scene)
        if scene.show_room:
            return self._show_room(image, times)
        matte = self._matte(image, times)
        with times.measure(Stage.COMPOSE):
            shaped = self._shaper.shape(self._small, matte, scene.matte)
            for view in self._views.values():
                self._compose(view, shaped, scene, image)
        self._last = image, shaped
        return self._results(image)

    def reset(self) -> None:
        """Forget temporal state: the engine's, if it saw a frame since the last time, and that of smoothing."""
        self._shaper.reset()
        if self._last is not None:
            image, matte = self._last
            self._last = image, replace(matte, edge=None)
        if self._remembers:
            self._engine.reset()
            self._remembers = False

    def last_alpha(self) -> Plane:
        """(H, W) uint8 at the camera's resolution, of the last frame with a matte. A new array.

        Computed now, from what that frame lent: call it before the next frame is decoded or processed. Raises
        RuntimeError when there is none.
        """
        if self._last is None:
            raise RuntimeError("no matte yet: the last call of process() gave none")
        image, matte = self._last
        alpha = np.empty((image.format.height, image.format.width), np.uint8)
        matte.alpha(image, alpha)
        return alpha

    def _plan(self, camera: VideoFormat, scene: Scene) -> None:
        self._last = None
        if camera != self._camera:
            self._views = {size: View(camera, size) for size in {target.size for target in self._targets}}
            self._shaper.reset()
            self._camera = camera
        self._painter.ask(scene.person)
        for view in self._views.values():
            view.frame(scene.framing)

    def _matte(self, image: Image, times: StageTimes) -> AffineMatte:
        with times.measure(Stage.SAMPLE):
            native.sample(image, self._small)
        self._remembers = True
        with times.measure(Stage.INFER):
            matte = self._engine.matte(self._small, image.stamp)
        problem = _fault(matte, image)
        if problem:
            self.reset()
            raise MatteInvalidError(
                f"the engine {self.info.engine} returned {problem}",
                hint="if this goes on, choose another engine with --engine, or --no-fp16",
                engine=self.info.engine,
                sequence=image.stamp.sequence,
            )
        return matte

    def _compose(self, view: View, matte: ShapedMatte, scene: Scene, image: Image) -> None:
        picture, window = view.picture(image), view.matte_window(matte.matte)
        if scene.blur > 0:
            view.blur.gather(picture, matte.matte, scene.blur, levels=matte.levels, window=window)
        self._painter.gather(view, picture, matte, window)
        for target in self._outputs:
            if target.size != picture.format.size:
                continue
            if scene.blur > 0:
                background = self._blurred(view, target, scene.room, image.stamp)
            else:
                background = scene.backdrop.render(target, image.stamp.pts_ns)
            self._painter.paint(view, picture, matte, window, background, self._outputs[target])

    def _blurred(self, view: View, target: VideoFormat, room: RoomLook, stamp: Stamp) -> Image:
        if target not in self._rooms:
            self._rooms[target] = allocate_planes(target)[1]
        view.blur.render(self._rooms[target], target, room_matrix(room))
        return Image(self._rooms[target], target, stamp)

    def _show_room(self, image: Image, times: StageTimes) -> Sequence[Image]:
        self.reset()
        with times.measure(Stage.COMPOSE):
            pictures = {size: view.picture(image) for size, view in self._views.items()}
            for target, planes in self._outputs.items():
                native.convert(pictures[target.size], planes, target)
        return self._results(image)

    def _results(self, image: Image) -> Sequence[Image]:
        return [Image(self._outputs[target], target, image.stamp) for target in self._targets]


def _fault(matte: AffineMatte, image: Image) -> str:
    """What is wrong with a matte, or nothing."""
    if matte.stamp != image.stamp:
        return f"the matte of frame {matte.stamp.sequence} for frame {image.stamp.sequence}"
    if matte.a.ndim != _DIMENSIONS or matte.a.shape[0] != _CHANNELS or matte.a.shape != matte.b.shape:
        return f"coefficients of shapes {matte.a.shape} and {matte.b.shape} instead of (4, h, w)"
    if not (native.all_finite(matte.a) and native.all_finite(matte.b)):
        return "coefficients that are not finite"
    return ""
