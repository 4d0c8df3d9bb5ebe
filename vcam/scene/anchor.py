"""Nine places of a rectangle, by which pictures are put into others."""

from enum import StrEnum


class Anchor(StrEnum):
    """``fraction`` is the place's share of width and of height, from the left and from the top."""

    TOP_LEFT = "top-left"
    TOP = "top"
    TOP_RIGHT = "top-right"
    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"
    BOTTOM_LEFT = "bottom-left"
    BOTTOM = "bottom"
    BOTTOM_RIGHT = "bottom-right"

    @property
    def fraction(self) -> tuple[float, float]:
        across = 0.0 if self.endswith("left") else 1.0 if self.endswith("right") else 0.5
        down = 0.0 if self.startswith("top") else 1.0 if self.startswith("bottom") else 0.5
        return across, down
