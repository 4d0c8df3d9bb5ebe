"""Raw formats need no decoding: the planes are found inside the bytes."""

from types import TracebackType
from typing import Self

import numpy as np

from vcam.errors import DecodeError
from vcam.frame import EncodedFrame, Image, frame_bytes, split_planes


class RawDecoder:
    """Gives views of the frame's own bytes; copies nothing, holds nothing."""

    name = "raw"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        return None

    def decode(self, frame: EncodedFrame) -> Image:
        """Planes inside ``frame.data``, valid as long as that is. Raises DecodeError when bytes are missing."""
        data = np.frombuffer(frame.data, dtype=np.uint8)
        wanted = frame_bytes(frame.format)
        if data.size < wanted or not wanted:
            raise DecodeError(
                f"short {frame.format.pixel_format} frame: {data.size} bytes instead of {wanted}",
                hint="A frame was cut off on its way; if it happens often, try another USB port or cable, "
                "and see `vcam devices` for smaller modes.",
                got=data.size,
                wanted=wanted,
            )
        return Image(split_planes(data, frame.format), frame.format, frame.stamp)
