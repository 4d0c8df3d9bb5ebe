"""A frame processor and the decoders that feed it: they are opened, closed and replaced together."""

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from vcam.frame import EncodedFrame, Image, Stamp, VideoFormat
from vcam.pipeline.wiring import DecoderFactory, OpenedProcessor
from vcam.stages import Decoder, FrameProcessor

AHEAD_DECODERS = 3
"""One picture is processed, one waits, one is being decoded."""

GAP_S = 0.5
"""A pause longer than this makes the recurrent state worthless: people move on in half a second."""


class FormatDecoder:
    """The decoder of the format at hand; a camera may come back with another one. One thread at a time."""

    def __init__(self, make: DecoderFactory) -> None:
        self._make = make
        self._decoder: Decoder | None = None
        self._format: VideoFormat | None = None

    @property
    def name(self) -> str | None:
        """Of the decoder; None before the first frame."""
        decoder = self._decoder
        return None if decoder is None else decoder.name

    def decode(self, frame: EncodedFrame) -> Image:
        """See Decoder. Raises what opening a decoder raises, too."""
        if self._decoder is None or frame.format != self._format:
            self.close()
            self._decoder = self._make(frame.format).__enter__()
            self._format = frame.format
        return self._decoder.decode(frame)

    def close(self) -> None:
        """Harmless when called again; the next frame opens a decoder anew."""
        decoder, self._decoder = self._decoder, None
        if decoder is not None:
            decoder.__exit__(None, None, None)


class Line:
    """Owns both while entered. Used by one thread at a time, but for its decoders (see intake)."""

    def __init__(self, opened: OpenedProcessor, make_decoder: DecoderFactory) -> None:
        make = opened.make_decoder or make_decoder
        self._stack = ExitStack()
        self._last: Stamp | None = None
        self.opened = opened
        self.decoders = tuple(FormatDecoder(make) for _ in range(AHEAD_DECODERS if opened.ahead else 1))

    @property
    def processor(self) -> FrameProcessor:
        return self.opened.processor

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.processor)
            for decoder in self.decoders:
                stack.callback(decoder.close)  # before the processor: it may own their memory
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def follow(self, stamp: Stamp) -> None:
        """To be called before each frame: forget the past where this one does not follow the last."""
        last, self._last = self._last, stamp
        if last is not None and (stamp.epoch != last.epoch or stamp.pts_ns - last.pts_ns > GAP_S * 1e9):
            self.processor.reset()
