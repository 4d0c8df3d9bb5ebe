"""Golden images: small PNG files in tests/golden, drawn anew only by ``make golden``."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vcam.frame import Plane

_FOLDER = Path(__file__).parent.parent / "golden"


def check_golden(name: str, rgb: Plane, tolerance: int) -> None:
    """Compare a picture (H, W, 3) with tests/golden/NAME.png.

    tolerance: levels by which a channel may differ; one pixel in two hundred may differ more, for fonts are not drawn
    alike by all releases of their library.
    """
    path = _FOLDER / f"{name}.png"
    if os.environ.get("VCAM_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rgb).save(path, optimize=True)
        return
    if not path.is_file():
        pytest.fail(f"{path} is missing: run `make golden`, look at it, and commit it")
    wanted = np.asarray(Image.open(path).convert("RGB")).astype(np.int16)
    assert wanted.shape == rgb.shape
    differs = (np.abs(wanted - rgb) > tolerance).any(axis=-1).mean()
    assert differs <= 0.005, f"{differs:.1%} of the pixels differ from {path.name} by more than {tolerance}"
