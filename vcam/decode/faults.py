"""What decoders say of a frame they refuse, in the same words whichever it was."""

from vcam.errors import DecodeError

_MAX_PIXELS = 8192 * 8192
"""A flipped bit in a header must not make us allocate gigabytes."""


def corrupt(message: str, size: int) -> DecodeError:
    """A JPEG of ``size`` bytes that is broken or cut off."""
    return DecodeError(
        f"corrupt JPEG of {size} bytes: {message}",
        hint="The frame was dropped; if it happens often, try another USB port or cable, or a smaller mode.",
        bytes=size,
    )


def unusual(kind: str) -> DecodeError:
    """A JPEG that may be whole, of a kind that no camera should send."""
    return DecodeError(
        f"JPEG of an unusual kind ({kind})", hint="Choose another format of the camera, see `vcam devices`."
    )


def check_size(width: int, height: int) -> None:
    """Raises DecodeError for sizes beyond any camera."""
    if width * height > _MAX_PIXELS:
        raise DecodeError(
            f"JPEG announces {width}x{height} pixels, more than any camera",
            hint="The frame is corrupt and was dropped; if it happens often, try another USB port or cable.",
        )
