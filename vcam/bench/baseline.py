"""The published way, as a baseline: the uncut network on full-resolution floats, composited with NumPy and OpenCV.

It is written as one would write it from the network's README, with buffers reused and OpenCV where OpenCV is faster
than NumPy, so that the comparison is with a fair rival.
"""

from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from vcam.errors import DecodeError
from vcam.frame import Plane, Size, Tensor
from vcam.rvm import ALPHA, DOWNSAMPLE_RATIO, FOREGROUND, SRC, STATES_IN, STATES_OUT


class UncutPipeline:
    """JPEG bytes in, YUYV out, through ``downsample -> network -> refiner`` at the camera's resolution.

    background: (H, W, 3) uint8 RGB. size: the internal size; its width over the camera's is ``downsample_ratio``.
    """

    def __init__(self, model: Path, size: Size, background: Plane, *, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        cv2.setNumThreads(threads)
        width = background.shape[1]
        self._ratio = np.array([size.width / width], np.float32)
        self._background = background.astype(np.float32)
        self._states: list[Tensor] = [np.zeros((1, 1, 1, 1), np.float32)] * len(STATES_IN)

    def frame(self, jpeg: bytes) -> Plane:
        """One frame, (H, 2 * W) uint8 YUYV."""
        bgr = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        if bgr is None:
            raise DecodeError("OpenCV cannot decode a JPEG of the clip", hint="use another --clip")
        rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        src = np.ascontiguousarray(np.multiply(rgb, np.float32(1 / 255), dtype=np.float32).transpose(2, 0, 1))[None]
        feed = dict(zip(STATES_IN, self._states, strict=True)) | {SRC: src, DOWNSAMPLE_RATIO: self._ratio}
        foreground, alpha, *self._states = self._session.run([FOREGROUND, ALPHA, *STATES_OUT], feed)
        weight = alpha[0, 0][..., None]
        picture = foreground[0].transpose(1, 2, 0) * np.float32(255)
        blended = self._background + weight * (picture - self._background)
        levels = np.rint(blended).astype(np.uint8)
        return np.asarray(cv2.cvtColor(levels, cv2.COLOR_RGB2YUV_YUYV)).reshape(levels.shape[0], -1)
