"""Layers: pictures painted before the person, onto what a frame processor has finished, on whatever device it did."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vcam.compose.wrapped import WrappedProcessor
from vcam.frame import Image, Overlay, Patch, Plane, Planes
from vcam.stages import FrameProcessor, Scene, Stage, StageTimes


class Painter:
    """Paints overlays. Its memory grows with the largest patch, and is used again."""

    def __init__(self) -> None:
        self._wide = np.empty(0, np.uint16)
        self._carry = np.empty(0, np.uint16)

    def paint(self, overlay: Overlay, planes: Planes) -> None:
        """Onto planes of the format that it was drawn for, which are the caller's to change."""
        for patch, plane in zip(overlay.patches, planes, strict=True):
            self._paint(patch, plane)

    def _paint(self, patch: Patch, plane: Plane) -> None:
        rows, columns = patch.keep.shape
        part = plane[patch.row : patch.row + rows, patch.column : patch.column + columns]
        wide, carry = self._scratch(rows, columns)
        np.multiply(part, patch.keep, out=wide, dtype=np.uint16)
        np.add(wide, patch.color, out=wide)
        # x / 255, rounded: (y + y / 256) / 256 with y = x + 128, exact for all x up to 255 * 255.
        np.add(wide, np.uint16(128), out=wide)
        np.right_shift(wide, 8, out=carry)
        np.add(wide, carry, out=wide)
        np.right_shift(wide, 8, out=part, casting="unsafe")

    def _scratch(self, rows: int, columns: int) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16]]:
        size = rows * columns
        if self._wide.size < size:
            self._wide, self._carry = np.empty(size, np.uint16), np.empty(size, np.uint16)
        return self._wide[:size].reshape(rows, columns), self._carry[:size].reshape(rows, columns)


class LayeredProcessor(WrappedProcessor):
    """Satisfies FrameProcessor: paints the scene's layers onto the pictures of the one inside."""

    def __init__(self, inside: FrameProcessor) -> None:
        super().__init__(inside)
        self._painter = Painter()

    def process(self, image: Image, scene: Scene, times: StageTimes) -> Sequence[Image]:
        """See FrameProcessor. Outputs that are one picture are painted once."""
        results = super().process(image, scene, times)
        if scene.layers:
            with times.measure(Stage.COMPOSE):
                for result in {id(result.planes): result for result in results}.values():
                    self._paint(scene, result)
        return results

    def _paint(self, scene: Scene, result: Image) -> None:
        for layer in scene.layers:
            overlay = layer.render(result.format, result.stamp.pts_ns)
            if overlay is not None:
                self._painter.paint(overlay, result.planes)
