"""Decoding what a stranger sent: in a process of its own, with limits of memory, time and output."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from vcam.control.refusal import busy
from vcam.control.rewrite import HINT, REFUSED, Facts, may_move
from vcam.errors import MediaError

STILL_WALL_LIMIT_S = 20.0
MOVING_WALL_LIMIT_S = 60.0

_one_at_a_time = threading.BoundedSemaphore()
"""However many upload, one process decodes."""


def make_safe(upload: Path, result: Path, thumbnail: Path, *, called: str) -> Facts:
    """Write ``result`` and ``thumbnail`` from whatever ``upload`` holds. called: as errors name it.

    Raises MediaError when it is nothing that can be used, RefusedError (429) when others wait already.
    """
    limit_s = MOVING_WALL_LIMIT_S if may_move(upload) else STILL_WALL_LIMIT_S
    if not _one_at_a_time.acquire(timeout=limit_s):
        raise busy("other files are being decoded", hint="try again in a minute", wait_s=limit_s)
    try:
        return _decoded([str(upload), str(result), str(thumbnail)], called, limit_s)
    finally:
        _one_at_a_time.release()


def _decoded(paths: list[str], called: str, limit_s: float) -> Facts:
    command = [sys.executable, "-m", "vcam.control.rewrite", *paths]
    surroundings = {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    try:
        child = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit_s, env=surroundings, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise MediaError(f"{called} takes too long to decode", hint=HINT) from error
    if child.returncode == 0:
        return Facts(**json.loads(child.stdout))
    if child.returncode == REFUSED:
        told = json.loads(child.stdout)
        raise MediaError(told["problem"].replace(paths[0], called), hint=HINT)
    raise MediaError(f"{called} takes more memory or time to decode than it may", hint=HINT)
