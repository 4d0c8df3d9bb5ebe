"""Backgrounds have two texts: ours for vcam.toml, with a path, and the API's, with the name of an uploaded picture."""

from collections.abc import Callable
from pathlib import Path


def image_of(background: str) -> tuple[str, str, str]:
    """Path or name, ``,fit=`` and the fit; empty where the background is no picture."""
    kind, _, rest = background.strip().partition(":")
    return rest.strip().partition(",fit=") if kind == "image" else ("", "", "")


def with_image(background: str, change: Callable[[str], str | Path]) -> str:
    """The text with another path or name; as it is where it is no picture."""
    path, comma, fit = image_of(background)
    return f"image:{change(path)}{comma}{fit}" if path else background


def shown(background: str) -> str:
    """The text as the API tells it: of a picture, only the name of its file."""
    return with_image(background, lambda path: Path(path).name)
