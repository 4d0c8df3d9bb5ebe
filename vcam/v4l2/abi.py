"""The V4L2 ABI: linuxpy's structures, and the numbers it does not have.

Sources: include/uapi/linux/videodev2.h; v4l2loopback.h for its event and controls.
"""

from linuxpy.video import raw
from linuxpy.video.raw import (
    IOC,
    BufferFlag,
    BufType,
    Capability,
    Colorspace,
    ControlClass,
    ControlFlag,
    CtrlType,
    Field,
    Frmivaltypes,
    Frmsizetypes,
    Memory,
    Quantization,
    XferFunc,
    YcbcrEncoding,
)

__all__ = [
    "CID_TIMEOUT",
    "CID_TIMEOUT_IMAGE_IO",
    "EVENT_CLIENT_USAGE",
    "EVENT_SEND_INITIAL",
    "IOC",
    "PRIV_MAGIC",
    "BufType",
    "BufferFlag",
    "Capability",
    "Colorspace",
    "ControlClass",
    "ControlFlag",
    "CtrlType",
    "Field",
    "Frmivaltypes",
    "Frmsizetypes",
    "Memory",
    "Quantization",
    "XferFunc",
    "YcbcrEncoding",
    "fourcc_code",
    "fourcc_text",
    "raw",
]

PRIV_MAGIC = 0xFEEDCAFE
"""V4L2_PIX_FMT_PRIV_MAGIC: without it in ``priv`` the kernel clears ycbcr_enc, quantization and xfer_func."""

EVENT_CLIENT_USAGE = 0x08000000 + 0x08E00000 + 1
"""V4L2_EVENT_PRI_CLIENT_USAGE of v4l2loopback 0.13 and later: how many readers stream."""

EVENT_SEND_INITIAL = 1
"""V4L2_EVENT_SUB_FL_SEND_INITIAL."""

CID_TIMEOUT, CID_TIMEOUT_IMAGE_IO = 0x0098F902, 0x0098F903
"""Controls of v4l2loopback: milliseconds without a frame; the next descriptor is for the picture shown then."""

_BIG_ENDIAN = 1 << 31


def fourcc_text(code: int) -> str:
    """``YUYV`` for 0x56595559; big-endian variants get the suffix ``-BE``, as v4l2-ctl writes them."""
    letters = "".join(chr((code >> shift) & 0x7F) for shift in (0, 8, 16, 24))
    return f"{letters}-BE" if code & _BIG_ENDIAN else letters


def fourcc_code(text: str) -> int:
    """The reverse of ``fourcc_text``."""
    letters, _, big_endian = text.partition("-")
    code = int.from_bytes(letters.encode("ascii"), "little")
    return code | _BIG_ENDIAN if big_endian else code
