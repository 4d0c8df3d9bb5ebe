"""Make a moving clip out of NASA's public-domain portrait of Eileen Collins, which scikit-image ships.

Usage: .venv/bin/python scripts/portrait_clip.py [out/portrait.mkv] [seconds]

The still is panned, zoomed and turned like a hand-held camera before a person; MJPEG inside, as a webcam sends it.
"""

import math
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from skimage import data

WIDTH, HEIGHT, FPS = 1280, 720, 30


def main(path: Path, seconds: float) -> None:
    """Write the clip."""
    still = data.astronaut()
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=FPS, options={"qscale": "3"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj422p"
        stream.time_base = Fraction(1, FPS)
        for index in range(round(seconds * FPS)):
            frame = av.VideoFrame.from_ndarray(picture(still, index / FPS), format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuvj422p")))
        container.mux(stream.encode(None))


def picture(still: np.ndarray, time_s: float) -> np.ndarray:
    """The portrait as seen at one moment, (HEIGHT, WIDTH, 3) RGB."""
    size = still.shape[0]
    zoom = WIDTH / size * (1.12 + 0.08 * math.sin(0.9 * time_s))
    turn = math.degrees(0.03 * math.sin(1.3 * time_s))
    warp = cv2.getRotationMatrix2D((size * 0.45, size * 0.30), turn, zoom)
    warp[0, 2] += WIDTH / 2 - size * 0.45 + 60 * math.sin(1.7 * time_s)
    warp[1, 2] += HEIGHT * 0.58 - size * 0.30 + 15 * math.sin(2.9 * time_s)
    return cv2.warpAffine(still, warp, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


if __name__ == "__main__":
    arguments = [*sys.argv[1:], *["out/portrait.mkv", "10"][len(sys.argv) - 1 :]]
    main(Path(arguments[0]), float(arguments[1]))
