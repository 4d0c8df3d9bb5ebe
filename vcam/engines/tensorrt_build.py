"""The process that builds one plan: a crash of the library, its memory and its threads stay in here.

It reads a Job on standard input and tells BuildProgress, then Done or an error, on standard output. When its parent
goes, standard input ends, and so does it.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from typing import NoReturn

from vcam.engines.core_tensors import check_interface
from vcam.engines.sealed_file import DamagedError, UnsafeError, publish, read_sealed, write_sealed
from vcam.engines.tensorrt_flavour import Flavour, TensorRtModule, load_module
from vcam.engines.tensorrt_job import Done, Job, Message, encode
from vcam.engines.tensorrt_library import Built, Library, ParsedNetwork
from vcam.engines.tensorrt_progress import BuildProgress, PhaseTree, ProgressCallback
from vcam.errors import EngineError, ModelError, ModelMismatchError, VcamError
from vcam.rvm import DOWNSAMPLE_RATIO
from vcam.stages import CoreModel

NICENESS = 10
"""The camera that runs meanwhile goes first."""

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_PARENT_GONE = 3
_BEGIN, _END = 0.05, 0.98
"""The share of the whole at which building begins and ends; before it the library is loaded, after it files written."""


def main() -> int:
    """The result is the exit code."""
    os.nice(NICENESS)
    line = sys.stdin.buffer.readline()
    messages = os.dup(_STDOUT)
    os.dup2(_STDERR, _STDOUT)  # what libraries print must not come between the messages
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()

    def tell(message: Message) -> None:
        try:
            os.write(messages, encode(message))
        except OSError:
            os._exit(_PARENT_GONE)

    try:
        tell(build(Job.from_line(line), tell))
    except VcamError as error:
        tell(error)
        return error.exit_code
    return 0


def build(job: Job, told: ProgressCallback, load: Callable[[Flavour], TensorRtModule] = load_module) -> Done:
    """Parse, check, build, write. Raises EngineError, ModelError, ModelMismatchError."""
    told(BuildProgress(f"loading {job.flavour}", 0.0))
    library = Library(job.flavour, load)
    if library.version != job.version:
        raise EngineError(
            f"{job.flavour} is {library.version} here, the plan is to be for {job.version}",
            hint="restart vcam: the library was replaced while it ran",
        )
    told(BuildProgress("reading the network", _BEGIN / 2))
    network = parse(library, job.core)
    tree = PhaseTree(_scaled(told))
    built = network.build(job.options, tree, _timing_cache(job))
    told(BuildProgress("writing the plan", _END))
    _write(job, built)
    return Done(network.layers, len(built.plan))


def parse(library: Library, core: CoreModel) -> ParsedNetwork:
    """The network, known to be the core that is meant. Raises ModelError, ModelMismatchError, EngineError."""
    try:
        network = library.parse(core.path.read_bytes())
    except OSError as error:
        raise ModelError(f"the network {core.path} cannot be read: {error}", hint="vcam model prepare") from error
    if DOWNSAMPLE_RATIO in network.interface:
        raise ModelMismatchError(
            f"{core.path} is the network as published, not cut: it takes {DOWNSAMPLE_RATIO}, which {library.flavour} "
            "cannot, and full-resolution pictures",
            hint="vcam model prepare --from FILE cuts it",
        )
    if network.problem is not None:
        raise ModelError(
            f"{library.flavour} {library.version} cannot read {core.path}: {network.problem}",
            hint="prepare it again: vcam model prepare",
        )
    check_interface(network.interface, core)
    return network


def _write(job: Job, built: Built) -> None:
    try:
        write_sealed(job.output, job.facts, built.plan)
    except OSError as error:
        raise EngineError(
            f"the plan of {len(built.plan) / 1e6:.0f} MB cannot be written to {job.output.parent}: {error.strerror}",
            hint="free some space, or set plan_dir to another folder",
        ) from error
    if job.timing_cache is not None and built.timing_cache is not None:
        # Only the next build's time depends on it: no reason to fail.
        with contextlib.suppress(OSError):
            temporary = job.output.with_suffix(".timing.tmp")
            write_sealed(temporary, job.timing_facts, built.timing_cache)
            publish(temporary, job.timing_cache)


def _timing_cache(job: Job) -> bytes | None:
    """What former builds measured; empty where there is nothing to be had. None: no cache is wanted.

    TensorRT-RTX measures nothing when it builds, and would ask for a GPU if it were given a cache.
    """
    if job.timing_cache is None or job.flavour is not Flavour.TENSORRT:
        return None
    try:
        sealed = read_sealed(job.timing_cache)
    except (OSError, DamagedError, UnsafeError):
        return b""
    return bytes(sealed.payload) if sealed.facts == job.timing_facts else b""


def _scaled(told: ProgressCallback) -> Callable[[BuildProgress], None]:
    return lambda progress: told(BuildProgress(progress.phase, _BEGIN + progress.share * (_END - _BEGIN)))


def _end_with_parent() -> NoReturn:
    while os.read(_STDIN, 1):
        pass
    os._exit(_PARENT_GONE)
