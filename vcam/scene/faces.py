"""Which font file draws a line of text: Inter, which comes with vcam, or one of this computer's with the letters."""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont, features

from vcam.errors import MediaError
from vcam.words import expanded

_INTER = tuple(Path(__file__).parent / "fonts" / f"Inter-{weight}.otf" for weight in ("SemiBold", "Regular"))
"""Of the first line and of the others."""

FOLDERS = tuple(map(Path, ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")))
"""Where a computer's fonts are."""

_SUFFIXES = frozenset({".ttf", ".otf", ".ttc", ".otc"})
_MOST_FILES = 5000
_HEAVY = ("bold", "medium")
_UNUSUAL = ("mono", "italic", "oblique", "condensed", "serif", "black", "thin", "light", "lastresort")
_TRIED_PX = 24
_NOWHERE = "\U0010ffff"
"""A letter that no font has: what is drawn for it stands for all that are missing."""

_EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "FULLWIDTH", "HALFWIDTH", "KANGXI")
_FIRST_PICTURE_LETTER = 0x1F000
_FROM_THE_RIGHT = frozenset({"R", "AL"})


def faces_for(lines: tuple[str, ...], font: Path | None) -> tuple[Path, ...]:
    """A font file for each line: ``font`` for all, else Inter, else one of this computer's.

    Raises MediaError where there is none that can be read and has all letters: boxes would be shown instead.
    """
    return tuple(_face(line, font, heavy=position == 0) for position, line in enumerate(lines))


def _face(line: str, font: Path | None, *, heavy: bool) -> Path:
    if any(unicodedata.bidirectional(letter) in _FROM_THE_RIGHT for letter in line) and not _joins_letters():
        raise MediaError(
            f"{line!r} is written from the right, which takes the library fribidi",
            hint="sudo apt-get install libfribidi0",
        )
    first = font or _INTER[0 if heavy else 1]
    missing = _missing(line, load_face(first, _TRIED_PX))
    if not missing:
        return first
    told = " ".join(sorted(missing))
    if font is not None:
        raise MediaError(f"{font} has no letter for {told} in {line!r}", hint="name another font, or leave font= out")
    found = _of_this_computer(line, heavy=heavy)
    if found is None:
        raise MediaError(
            f"no font here has all letters of {line!r}; vcam's own lacks {told}",
            hint=f"sudo apt-get install {_package(missing)}, or name a font that has them with font=PATH",
        )
    return found


def load_face(path: Path, size_px: float) -> ImageFont.FreeTypeFont:
    """Raises MediaError."""
    try:
        return ImageFont.truetype(path, size_px)
    except (OSError, ValueError) as error:
        raise MediaError(
            f"{path} is no font that can be used: {error}",
            hint="give font= a TrueType or OpenType file, or leave it out",
            path=str(path),
        ) from error


def _joins_letters() -> bool:
    """Whether letters are put in their order and joined, as Arabic and Hebrew need."""
    return bool(features.check("raqm") and features.check("fribidi"))


def _missing(line: str, font: ImageFont.FreeTypeFont) -> set[str]:
    unknown = _shape(font, _NOWHERE)
    return {letter for letter in line if not letter.isspace() and _shape(font, letter) == unknown}


def _shape(font: ImageFont.FreeTypeFont, letter: str) -> bytes:
    sheet = Pillow.new("L", (2 * round(font.size), 2 * round(font.size)))
    ImageDraw.Draw(sheet).text((0, 0), letter, fill=255, font=font)
    return sheet.tobytes()


def _of_this_computer(line: str, *, heavy: bool) -> Path | None:
    """The first of the likeliest order. Looks anew each time until one was found: who installs one tries again."""
    try:
        return _found(frozenset(line), heavy=heavy)
    except LookupError:
        return None


@lru_cache(maxsize=64)
def _found(letters: frozenset[str], *, heavy: bool) -> Path:
    """Raises LookupError."""
    for path in sorted(_files(), key=lambda path: _rank(path, heavy=heavy)):
        try:
            font = ImageFont.truetype(path, _TRIED_PX)
            if not _missing("".join(letters), font):
                return path
        except (OSError, ValueError):
            continue  # bitmaps of fixed sizes, damaged files
    raise LookupError


def _files() -> Iterator[Path]:
    left = _MOST_FILES
    for folder in FOLDERS:
        for path in expanded(folder).rglob("*"):
            if path.suffix.lower() in _SUFFIXES:
                yield path
                left -= 1
                if not left:
                    return


def _rank(path: Path, *, heavy: bool) -> tuple[bool, bool, bool, int, str]:
    name = path.stem.lower()
    is_heavy = any(word in name for word in _HEAVY)
    return any(word in name for word in _UNUSUAL), is_heavy != heavy, "sans" not in name, len(name), str(path)


def _package(letters: set[str]) -> str:
    """Of Debian and Ubuntu."""
    if any(unicodedata.name(letter, "").startswith(_EAST_ASIAN) for letter in letters):
        return "fonts-noto-cjk"
    return "fonts-symbola" if any(ord(letter) >= _FIRST_PICTURE_LETTER for letter in letters) else "fonts-noto-core"
