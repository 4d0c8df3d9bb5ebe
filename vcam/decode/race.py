"""libjpeg-turbo against nvJPEG on the camera's own first frames: the faster one stays, and nobody notices the race.

Which is faster is nothing one can know beforehand: at one frame at a time nvJPEG has been slower than a CPU core as
well as several times as fast. While they race, and whenever nvJPEG is in any doubt, libjpeg-turbo's picture is shown.
"""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from vcam.cuda.device import Device, DeviceBuffer
from vcam.decode.choose import make_decoder
from vcam.decode.nvjpeg import NvJpegDecoder
from vcam.decode.nvjpeg_library import Functions, load_nvjpeg
from vcam.decode.race_rules import Verdict, judge, require_alike, with_hole
from vcam.decode.turbo import Allocate, TurboDecoder
from vcam.errors import DecodeError, VcamError
from vcam.frame import EncodedFrame, Image, VideoFormat
from vcam.stages import Decoder

log = logging.getLogger(__name__)

WARM_UP = 2
"""Frames that are compared and not counted: libraries allocate on their first."""
ROUNDS = 9
REFUSALS = 3
"""Frames in a row that nvJPEG refuses and libjpeg-turbo decodes, until nvJPEG is given up."""


class DecoderRace:
    """Makes the decoders of one frame processor on a GPU, which share its verdict. ``make_decoder`` is the factory.

    open_device: a Device of its own for whoever asks, not entered. allocate: page-locked memory for libjpeg-turbo's
    planes, lent as long as they are used. load: how nvJPEG is loaded.
    The decoders run in one thread; ``verdict`` may be asked by any.
    """

    def __init__(
        self,
        open_device: Callable[[], Device],
        allocate: Allocate,
        *,
        load: Callable[[], Functions] = load_nvjpeg,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.open_device = open_device
        self.allocate = allocate
        self.load = load
        self.clock = clock
        self._verdicts: dict[VideoFormat, Verdict] = {}
        self._runners: dict[VideoFormat, object] = {}
        self._refused = 0

    def make_decoder(self, fmt: VideoFormat) -> Decoder:
        """A decoder for frames of ``fmt``, not entered. Only JPEG that libjpeg-turbo can decode is raced for."""
        plain = make_decoder(fmt)
        return RacingDecoder(self, fmt) if isinstance(plain, TurboDecoder) else plain

    def verdict(self, fmt: VideoFormat) -> Verdict | None:
        """None while they race."""
        return self._verdicts.get(fmt)

    def runs(self, decoder: object, fmt: VideoFormat) -> bool:
        """Whether it is this one that compares; the first that asks is."""
        return self._runners.setdefault(fmt, decoder) is decoder

    def retire(self, decoder: object, fmt: VideoFormat) -> None:
        """It will not finish; another may begin anew."""
        if self._runners.get(fmt) is decoder:
            del self._runners[fmt]

    def decide(self, fmt: VideoFormat, verdict: Verdict) -> None:
        """Until further notice."""
        self._verdicts[fmt] = verdict
        self._refused = 0
        log.info(
            "decode.chosen",
            extra={
                "decoder": verdict.decoder,
                "reason": verdict.reason,
                "turbojpeg_ms": verdict.turbo_ms,
                "nvjpeg_ms": verdict.nvjpeg_ms,
            },
        )

    def refused(self, fmt: VideoFormat) -> None:
        """nvJPEG refused a frame that libjpeg-turbo decoded."""
        self._refused += 1
        if self._refused >= REFUSALS:
            self.decide(fmt, Verdict(TurboDecoder.name, f"nvJPEG refused {REFUSALS} good frames in a row"))

    def accepted(self) -> None:
        """nvJPEG decoded a frame."""
        self._refused = 0


@dataclass(slots=True)
class _Heat:
    """What one decoder has seen of the race."""

    frames: int = 0
    turbo_s: list[float] = field(default_factory=list)
    nvjpeg_s: list[float] = field(default_factory=list)
    upload: DeviceBuffer | None = None


class RacingDecoder:
    """Satisfies Decoder: libjpeg-turbo into page-locked memory, or nvJPEG, by the verdict of its race."""

    def __init__(self, race: DecoderRace, fmt: VideoFormat) -> None:
        self._race = race
        self._format = fmt
        self._stack = ExitStack()
        self._device: Device | None = None
        self._turbo: TurboDecoder | None = None
        self._nvjpeg: NvJpegDecoder | None = None
        self._heat = _Heat()

    @property
    def name(self) -> str:
        """libjpeg-turbo's while they race."""
        verdict = self._race.verdict(self._format)
        return TurboDecoder.name if verdict is None else verdict.decoder

    def __enter__(self) -> Self:
        """Raises MissingDependencyError, GpuError."""
        with ExitStack() as stack:
            self._device = stack.enter_context(self._race.open_device())
            self._turbo = stack.enter_context(TurboDecoder(allocate=self._race.allocate))
            stack.callback(self._close_nvjpeg)
            self._heat = _Heat()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._race.retire(self, self._format)
        self._stack.close()
        self._device = self._turbo = None

    def decode(self, frame: EncodedFrame) -> Image:
        """See Decoder. Whatever nvJPEG does, only frames that libjpeg-turbo refuses too raise DecodeError."""
        if self._turbo is None or self._device is None:
            raise RuntimeError("RacingDecoder is used outside its with block")
        verdict = self._race.verdict(self._format)
        if verdict is None and self._race.runs(self, self._format):
            return self._compare(frame, self._turbo, self._device)
        if verdict is None or verdict.decoder == TurboDecoder.name:
            self._close_nvjpeg()
            return self._turbo.decode(frame)
        return self._accelerated(frame, self._turbo)

    def _accelerated(self, frame: EncodedFrame, turbo: TurboDecoder) -> Image:
        try:
            image = self._opened_nvjpeg().decode(frame)
        except DecodeError:
            picture = turbo.decode(frame)
            self._race.refused(self._format)
            return picture
        except VcamError as error:
            self._race.decide(self._format, Verdict(TurboDecoder.name, error.problem))
            return turbo.decode(frame)
        self._race.accepted()
        return image

    def _compare(self, frame: EncodedFrame, turbo: TurboDecoder, device: Device) -> Image:
        """Both decode it; the last frame of the race brings the verdict. libjpeg-turbo's picture is returned."""
        heat, clock = self._heat, self._race.clock
        last = heat.frames + 1 >= WARM_UP + ROUNDS
        conceals = last and self._conceals(frame, turbo)
        began_s = clock()
        picture = turbo.decode(frame)  # first: what is corrupt ends here
        try:
            self._upload(picture, device)
            turbo_s = clock() - began_s
            began_s = clock()
            rival = self._opened_nvjpeg().decode(frame)
            nvjpeg_s = clock() - began_s
            if heat.frames < WARM_UP:
                require_alike(rival, picture, device)
            else:
                heat.turbo_s.append(turbo_s)
                heat.nvjpeg_s.append(nvjpeg_s)
            heat.frames += 1
            if last:
                self._race.decide(self._format, judge(heat.turbo_s, heat.nvjpeg_s, conceals=conceals))
        except VcamError as error:
            self._race.decide(self._format, Verdict(TurboDecoder.name, error.problem))
        return picture

    def _conceals(self, frame: EncodedFrame, turbo: TurboDecoder) -> bool:
        """Whether nvJPEG makes a picture of a frame that lost some of its bytes, where libjpeg-turbo refuses it."""
        broken = EncodedFrame(with_hole(bytes(frame.data)), frame.format, frame.stamp)
        try:
            turbo.decode(broken)
        except DecodeError:
            pass
        else:
            return False
        try:
            self._opened_nvjpeg().decode(broken)
        except VcamError:
            return False
        return True

    def _upload(self, picture: Image, device: Device) -> None:
        heat = self._heat
        size = sum(plane.size for plane in picture.planes)
        if heat.upload is None or heat.upload.nbytes != size:
            heat.upload = device.buffer(size)
        address = heat.upload.address
        with device.current():
            for plane in picture.planes:
                device.upload_rows(address, plane.shape[1], plane, cuda_stream=device.cuda_stream)
                address += plane.size
        device.synchronize()

    def _opened_nvjpeg(self) -> NvJpegDecoder:
        if self._nvjpeg is None:
            self._nvjpeg = NvJpegDecoder(self._race.open_device, load=self._race.load).__enter__()
        return self._nvjpeg

    def _close_nvjpeg(self) -> None:
        nvjpeg, self._nvjpeg = self._nvjpeg, None
        if nvjpeg is not None:
            nvjpeg.__exit__(None, None, None)
