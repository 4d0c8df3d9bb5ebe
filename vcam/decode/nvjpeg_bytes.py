"""What nvJPEG wants of a JPEG's bytes, and cameras do not always give: Huffman tables, and an end.

Many UVC cameras send "Motion JPEG" without Huffman tables and mean the standard ones. libjpeg-turbo knows that, nvJPEG
does not. It also conceals frames that were cut off, so that is looked at here.
"""

import re
from dataclasses import dataclass

from vcam.decode.faults import corrupt, unusual

_SOI, _EOI, _SOS, _DHT, _APP0, _APP14 = 0xD8, 0xD9, 0xDA, 0xC4, 0xE0, 0xEE
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {_DHT, 0xC8, 0xCC})
"""SOF markers: ITU-T T.81, table B.1."""

_FILL = 0xFF
_RGB = b"RGB"
_TRANSFORM = 11
"""Where Adobe's marker says whether colours were transformed (T.872, 6.5.3)."""

_SEGMENT = 4
"""Bytes of a marker and its length."""

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""The next marker in coded data, where a byte of 255 is followed by 0, and restart markers do not count."""


def _table(kind: int, lengths: str, values: bytes) -> bytes:
    counts = bytes.fromhex(lengths)
    return bytes([kind, *counts]) + values


_DC_VALUES = bytes(range(12))
_LUMINANCE_AC = bytes.fromhex(
    "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a34353637"
    "38393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3"
    "a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"
)
_CHROMINANCE_AC = bytes.fromhex(
    "000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728292a3536"
    "3738393a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92939495969798999a"
    "a2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa"
)
_TABLES = (
    _table(0x00, "00010501010101010100000000000000", _DC_VALUES)
    + _table(0x10, "0002010303020403050504040000017d", _LUMINANCE_AC)
    + _table(0x01, "00030101010101010101010000000000", _DC_VALUES)
    + _table(0x11, "00020102040403040705040400010277", _CHROMINANCE_AC)
)
STANDARD_TABLES = bytes([0xFF, _DHT]) + (2 + len(_TABLES)).to_bytes(2) + _TABLES
"""The typical tables of ITU-T T.81 (09/92), annex K.3.3, tables K.3 to K.6, as one DHT segment (B.2.4.2): 420 bytes."""


@dataclass(slots=True)
class _Header:
    scan: int = 0
    tables: bool = False
    jfif: bool = False
    adobe_transform: int | None = None
    components: bytes = b""

    @property
    def is_rgb(self) -> bool:
        """By libjpeg's rules: JFIF's marker means YCbCr, else Adobe's marker decides, else the components' names."""
        if self.jfif or len(self.components) != len(_RGB):
            return False
        if self.adobe_transform is not None:
            return self.adobe_transform == 0
        return self.components == _RGB


def whole_jpeg(data: bytes | bytearray) -> bytes | bytearray:
    """The frame as nvJPEG can read it: itself, or a copy with the standard tables.

    Raises DecodeError when its segments are torn, it has no end, or another picture begins in it.
    """
    header = _read_header(data)
    if header.is_rgb:
        raise unusual("RGB inside")
    found = _MARKER.search(data, _after(data, header.scan))
    if found is None or data.rfind(b"\xff\xd9", found.start()) < 0:
        raise corrupt("cut off before its end", len(data))
    if found[0][1] == _SOI:
        raise corrupt("another picture begins in it", len(data))
    if header.tables:
        return data
    return b"".join((data[: header.scan], STANDARD_TABLES, data[header.scan :]))


def _read_header(data: bytes | bytearray) -> _Header:
    if data[:2] != b"\xff\xd8":
        raise corrupt("no start marker", len(data))
    header, at = _Header(), 2
    while True:
        while data[at : at + 2] == bytes([_FILL, _FILL]):  # fill bytes, T.81 B.1.1.2
            at += 1
        if len(data) < at + _SEGMENT or data[at] != _FILL:
            raise corrupt("torn header", len(data))
        if data[at + 1] == _EOI:
            raise corrupt("no picture in it", len(data))
        end = _after(data, at)
        if data[at + 1] == _SOS:
            header.scan = at
            return header
        _note(header, data[at + 1], data[at + _SEGMENT : end])
        at = end


def _after(data: bytes | bytearray, at: int) -> int:
    """Where the segment at ``at`` ends."""
    return at + 2 + int.from_bytes(data[at + 2 : at + _SEGMENT])


def _note(header: _Header, marker: int, body: bytes | bytearray) -> None:
    if marker == _DHT:
        header.tables = True
    elif marker == _APP0 and body[:5] == b"JFIF\0":
        header.jfif = True
    elif marker == _APP14 and body[:5] == b"Adobe" and len(body) > _TRANSFORM:
        header.adobe_transform = body[_TRANSFORM]
    elif marker in _FRAMES:
        header.components = bytes(body[6::3])
