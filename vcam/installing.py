"""What adds an optional package to this vcam. On the package index the name vcam belongs to another project: ours is
installed from its checkout, by host-setup.sh into a folder of its own, or comes in an image."""

import shlex
import sys
from importlib.util import find_spec
from pathlib import Path

_CHECKOUT = Path(__file__).parents[1]
_RECORD = "installed"
"""Written by scripts/host-setup.sh beside what it installs: the version, then the extras."""
_PINS = "constraints.txt"
_GPU_EXTRAS = frozenset({"gpu", "nvjpeg", "tensorrt-rtx"})


def how_to_add(extra: str) -> str:
    """The command that installs what ``extra`` of pyproject.toml names, for the vcam that runs now."""
    if (_CHECKOUT / "pyproject.toml").is_file():
        return f"{_pip()} -c {_quoted(_CHECKOUT / _PINS)} -e {_quoted(f'{_CHECKOUT}[{extra}]')}"
    record = Path(sys.prefix) / _RECORD
    if record.is_file():
        return f"in vcam's checkout: sudo make install ARGS='--runtime native --extras {_more(record, extra)}'"
    if find_spec("pip") is None:
        return f"an image that has it: make up GPU={'yes' if extra in _GPU_EXTRAS else 'no'}, in vcam's checkout"
    return f"in vcam's checkout: {_pip()} -c {_PINS} '.[{extra}]'"


def how_to_add_package(name: str) -> str:
    """The command that installs a package that is no extra of ours."""
    return f"{_pip()} {name}"


def _pip() -> str:
    return f"{_quoted(sys.executable)} -m pip install"


def _more(record: Path, extra: str) -> str:
    _, _, before = record.read_text(encoding="utf-8").strip().partition(" ")
    return ",".join(dict.fromkeys([*filter(None, before.split(",")), extra]))


def _quoted(path: Path | str) -> str:
    return shlex.quote(str(path))
