"""The maps: whole, and as others draw them."""

import matplotlib as mpl
import numpy as np
import pytest

from vcam.colormaps import LEVELS, colors_of
from vcam.looks import ColorMap

MAPS = [each for each in ColorMap if each is not ColorMap.NONE]


@pytest.mark.parametrize("colormap", MAPS)
def test_every_map_has_a_colour_for_each_level(colormap: ColorMap) -> None:
    table = colors_of(colormap)
    assert table.shape == (LEVELS, 3)
    assert table.dtype == np.float32
    assert table.min() >= 0.0
    assert table.max() <= 1.0
    assert np.abs(np.diff(table, axis=0)).max() <= 0.05, "no steps that would show as bands"
    assert len(np.unique(table, axis=0)) > 200, "levels stay apart"


@pytest.mark.parametrize("name", ["inferno", "magma", "plasma", "viridis", "turbo"])
def test_published_maps_are_what_they_are(name: str) -> None:
    wanted = mpl.colormaps[name](np.arange(LEVELS))[:, :3]
    assert np.abs(colors_of(ColorMap(name)) - wanted).max() < 7.5 / 255.0


@pytest.mark.parametrize(
    "colormap", [ColorMap.GRAY, ColorMap.SEPIA, ColorMap.THERMAL, ColorMap.NIGHT, ColorMap.BONE, ColorMap.HOT]
)
def test_what_is_brighter_stays_brighter(colormap: ColorMap) -> None:
    assert (np.diff(colors_of(colormap).sum(axis=1)) > 0).all()


def test_tables_are_shared_and_cannot_be_changed() -> None:
    assert colors_of(ColorMap.GRAY) is colors_of(ColorMap.GRAY)
    with pytest.raises(ValueError, match="read-only"):
        colors_of(ColorMap.GRAY)[0] = 1.0
