"""Whether a video file is shorter than it says: half a download. Players play such files up to the tear."""

from pathlib import Path
from typing import BinaryIO

_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067
_ID_BYTES, _SIZE_BYTES = 4, 8

_BOX_BYTES = 8
_LARGE, _TO_THE_END = 1, 0
_MOST_BOXES = 100_000
_BOXES = frozenset(b"ftyp styp moov mdat moof mfra sidx ssix free skip wide meta uuid pdin pnot udta emsg prft".split())
"""What stands at the top of a file; anything else is junk at its end, which players pass over."""


def ends_early(path: Path, kind: str) -> bool:
    """kind: FFmpeg's name of the container, Matroska or MP4. Raises OSError."""
    with path.open("rb") as file:
        end = _segment_end(file) if "matroska" in kind else _boxes_end(file, path.stat().st_size)
    return end > path.stat().st_size


def _segment_end(file: BinaryIO) -> int:
    """Where the only segment ends (RFC 8794, sections 4 to 6; RFC 9559, section 5.1); 0 where it does not say."""
    if _number(file, _ID_BYTES, keep_mark=True) != _EBML:
        return 0
    header = _number(file, _SIZE_BYTES, keep_mark=False)
    if header is None:
        return 0
    file.seek(header, 1)
    if _number(file, _ID_BYTES, keep_mark=True) != _SEGMENT:
        return 0
    size = _number(file, _SIZE_BYTES, keep_mark=False)
    return 0 if size is None else file.tell() + size


def _number(file: BinaryIO, longest: int, *, keep_mark: bool) -> int | None:
    """A number of variable length, of which leading zero bits tell the length; None where it is none, or unknown."""
    first = file.read(1)
    length = 9 - first[0].bit_length() if first else 0
    if not 1 <= length <= longest:
        return None
    rest = file.read(length - 1)
    if len(rest) != length - 1:
        return None
    value = int.from_bytes(first + rest)
    if keep_mark:
        return value
    mark = 1 << (7 * length)
    return None if value - mark == mark - 1 else value - mark


def _boxes_end(file: BinaryIO, size: int) -> int:
    """Where the last of the boxes ends, one after the other (ISO/IEC 14496-12, section 4.2)."""
    at = 0
    for _ in range(_MOST_BOXES):
        if at >= size:
            break
        file.seek(at)
        length, kind, header = int.from_bytes(file.read(4)), file.read(4), _BOX_BYTES
        if kind not in _BOXES:
            break
        if length == _LARGE:
            file.seek(at + _BOX_BYTES)
            length, header = int.from_bytes(file.read(8)), 2 * _BOX_BYTES
        if length == _TO_THE_END or length < header:
            break
        at += length
    return at
