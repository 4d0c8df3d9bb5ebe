"""Decoding what a stranger sent: in a process of its own, with limits of memory, time and output, and never as it came.

The process writes the picture anew, as a JPEG of at most 4096 pixels a side: no metadata (where it was taken), no
trailing data, nothing that is also something else.
"""

import json
import os
import resource
import subprocess
import sys
import threading
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

from vcam.control.refusal import busy
from vcam.errors import MediaError

MOST_PIXELS = 50_000_000
WALL_LIMIT_S = 20.0

_MEMORY_LIMIT_BYTES = 2 << 30
"""Of addresses, of which the interpreter and NumPy take some 300 MB; the largest picture takes 150 MB, twice."""
_CPU_LIMIT_S = 10
_FILE_LIMIT_BYTES = 64 << 20
_QUALITY = 92
_THUMBNAIL_PX = (320, 180)
_REFUSED = 3
_HINT = "upload a JPEG, PNG, WebP, TIFF, BMP or GIF file of at most 50 megapixels"

_one_at_a_time = threading.BoundedSemaphore()
"""However many upload, one process decodes."""


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What the uploaded file was. Pixels."""

    kind: str
    width: int
    height: int


def make_safe(upload: Path, picture: Path, thumbnail: Path, *, called: str) -> PictureFacts:
    """Write ``picture`` and ``thumbnail`` from whatever ``upload`` holds. called: as errors name it.

    Raises MediaError when it is no picture that can be used, RefusedError (429) when others wait already.
    """
    if not _one_at_a_time.acquire(timeout=WALL_LIMIT_S):
        raise busy("other pictures are being decoded", hint="try again in a minute", wait_s=WALL_LIMIT_S)
    try:
        return _decoded(upload, picture, thumbnail, called)
    finally:
        _one_at_a_time.release()


def _decoded(upload: Path, picture: Path, thumbnail: Path, called: str) -> PictureFacts:
    command = [sys.executable, "-m", "vcam.control.picture", str(upload), str(picture), str(thumbnail)]
    surroundings = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"}
    try:
        child = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=WALL_LIMIT_S, env=surroundings, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise MediaError(f"{called} takes too long to decode", hint=_HINT) from error
    if child.returncode == 0:
        return PictureFacts(**json.loads(child.stdout))
    if child.returncode == _REFUSED:
        told = json.loads(child.stdout)
        raise MediaError(told["problem"].replace(str(upload), called), hint=_HINT)
    raise MediaError(f"{called} takes more memory or time to decode than a picture may", hint=_HINT)


def main(upload: Path, picture: Path, thumbnail: Path) -> int:
    """The process: prints facts, or the problem."""
    for what, most in (
        (resource.RLIMIT_AS, _MEMORY_LIMIT_BYTES),
        (resource.RLIMIT_CPU, _CPU_LIMIT_S),
        (resource.RLIMIT_FSIZE, _FILE_LIMIT_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    try:
        told: dict[str, object] = asdict(_rewritten(upload, picture, thumbnail))
        code = 0
    except MediaError as error:
        told, code = {"problem": error.problem}, _REFUSED
    sys.stdout.write(json.dumps(told))
    return code


def _rewritten(upload: Path, picture: Path, thumbnail: Path) -> PictureFacts:
    import numpy as np
    from PIL import Image as Pillow
    from PIL import ImageOps

    from vcam.scene.picture_file import KINDS, load_picture

    try:
        with warnings.catch_warnings(action="ignore"), Pillow.open(upload, formats=KINDS) as opened:
            facts = PictureFacts(opened.format or "", opened.width, opened.height)
    except (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError) as error:
        raise MediaError(f"{upload} is not a picture of a known kind", hint=_HINT) from error
    if facts.width * facts.height > MOST_PIXELS:
        raise MediaError(f"{upload} is too large: {facts.width}x{facts.height} pixels", hint=_HINT)
    rgb = Pillow.fromarray(np.asarray(load_picture(upload, (0, 0, 0))))  # pixels and nothing else: no comment, no place
    rgb.save(picture, "JPEG", quality=_QUALITY, subsampling=0)
    ImageOps.fit(rgb, _THUMBNAIL_PX).save(thumbnail, "JPEG", quality=_QUALITY)
    return facts


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
