"""The compiled kernels: where they lie in the package, and whether they are those of its sources.

scripts/build_kernels.py writes them. A fatbin of other sources would be called with other structs, and write anywhere;
so it ends with the digest of the sources it was made of. Nothing but the standard library and vcam.errors is needed
here, because images are built before vcam is installed.
"""

import hashlib
import posixpath
import re
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable

from vcam.errors import EngineUnavailableError

FATBIN = "cuda/vcam.fatbin"
SOURCE = "cuda/kernels/vcam.cu"
"""Within the package; the source includes all others."""

_HINT = "run `make kernels` (it fetches nvcc where there is none), or install vcam from an image that has them"
_INCLUDE = re.compile(rb'^#include "([^"]+)"', re.MULTILINE)
_DIGEST_BYTES = hashlib.sha256().digest_size


def read_fatbin() -> bytes:
    """The kernels compiled for every architecture.

    Raises EngineUnavailableError where the package has none, or those of other sources.
    """
    file = _package() / FATBIN
    try:
        sealed = file.read_bytes()
    except OSError as error:
        raise EngineUnavailableError(f"the CUDA kernels are not built: {file} is missing", hint=_HINT) from error
    if sealed[-_DIGEST_BYTES:] != digest():
        raise EngineUnavailableError(f"the CUDA kernels in {file} are not those of their sources", hint=_HINT)
    return sealed[:-_DIGEST_BYTES]


def seal(fatbin: bytes) -> bytes:
    """What the file holds: the fatbin, then the digest of the sources as they are now."""
    return fatbin + digest()


def digest() -> bytes:
    """SHA-256 of the names and contents of all sources."""
    total = hashlib.sha256()
    for name, content in sorted(sources().items()):
        total.update(f"{name}\0{len(content)}\0".encode() + content)
    return total.digest()


def sources() -> Mapping[str, bytes]:
    """SOURCE and all files of the package that it includes, by name."""
    found: dict[str, bytes] = {}
    wanted = [SOURCE]
    while wanted:
        name = wanted.pop()
        file = _package() / name
        if name in found or not file.is_file():  # the tests' stand-in for nvcc is no file of the package
            continue
        found[name] = file.read_bytes()
        folder = posixpath.dirname(name)
        wanted += [
            posixpath.normpath(posixpath.join(folder, other.decode())) for other in _INCLUDE.findall(found[name])
        ]
    return found


def _package() -> Traversable:
    return resources.files("vcam")
