"""Which decoder a format gets."""

import logging

from vcam.decode.av_mjpeg import AvDecoder
from vcam.decode.raw import RawDecoder
from vcam.errors import MissingDependencyError
from vcam.frame import PixelFormat, VideoFormat
from vcam.stages import Decoder

log = logging.getLogger(__name__)


def make_decoder(fmt: VideoFormat) -> Decoder:
    """A decoder for frames of ``fmt``, not yet entered: raw, libjpeg-turbo, or PyAV with a warning in the log."""
    if fmt.pixel_format is not PixelFormat.MJPG:
        return RawDecoder()
    try:
        from vcam.decode.turbo import TurboDecoder
        from vcam.decode.turbo_library import Decompressor, find_library

        Decompressor(find_library()).close()
    except (MissingDependencyError, ImportError) as error:
        log.warning("decode.fallback", extra={"decoder": AvDecoder.name, "reason": str(error)})
        return AvDecoder()
    return TurboDecoder()
