"""Plans for engines: found in their folder, or built, by a process of their own."""

import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from vcam.engines.sealed_file import publish
from vcam.engines.tensorrt_flavour import Flavour, load_module
from vcam.engines.tensorrt_job import Done, Job, decode
from vcam.engines.tensorrt_key import PlanKey, PlanRequest, plan_key
from vcam.engines.tensorrt_plans import PlanFolder, PlanState, PlanStatus
from vcam.engines.tensorrt_progress import BuildProgress, ProgressCallback, ignore
from vcam.errors import EngineError, VcamError

_POLL_S = 0.1
_CHUNK_BYTES = 1 << 16
_STDERR_BYTES = 500
_TIMING_FACTS = ("engine", "library", "gpu", "compute_capability", "driver")

# The child finds the same modules as its parent, wherever those came from.
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from vcam.engines.tensorrt_build import main; sys.exit(main())"
)

logger = logging.getLogger(__name__)


class BuildStoppedError(EngineError):
    """The build was given up because the caller wanted so."""

    retryable = False

    def __init__(self) -> None:
        super().__init__("the build of the plan was stopped", hint="vcam model prepare builds it ahead of time")


def never() -> bool:
    """For callers that do not stop a build."""
    return False


def plan_state(request: PlanRequest) -> PlanState:
    """Whether the plan is here, and if not, why not. Imports the library.

    Raises EngineUnavailableError (no library, or no GPU where one is needed), ModelError.
    """
    return PlanFolder(request.folder).state(_key(request))


def ensure_plan(request: PlanRequest, progress: ProgressCallback = ignore, *, stop: Callable[[], bool] = never) -> Path:
    """The plan's path; it is built where it is absent, stale or damaged, which takes a second (RTX) to minutes.

    For any thread. progress is called from it. ``stop`` is asked some ten times a second: once true, the build ends
    and BuildStoppedError is raised. Raises EngineUnavailableError, EngineError, ModelError, ModelMismatchError.
    """
    key = _key(request)
    folder = PlanFolder(request.folder)
    folder.prepare()
    state = folder.state(key)
    if state.status is PlanStatus.READY:
        return state.path
    with folder.lock(stop) as locked:
        if not locked:
            raise BuildStoppedError
        state = folder.state(key)  # another process may have built it meanwhile
        if state.status is not PlanStatus.READY:
            folder.sweep()
            _build(request, key, state, progress, stop)
            folder.tidy(key)
    return state.path


def library_version(flavour: Flavour) -> str:
    """Imports the library. Raises EngineUnavailableError."""
    return load_module(flavour).__version__


def _key(request: PlanRequest) -> PlanKey:
    return plan_key(request, library_version(request.flavour))


def _build(
    request: PlanRequest, key: PlanKey, state: PlanState, progress: ProgressCallback, stop: Callable[[], bool]
) -> None:
    if state.status is not PlanStatus.ABSENT:
        facts = {"plan": state.path.name, "status": str(state.status), "why": state.why}
        logger.warning("plan.rebuilding", extra=facts)
    began_s = time.monotonic()
    temporary = state.path.with_name(f".{state.path.name}.tmp")
    timing_cache = state.path.with_name(f"timing-{key.library}.cache") if key.engine == Flavour.TENSORRT else None
    timing_facts = {name: key.facts[name] for name in _TIMING_FACTS}
    options = request.build_options
    job = Job(request.core, request.flavour, key.library, options, temporary, key.facts, timing_cache, timing_facts)
    try:
        done = _run(job, progress, stop)
        _publish(temporary, state.path)
    finally:
        temporary.unlink(missing_ok=True)
    seconds = round(time.monotonic() - began_s, 2)
    logger.info("plan.written", extra={"plan": state.path.name, "seconds": seconds, "size_bytes": done.nbytes})
    progress(BuildProgress("ready", 1.0))


def _publish(temporary: Path, path: Path) -> None:
    try:
        publish(temporary, path)
    except OSError as error:
        raise EngineError(
            f"the plan {path} cannot be written: {error.strerror or error}",
            hint="free some space, or set plan_dir to another folder",
        ) from error


def _run(job: Job, progress: ProgressCallback, stop: Callable[[], bool]) -> Done:
    """Run the child. It is gone when this returns or raises."""
    with os.fdopen(os.memfd_create("vcam-builder-stderr"), "w+b") as stderr, _child(stderr) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        with suppress(BrokenPipeError):  # it died at once; what it said is told below
            child.stdin.write(job.to_line())  # and left open: its end tells the child that we are gone
        for line in _lines(child.stdout, stop):
            message = decode(line)
            if isinstance(message, VcamError):
                raise message
            if isinstance(message, BuildProgress):
                progress(message)
            elif isinstance(message, Done):
                return message
        raise _died(job, child.wait(), stderr)


@contextmanager
def _child(stderr: IO[bytes]) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-P", "-c", _BOOT, json.dumps(sys.path, default=str)]
    # A session of its own: Ctrl-C in the terminal is for the parent, which then ends the child.
    pipe = subprocess.PIPE
    try:
        child = subprocess.Popen(command, bufsize=0, stdin=pipe, stdout=pipe, stderr=stderr, start_new_session=True)
    except OSError as error:
        raise EngineError(
            f"the process that builds a plan cannot be started: {error}", hint="free some memory and try again"
        ) from error
    with child:
        try:
            yield child
        finally:
            child.kill()


def _lines(stdout: IO[bytes], stop: Callable[[], bool]) -> Iterator[bytes]:
    """Lines as they come, until the end. Raises BuildStoppedError."""
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        while True:
            if stop():
                raise BuildStoppedError
            if not selector.select(_POLL_S):
                continue
            chunk = os.read(stdout.fileno(), _CHUNK_BYTES)
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines


def _died(job: Job, status: int, stderr: IO[bytes]) -> EngineError:
    """What a child that said nothing died of."""
    stderr.seek(0, os.SEEK_END)
    stderr.seek(max(stderr.tell() - _STDERR_BYTES, 0))
    said = stderr.read().decode(errors="replace").strip().rpartition("\n")[2]
    how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with exit code {status}"
    memory = "the machine may be out of memory (`dmesg` tells); "
    hint = f"{memory if -status == signal.SIGKILL else ''}try again, or choose -e openvino"
    return EngineError(
        f"{job.flavour} {job.version} did not build the plan: its process {how}{': ' if said else ''}{said}", hint=hint
    )
