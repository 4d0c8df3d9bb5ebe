"""Head of the test scene's figure: a friendly face, and hair whose strands a matte has to find."""

import math
from collections.abc import Sequence

import numpy as np

from vcam.sources.canvas import Canvas, Point, Rgb, curve, mirrored, oval, rectangle, smooth
from vcam.sources.sprite import SKIN, SKIN_LIGHT, SKIN_SHADE, Sheet, Sprite, flipped

_NECK_Y = 0.66
"""Where the head turns."""

_TEMPLE_Y = 0.30
"""The outline of the hair is round above, straight below."""

_BLUSH: Rgb = (226, 128, 112)
_HAIR: Rgb = (62, 40, 34)
_HAIR_DARK: Rgb = (38, 24, 22)
_HAIR_LIGHT: Rgb = (122, 80, 56)
_INK: Rgb = (48, 32, 30)
_WHITE: Rgb = (246, 244, 240)
_LIP: Rgb = (186, 84, 80)
_IRIS: Rgb = (74, 106, 92)


def draw_head(height_px: int, angle: float, seed: int) -> Sprite:
    """Head, hair and neck, tilted by ``angle`` (radians) around the neck, for a picture of that height."""
    sheet = Sheet(height_px, (-0.26, 0.06, 0.26, 0.78), angle=angle, pivot=(0.0, _NECK_Y))
    canvas = sheet.canvas
    _back_hair(canvas, np.random.default_rng(seed))
    _neck(canvas)
    face = _face(canvas)
    _features(canvas)
    _front_hair(canvas, face)
    return sheet.sprite()


def _back_hair(canvas: Canvas, rng: np.random.Generator) -> None:
    outline = smooth(
        mirrored(
            [
                (0.0, 0.125),
                (0.085, 0.142),
                (0.150, 0.215),
                (0.168, 0.33),
                (0.176, 0.46),
                (0.190, 0.585),
                (0.130, 0.655),
                (0.06, 0.66),
            ]
        )
    )
    for _ in range(46):
        _strand(canvas, rng)
    canvas.fill(outline, _HAIR)
    canvas.shade(oval(0.0, 0.60, 0.12, 0.14), _HAIR_DARK, opacity=0.9, blur=0.03, inside=outline)
    for side in (-1.0, 1.0):
        for k in range(7):
            x = 0.118 + 0.010 * k
            lock = curve([(x - 0.03, 0.26), (x + 0.012, 0.38), (x - 0.004, 0.50), (x + 0.012, 0.62)])
            canvas.stroke(flipped(side, lock), _HAIR_LIGHT if k % 3 == 1 else _HAIR_DARK, 0.0036, tip=0.001)


def _strand(canvas: Canvas, rng: np.random.Generator) -> None:
    """One fine hair that leaves the outline and falls back."""
    side = float(rng.choice([-1.0, 1.0]))
    y = float(rng.uniform(0.16, 0.60))
    x = (
        0.150 * math.sqrt(max(0.0, 1.0 - ((y - _TEMPLE_Y) / 0.17) ** 2))
        if y < _TEMPLE_Y
        else 0.150 + 0.02 * (y - _TEMPLE_Y)
    )
    reach, drop = float(rng.uniform(0.010, 0.042)), float(rng.uniform(0.05, 0.14))
    line = curve(
        [
            (x - 0.01, y - 0.02),
            (x + reach * 0.7, y + drop * 0.3),
            (x + reach, y + drop * 0.7),
            (x + reach * 1.1, y + drop),
        ]
    )
    canvas.stroke(flipped(side, line), _HAIR, 0.0034, tip=0.0008)


def _neck(canvas: Canvas) -> None:
    neck = smooth(mirrored([(0.0, 0.44), (0.058, 0.46), (0.060, 0.58), (0.078, 0.66), (0.085, 0.74), (0.0, 0.77)]))
    canvas.fill(neck, SKIN)
    canvas.shade(oval(0.0, 0.535, 0.085, 0.06), SKIN_SHADE, opacity=0.75, blur=0.014, inside=neck)
    canvas.shade(rectangle(0.03, 0.5, 0.12, 0.78), SKIN_SHADE, opacity=0.4, blur=0.02, inside=neck)


def _face(canvas: Canvas) -> list[Point]:
    for side in (-1.0, 1.0):
        ear = oval(side * 0.120, 0.385, 0.022, 0.036)
        canvas.fill(ear, SKIN)
        canvas.shade(oval(side * 0.122, 0.388, 0.011, 0.022), SKIN_SHADE, opacity=0.6, blur=0.004, inside=ear)
    face = smooth(
        mirrored(
            [(0.0, 0.20), (0.075, 0.215), (0.115, 0.29), (0.118, 0.38), (0.104, 0.465), (0.066, 0.530), (0.022, 0.555)]
        )
    )
    canvas.fill(face, SKIN)
    canvas.shade(
        smooth([(0.07, 0.20), (0.16, 0.30), (0.14, 0.52), (0.02, 0.58), (0.085, 0.48), (0.098, 0.36)]),
        SKIN_SHADE,
        opacity=0.5,
        blur=0.016,
        inside=face,
    )
    canvas.shade(oval(-0.045, 0.36, 0.05, 0.10), SKIN_LIGHT, opacity=0.55, blur=0.025, inside=face)
    for side in (-1.0, 1.0):
        canvas.shade(oval(side * 0.068, 0.435, 0.026, 0.018), _BLUSH, opacity=0.38, blur=0.011, inside=face)
    return face


