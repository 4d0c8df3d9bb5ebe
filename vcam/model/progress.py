"""What preparation tells its caller while it works; drawing a bar is the caller's business."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Step(StrEnum):
    """The steps of preparation, in order."""

    FETCH = "fetch"
    READ = "read"
    CUT = "cut"
    SPECIALISE = "specialise"
    SIMPLIFY = "simplify"
    HALF = "half"
    VERIFY = "verify"
    STORE = "store"


@dataclass(frozen=True, slots=True)
class Progress:
    """A step began, or went on. done, total: bytes while fetching, 0 for every other step."""

    step: Step
    done: int = 0
    total: int = 0


ProgressCallback: TypeAlias = Callable[[Progress], None]


def ignore(_progress: Progress) -> None:
    """For callers that show nothing."""
