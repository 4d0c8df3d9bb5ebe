"""Questions to a device: what it is and what it offers."""

import errno
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from vcam.frame import Size
from vcam.v4l2.abi import IOC, BufType, Capability, Frmivaltypes, Frmsizetypes, Memory, fourcc_code, fourcc_text, raw
from vcam.v4l2.kernel import Descriptor
from vcam.v4l2.modes import Mode

_MOST = 256
_END = (errno.EINVAL, errno.ENOTTY, errno.ENODATA)
_TYPICAL_SIZES = (Size(640, 360), Size(640, 480), Size(1280, 720), Size(1920, 1080), Size(3840, 2160))
_TYPICAL_RATES = (5, 10, 15, 24, 25, 30, 50, 60)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a node says of itself; ``capabilities`` are those of this node, not of the whole device."""

    driver: str
    card: str
    bus: str
    capabilities: Capability


def identify(device: Descriptor) -> Identity:
    """Raises OSError (ENOTTY where it is no V4L2 node)."""
    answer = raw.v4l2_capability()
    device.ioctl(IOC.QUERYCAP, answer)
    whole = Capability(answer.capabilities)
    own = Capability(answer.device_caps) if Capability.DEVICE_CAPS in whole else whole
    driver, card, bus = (bytes(text).decode(errors="replace") for text in (answer.driver, answer.card, answer.bus_info))
    return Identity(driver, card, bus, own)


def formats(device: Descriptor, kind: BufType = BufType.VIDEO_CAPTURE) -> list[str]:
    """Fourccs on offer, in the driver's order."""
    return [fourcc_text(found.pixelformat) for found in _each(device, IOC.ENUM_FMT, raw.v4l2_fmtdesc(type=kind))]


def is_free(device: Descriptor) -> bool:
    """Whether nobody else streams from a camera: asks for one buffer and gives it back. Starts nothing."""
    try:
        for count in (1, 0):
            question = raw.v4l2_requestbuffers(count=count, type=BufType.VIDEO_CAPTURE, memory=Memory.MMAP)
            device.ioctl(IOC.REQBUFS, question)
    except OSError as error:
        if error.errno == errno.EBUSY:
            return False
        raise
    return True


def modes(device: Descriptor, fourccs: Iterable[str], size: Size | None = None, fps: float | None = None) -> list[Mode]:
    """All modes of these formats. Of ranges it gives typical members, and what is nearest to ``size`` and ``fps``."""
    found = []
    for fourcc in fourccs:
        for offered in _sizes(device, fourcc, size):
            intervals: list[Fraction | None] = list(_intervals(device, fourcc, offered, fps))
            found += [Mode(fourcc, offered, interval) for interval in intervals or [None]]
    return found


def _sizes(device: Descriptor, fourcc: str, wanted: Size | None) -> Iterator[Size]:
    question = raw.v4l2_frmsizeenum(pixel_format=fourcc_code(fourcc))
    for found in _each(device, IOC.ENUM_FRAMESIZES, question):
        if found.type == Frmsizetypes.DISCRETE:
            yield Size(found.discrete.width, found.discrete.height)
            continue
        step = found.stepwise
        candidates = (*_TYPICAL_SIZES, wanted) if wanted else _TYPICAL_SIZES
        yield from sorted(
            {
                Size(
                    _nearest(size.width, step.min_width, step.max_width, step.step_width),
                    _nearest(size.height, step.min_height, step.max_height, step.step_height),
                )
                for size in candidates
            },
            key=lambda size: (size.width, size.height),
        )
        return


def _intervals(device: Descriptor, fourcc: str, size: Size, wanted_fps: float | None) -> Iterator[Fraction]:
    question = raw.v4l2_frmivalenum(pixel_format=fourcc_code(fourcc), width=size.width, height=size.height)
    for found in _each(device, IOC.ENUM_FRAMEINTERVALS, question):
        if found.type == Frmivaltypes.DISCRETE:
            interval = fraction(found.discrete)
            if interval:
                yield interval
            continue
        low, high = fraction(found.stepwise.min), fraction(found.stepwise.max)
        rates = {*map(Fraction, _TYPICAL_RATES), Fraction(wanted_fps or _TYPICAL_RATES[0]).limit_denominator(1001)}
        yield from sorted(1 / rate for rate in rates if (low or 0) <= 1 / rate <= (high or rate))
        return


def fraction(value: Any) -> Fraction | None:
    """A v4l2_fract; None for the 0/0 of drivers that do not know."""
    if not value.numerator or not value.denominator:
        return None
    return Fraction(int(value.numerator), int(value.denominator))


def _nearest(wanted: int, low: int, high: int, step: int) -> int:
    bounded = min(max(wanted, low), high)
    return bounded - (bounded - low) % max(step, 1)


def _each(device: Descriptor, request: int, question: Any) -> Iterator[Any]:
    """The answers to an indexed question; each is valid until the next."""
    for index in range(_MOST):
        question.index = index
        try:
            device.ioctl(request, question)
        except OSError as error:
            if error.errno in _END:
                return
            raise
        yield question