def _features(canvas: Canvas) -> None:
    for side in (-1.0, 1.0):
        x = side * 0.048
        eye = smooth([(x - 0.024, 0.374), (x, 0.358), (x + 0.024, 0.374), (x, 0.387)])
        canvas.fill(eye, _WHITE)
        canvas.shade(oval(x, 0.372, 0.0135, 0.0145), _IRIS, opacity=1.0, inside=eye)
        canvas.shade(oval(x, 0.372, 0.0070, 0.0078), _INK, opacity=1.0, inside=eye)
        canvas.fill(oval(x - 0.005, 0.366, 0.0036, 0.0036), _WHITE)
        canvas.stroke(
            curve([(x - 0.027, 0.377), (x - 0.013, 0.362), (x + 0.010, 0.360), (x + 0.027, 0.375)]),
            _INK,
            0.0058,
            tip=0.0036,
        )
        canvas.stroke(
            flipped(side, curve([(0.024, 0.3235), (0.050, 0.3150), (0.078, 0.3255)])), _HAIR, 0.0072, tip=0.0034
        )
    canvas.shade(
        smooth([(0.004, 0.37), (0.016, 0.42), (0.020, 0.440), (0.0, 0.447)]), SKIN_SHADE, opacity=0.65, blur=0.005
    )
    canvas.stroke(curve([(-0.014, 0.440), (0.0, 0.448), (0.015, 0.439)]), SKIN_SHADE, 0.0042, tip=0.0022)
    canvas.shade(oval(-0.004, 0.420, 0.006, 0.012), SKIN_LIGHT, opacity=0.7, blur=0.004)
    smile = smooth(
        [
            (-0.044, 0.473),
            (-0.018, 0.481),
            (0.0, 0.483),
            (0.018, 0.481),
            (0.044, 0.473),
            (0.026, 0.500),
            (0.0, 0.508),
            (-0.026, 0.500),
        ]
    )
    canvas.fill(smile, _LIP)
    canvas.shade(
        smooth([(-0.036, 0.478), (0.0, 0.486), (0.036, 0.478), (0.02, 0.493), (-0.02, 0.493)]),
        _WHITE,
        opacity=1.0,
        inside=smile,
    )
    for side in (-1.0, 1.0):
        canvas.stroke(
            flipped(side, curve([(0.043, 0.466), (0.049, 0.473), (0.046, 0.482)])), SKIN_SHADE, 0.0036, tip=0.0014
        )


def _front_hair(canvas: Canvas, face: Sequence[Point]) -> None:
    canvas.shade(oval(0.0, 0.235, 0.125, 0.055), SKIN_SHADE, opacity=0.55, blur=0.014, inside=face)
    right = smooth(
        [
            (-0.045, 0.150),
            (0.06, 0.140),
            (0.140, 0.215),
            (0.160, 0.33),
            (0.158, 0.47),
            (0.135, 0.50),
            (0.122, 0.40),
            (0.108, 0.30),
            (0.04, 0.245),
            (-0.03, 0.205),
        ]
    )
    left = smooth(
        [
            (0.00, 0.145),
            (-0.07, 0.145),
            (-0.142, 0.220),
            (-0.160, 0.34),
            (-0.158, 0.46),
            (-0.138, 0.49),
            (-0.124, 0.39),
            (-0.110, 0.29),
            (-0.075, 0.240),
            (-0.035, 0.200),
        ]
    )
    for lobe in (left, right):
        canvas.fill(lobe, _HAIR)
    canvas.shade(
        smooth([(-0.115, 0.20), (-0.06, 0.168), (0.01, 0.166), (-0.05, 0.185), (-0.10, 0.225)]),
        _HAIR_LIGHT,
        opacity=0.75,
        blur=0.008,
        inside=left,
    )
    canvas.shade(
        smooth([(0.03, 0.166), (0.09, 0.185), (0.128, 0.245), (0.085, 0.21)]),
        _HAIR_LIGHT,
        opacity=0.6,
        blur=0.008,
        inside=right,
    )
    for k in range(5):
        canvas.stroke(
            curve(
                [
                    (-0.035 + 0.008 * k, 0.168),
                    (0.045 + 0.008 * k, 0.196 - 0.004 * k),
                    (0.112 + 0.006 * k, 0.290 - 0.012 * k),
                    (0.140 + 0.003 * k, 0.42),
                ]
            ),
            _HAIR_LIGHT if k % 2 else _HAIR_DARK,
            0.0028,
            tip=0.0008,
        )
        canvas.stroke(
            curve(
                [
                    (-0.040 - 0.006 * k, 0.168),
                    (-0.096 - 0.006 * k, 0.215 - 0.006 * k),
                    (-0.128 - 0.005 * k, 0.310 - 0.012 * k),
                    (-0.142 - 0.003 * k, 0.42),
                ]
            ),
            _HAIR_LIGHT if k % 2 else _HAIR_DARK,
            0.0028,
            tip=0.0008,
        )
