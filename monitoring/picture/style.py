"""Colours and numbers as Grafana's dark theme has them."""

from collections.abc import Callable

PAGE = "#111217"
PANEL = "#181b1f"
BORDER = "#2b2e34"
TEXT = "#ccccdc"
FAINT = "#8e8e9c"
GRID = "#2b2e34"

_NAMED = {
    "green": "#73bf69",
    "orange": "#ff9830",
    "red": "#f2495c",
    "blue": "#5794f2",
    "purple": "#b877d9",
    "text": TEXT,
}
PALETTE = (
    *("#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#1f78c1"),
    *("#ba43a9", "#705da0", "#508642", "#cca300", "#447ebc", "#c15c17"),
)
"""Of lines, in their order; begins anew where there are more."""


def color(name: str) -> str:
    """A colour that the dashboards name, as #rrggbb."""
    return _NAMED.get(name, name)


def nth(index: int) -> str:
    """The colour of a panel's line."""
    return PALETTE[index % len(PALETTE)]


def formatter(unit: str) -> Callable[[float], str]:
    """How values of a unit are written. unit: s, bytes, percent or none."""
    return {"s": _seconds, "bytes": _bytes, "percent": _percent}.get(unit, _plain)


def _seconds(value: float) -> str:
    if value >= 1 or value == 0:
        return f"{value:.3g} s"
    return f"{value * 1e3:.3g} ms" if value >= 1e-3 else f"{value * 1e6:.3g} µs"  # noqa: PLR2004  a millisecond


def _bytes(value: float) -> str:
    step = 1024.0
    for unit in ("B", "KiB", "MiB"):
        if value < step:
            return f"{value:.3g} {unit}"
        value /= step
    return f"{value:.3g} GiB"


def _percent(value: float) -> str:
    return f"{value:.3g} %"


def _plain(value: float) -> str:
    return f"{value:.0f}" if value == round(value) else f"{value:.3g}"
