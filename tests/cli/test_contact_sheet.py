"""The contact sheet shows each moment where it says."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vcam.cli.contact_sheet import contact_sheet, write_contact_sheet
from vcam.cli.moments import Moment
from vcam.frame import Plane

RED, GREEN = (200, 20, 20), (20, 200, 20)


def _flat(rgb: tuple[int, int, int], width: int = 64, height: int = 36) -> Plane:
    plane = np.empty((height, width, 3), np.uint8)
    plane[:] = rgb
    return plane


def _moment(sequence: int, width: int = 64, height: int = 36) -> Moment:
    alpha = np.full((height, width), 20 * (sequence + 1), np.uint8)
    return Moment(sequence, _flat(RED, width, height), alpha, _flat(GREEN, width, height))


@pytest.mark.parametrize("count", [1, 3, 6])
def test_a_row_for_each_moment_source_matte_result(count: int) -> None:
    sheet = np.asarray(contact_sheet([_moment(k) for k in range(count)], "a run"))
    assert sheet.shape[1] == 1600
    row = (sheet.shape[0] - 118 - 20) / count
    for k in range(count):
        y = int(118 + (k + 0.5) * row)
        assert tuple(sheet[y, 300]) == RED
        assert tuple(sheet[y, 800]) == (20 * (k + 1),) * 3
        assert tuple(sheet[y, 1300]) == GREEN


def test_pictures_keep_their_shape() -> None:
    sheet = np.asarray(contact_sheet([_moment(0, 60, 60)], "square"))
    red = (sheet == RED).all(axis=-1)
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    assert abs((rows[-1] - rows[0]) - (columns[-1] - columns[0])) <= 1


def test_says_which_frame_it_is() -> None:
    one, other = (np.asarray(contact_sheet([_moment(k)], "a run")) for k in (3, 4))
    differs = (one != other).any(axis=-1)
    assert differs[:, :400].any(), "the label"
    assert not differs[:, 1100:].any()


def test_without_moments_there_is_a_heading() -> None:
    sheet = contact_sheet([], "nothing")
    assert np.asarray(sheet).max() > 200
    assert sheet.height < 200


def test_is_written_as_png(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    write_contact_sheet(path, [_moment(0)])
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.width == 1600
