"""A reader of a camera that tells of every frame. Only ioctls, so that it starts quickly.

reader.py DEVICE [COUNT [TIMES PAUSE]]   Read COUNT frames, or for ever. TIMES: open it so often, PAUSE seconds apart.

One JSON object a line. First {"opened": CLOCK, "fourcc", "width", "height"}; then for each frame {"at": when it was
handed out, "stamp": when it was taken (the driver's word), "sequence", "code": the number on it, or null, "crc"}. All
times are CLOCK_MONOTONIC seconds. An error of the driver is told as {"error": TEXT} and ends the reader.
"""

import fcntl
import json
import mmap
import os
import select
import struct
import sys
import time
import zlib
from typing import Any

CAPTURE, MMAP = 1, 1
G_FMT, REQBUFS, QUERYBUF, QBUF, DQBUF, STREAMON = 0xC0D05604, 0xC0145608, 0xC0585609, 0xC058560F, 0xC0585611, 0x40045612
BUFFER_BYTES = 88
BLOCKS = 16
MARK = (1, 0, 1, 0)
"""A code is a row of blocks at the top of the picture, a sixteenth of its width each: this mark, then twelve bits."""


def tell(**facts: Any) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def buffer(index: int) -> bytearray:
    data = bytearray(BUFFER_BYTES)
    struct.pack_into("<II", data, 0, index, CAPTURE)
    struct.pack_into("<I", data, 60, MMAP)
    return data


def code(picture: mmap.mmap, width: int, height: int, luma_step: int) -> int | None:
    """The number on a picture whose first plane is luma, every ``luma_step`` bytes; None where there is none."""
    row = height // 16 * width * luma_step
    block = width // BLOCKS
    levels = [picture[row + (i * block + block // 2) * luma_step] for i in range(BLOCKS)]
    bits = [level > 120 for level in levels]
    if tuple(bits[: len(MARK)]) != MARK or min(levels) > 80 or max(levels) < 160:
        return None
    return int("".join("01"[bit] for bit in bits[len(MARK) :]), 2)


def main(device: str, count: int) -> None:
    descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    fmt = bytearray(208)
    struct.pack_into("<I", fmt, 0, CAPTURE)
    fcntl.ioctl(descriptor, G_FMT, fmt)
    width, height, fourcc = struct.unpack_from("<II4s", fmt, 8)
    request = bytearray(struct.pack("<IIIII", 2, CAPTURE, MMAP, 0, 0))
    fcntl.ioctl(descriptor, REQBUFS, request)
    maps = []
    for index in range(struct.unpack_from("<I", request)[0]):
        asked = buffer(index)
        fcntl.ioctl(descriptor, QUERYBUF, asked)
        offset, length = struct.unpack_from("<I4xI", asked, 64)
        maps.append(mmap.mmap(descriptor, length, mmap.MAP_SHARED, mmap.PROT_READ, offset=offset))
        fcntl.ioctl(descriptor, QBUF, asked)
    tell(opened=time.monotonic(), fourcc=fourcc.decode(), width=width, height=height)
    fcntl.ioctl(descriptor, STREAMON, struct.pack("<I", CAPTURE))
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while count:
        poll.poll()
        filled = buffer(0)
        try:
            fcntl.ioctl(descriptor, DQBUF, filled)
        except BlockingIOError:
            continue
        at = time.monotonic()
        seconds, microseconds = struct.unpack_from("<qq", filled, 24)
        (index,) = struct.unpack_from("<I", filled)
        (sequence,) = struct.unpack_from("<I", filled, 56)
        number = code(maps[index], width, height, 2 if fourcc == b"YUYV" else 1)
        crc = zlib.crc32(maps[index])
        fcntl.ioctl(descriptor, QBUF, filled)
        tell(at=at, stamp=seconds + microseconds / 1e6, sequence=sequence, code=number, crc=crc)
        count -= 1
    for mapped in maps:
        mapped.close()
    os.close(descriptor)
    tell(closed=time.monotonic())


def look(device: str, count: str = "-1", times: str = "1", pause: str = "0") -> None:
    for _ in range(int(times)):
        main(device, int(count))
        time.sleep(float(pause))


if __name__ == "__main__":
    try:
        look(*sys.argv[1:])
    except OSError as error:
        tell(error=str(error))
        sys.exit(1)
