"""vcam's own capture and decoding, frame by frame: capture.py DEVICE WIDTH HEIGHT FPS COUNT FOLDER [FOURCC]

Writes FOLDER/N.frame (as captured) and FOLDER/N.planes (decoded, plane after plane); tells what it got as JSON, a line
a frame, and the losses at the end. FOURCC: take nothing else from the camera.
"""

import json
import sys
import time
from pathlib import Path

from vcam.decode.choose import make_decoder
from vcam.errors import DecodeError
from vcam.frame import Size
from vcam.sources.camera import CameraSource, WantedMode
from vcam.v4l2 import modes


def tell(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def main() -> None:
    device, width, height, fps, count, folder, *only = sys.argv[1:]
    if only:
        modes.READABLE = {only[0]: modes.READABLE[only[0]]}
    place = Path(folder)
    place.mkdir()
    with (
        CameraSource(Path(device), WantedMode(Size(int(width), int(height)), float(fps))) as camera,
        make_decoder(camera.format) as decoder,
    ):
        fmt = camera.format
        tell(fourcc=fmt.pixel_format.value, width=fmt.width, height=fmt.height, interval=camera.frame_interval_s)
        for number in range(int(count)):
            frame = camera.read(timeout_s=20.0)
            facts = {"pts": frame.stamp.pts_ns / 1e9, "sequence": frame.stamp.sequence, "at": time.monotonic()}
            assert isinstance(frame.data, bytes)
            (place / f"{number}.frame").write_bytes(frame.data)
            try:
                planes = decoder.decode(frame).planes
            except DecodeError as error:
                tell(**facts, problem=error.problem)
                continue
            (place / f"{number}.planes").write_bytes(b"".join(plane.tobytes() for plane in planes))
            tell(**facts)
        tell(stale=camera.losses.stale, corrupt=camera.losses.corrupt)


if __name__ == "__main__":
    main()
