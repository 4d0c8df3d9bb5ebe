"""Reading an ONNX file so that whatever else it is gets a clear error."""

import hashlib
import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from vcam.errors import MissingDependencyError, ModelError
from vcam.installing import how_to_add

if TYPE_CHECKING:
    import onnx

LIBRARIES = ("onnx", "onnx_graphsurgeon", "onnxsim", "onnxruntime")
"""What preparation imports, all in the extra ``model``."""

_CHUNK_BYTES = 1 << 20
_LFS_POINTER = b"version https://git-lfs"
_HINT = "name an ONNX file with --model, or fetch the published one: vcam model prepare"


def require_libraries() -> None:
    """Raises MissingDependencyError unless preparation's libraries can be imported."""
    for library in LIBRARIES:
        try:
            importlib.import_module(library)
        except ImportError as error:
            raise MissingDependencyError(
                f"preparing a model needs the package {library}: {error}", hint=how_to_add("model")
            ) from error


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def check_file(path: Path) -> None:
    """Raises ModelError unless ``path`` is a readable file with something in it."""
    if path.is_dir():
        raise ModelError(f"{path} is a directory, not an ONNX file", hint=_HINT)
    if not path.is_file():
        raise ModelError(f"model file {path} does not exist", hint=_HINT)
    try:
        with path.open("rb") as file:
            start = file.read(len(_LFS_POINTER))
    except OSError as error:
        raise ModelError(f"model file {path} cannot be read: {error}", hint=_HINT) from error
    if not start:
        raise ModelError(f"model file {path} is empty", hint=_HINT)
    if start == _LFS_POINTER:
        raise ModelError(f"{path} is a Git LFS pointer, not the network itself", hint=f"git lfs pull, or {_HINT}")


def read_model(path: Path) -> "onnx.ModelProto":
    """The network in ``path``. Raises ModelError when it is no complete ONNX file."""
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    check_file(path)
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model)
    except DecodeError as error:
        raise ModelError(f"{path} is not an ONNX file, or it is truncated: {error}", hint=_HINT) from error
    except (onnx.checker.ValidationError, OSError, ValueError) as error:
        raise ModelError(f"{path} is not a complete ONNX network: {first_line(error)}", hint=_HINT) from error
    if not model.graph.node:
        raise ModelError(f"{path} is not an ONNX network: it has no nodes", hint=_HINT)
    return model


def first_line(error: BaseException) -> str:
    """Libraries append their stack to messages; the first line says it."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
