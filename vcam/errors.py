"""Every error vcam raises on purpose. The class says who handles it, the hint what to do.

VcamError                      exit 1
├── ConfigError                exit 2   a setting is wrong: the user edits it
├── DeviceError                exit 3   camera or its node; retryable, the supervisor reopens
│   └── FormatRejectedError             the camera has no usable mode: not retryable
├── MediaError                 exit 4   a picture or video file cannot be used
│   └── DecodeError                     one corrupt frame: dropped and counted
├── ModelError                 exit 5   a model file cannot be used
│   ├── ModelFetchError                 it could not be downloaded; retryable
│   └── ModelMismatchError              it is not the network that was asked for
├── EngineError                exit 6   inference cannot start or failed; retryable, the supervisor restarts it
│   ├── EngineUnavailableError          a library or a device it needs is missing: not retryable
│   ├── GpuError                        a CUDA call failed; the processor is opened anew
│   │   └── GpuLostError                the GPU is gone, or its context is spoilt: only a new process helps
│   └── MatteInvalidError               a matte that is not finite, or not of this frame
├── SinkError                  exit 7   an output failed; retryable, the supervisor reopens
│   └── SinkUnusableError               it can never work as asked: not retryable
├── MissingDependencyError     exit 8   an optional package is not installed
└── ControlError               exit 9   a running vcam cannot be reached, or refuses what it is asked
EndOfStreamError (a source came to its end) and SlotClosedError are signals, not failures.
"""

from typing import ClassVar

EXIT_INTERRUPTED = 130
"""Shell convention for a command ended by SIGINT (128 + 2)."""


class VcamError(Exception):
    """A problem that a user or the supervisor can act on.

    problem: what went wrong, on which thing, got against wanted.
    hint: one sentence the operator can follow; names a command, a key or a file.
    context: facts for the log.
    """

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False

    def __init__(self, problem: str, *, hint: str, **context: str | int | float) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint
        self.context = context


class ConfigError(VcamError):
    """A setting, option or file of settings is wrong."""

    exit_code = 2


class DeviceError(VcamError):
    """A camera timed out, went away, is busy or cannot be opened."""

    exit_code = 3
    retryable = True


class FormatRejectedError(DeviceError):
    """The device offers no mode that vcam can read; retrying would not help."""

    retryable = False


class MediaError(VcamError):
    """A picture or video file is unreadable, of an unknown kind, or too large."""

    exit_code = 4


class DecodeError(MediaError):
    """One frame is corrupt; the next may be good."""

    retryable = True


class ModelError(VcamError):
    """A model file is missing, truncated or unusable."""

    exit_code = 5


class ModelFetchError(ModelError):
    """The model could not be downloaded."""

    retryable = True


class ModelMismatchError(ModelError):
    """The file is not the network that was asked for, or fails its numerical check."""


class EngineError(VcamError):
    """Inference failed."""

    exit_code = 6
    retryable = True


class EngineUnavailableError(EngineError):
    """The engine cannot run on this machine as it is."""

    retryable = False


class GpuError(EngineError):
    """A CUDA call failed."""


class GpuLostError(GpuError):
    """The GPU fell off the bus, or an error spoilt the process's CUDA context for good."""

    retryable = False


class MatteInvalidError(EngineError):
    """The matte is not finite, out of range, or belongs to another frame."""


class SinkError(VcamError):
    """An output could not be opened or written."""

    exit_code = 7
    retryable = True


class SinkUnusableError(SinkError):
    """The output can never work as it is configured."""

    retryable = False


class MissingDependencyError(VcamError):
    """An optional package is needed for what was asked."""

    exit_code = 8


class ControlError(VcamError):
    """A running vcam did not do what it was asked."""

    exit_code = 9


class EndOfStreamError(Exception):
    """The source has come to its end; nothing failed."""


class SlotClosedError(Exception):
    """The hand-over was closed; the thread that waits on it should end."""
