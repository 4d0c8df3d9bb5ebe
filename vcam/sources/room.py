"""The room of the test scene: a lived-in corner with texture, bright and dark parts, and fine structure."""

import math

import numpy as np
from scipy.ndimage import gaussian_filter

from vcam.frame import Size, Tensor
from vcam.sources.canvas import Canvas, Point, Rgb, curve, oval, rectangle, smooth

_WALL: Rgb = (146, 162, 162)
_WOOD: Rgb = (124, 86, 58)
_WOOD_DARK: Rgb = (86, 58, 40)
_WOOD_LIGHT: Rgb = (160, 118, 84)
_FRAME: Rgb = (236, 234, 228)
_FRAME_SHADE: Rgb = (178, 180, 178)
_CURTAIN: Rgb = (206, 198, 184)
_CURTAIN_SHADE: Rgb = (150, 142, 130)
_LEAF: tuple[Rgb, ...] = ((62, 108, 66), (84, 132, 78), (48, 88, 58))
_POT: Rgb = (222, 214, 200)
_GLOW: Rgb = (255, 214, 150)
_SHADE: Rgb = (250, 226, 184)
_BOOKS: tuple[Rgb, ...] = (
    (164, 66, 54),
    (38, 70, 96),
    (222, 190, 110),
    (70, 102, 84),
    (226, 220, 206),
    (104, 62, 82),
    (52, 52, 60),
    (196, 124, 70),
    (112, 142, 156),
)

_SILL_Y = 0.80
"""Top of the sideboard."""

_BLUR_PX_PER_HEIGHT = 1.1 / 720.0
"""The room is a little out of focus, as behind a person who sits before a camera."""

_PLASTER_LEVELS = 1.6


def draw_room(size: Size, seed: int) -> Tensor:
    """(3, H, W) float32 RGB in levels, without sensor noise."""
    rng = np.random.default_rng(seed)
    height = size.height
    aspect = size.width / height
    canvas = Canvas(size, height)
    _wall(canvas, aspect)
    _window(canvas, 0.10, aspect)
    _picture(canvas, aspect - 0.86)
    _shelf(canvas, aspect - 0.56, 0.235, rng)
    _shelf(canvas, aspect - 0.56, 0.475, rng)
    _sideboard(canvas, aspect)
    _plant(canvas, (0.30, _SILL_Y), rng)
    _lamp(canvas, (aspect - 0.20, _SILL_Y))
    room = canvas.pixels(_BLUR_PX_PER_HEIGHT * height)[:3]
    grain = gaussian_filter(rng.standard_normal((height, size.width)), 0.0025 * height)
    room += (grain * (_PLASTER_LEVELS / grain.std())).astype(np.float32)
    return room


def _wall(canvas: Canvas, aspect: float) -> None:
    canvas.fill(rectangle(-0.1, -0.1, aspect + 0.1, 1.1), _WALL)
    canvas.shade(oval(0.55, 0.35, 0.7, 0.5), (186, 200, 202), opacity=0.55, blur=0.16)
    canvas.shade(rectangle(-0.1, -0.2, aspect + 0.1, 0.06), (96, 110, 114), opacity=0.5, blur=0.09)
    canvas.shade(oval(aspect - 0.20, 0.57, 0.30, 0.24), _GLOW, opacity=0.55, blur=0.12)


def _window(canvas: Canvas, left: float, aspect: float) -> None:
    right, top, bottom = left + min(0.44, 0.25 * aspect), 0.07, 0.64
    canvas.shade(rectangle(left - 0.03, top, right + 0.05, bottom + 0.05), (84, 98, 102), opacity=0.4, blur=0.02)
    canvas.fill(rectangle(left - 0.025, top - 0.025, right + 0.025, bottom + 0.025), _FRAME)
    pane = rectangle(left, top, right, bottom)
    canvas.fill(pane, (176, 208, 232))
    canvas.shade(rectangle(left, 0.30, right, bottom), (236, 238, 232), opacity=0.9, blur=0.09, inside=pane)
    for x, y, rx in ((0.08, 0.17, 0.07), (0.15, 0.15, 0.05), (0.34, 0.24, 0.06)):
        canvas.shade(oval(left + x, y, rx, 0.022), (250, 250, 250), opacity=0.85, blur=0.010, inside=pane)
    hills = [(left - 0.1, 0.52), (left + 0.10, 0.46), (left + 0.22, 0.49), (left + 0.36, 0.44), (right + 0.1, 0.50)]
    canvas.shade(
        [*curve(hills), (right + 0.1, 0.8), (left - 0.1, 0.8)], (138, 166, 164), opacity=0.9, blur=0.004, inside=pane
    )
    trees = smooth(
        [
            (left - 0.1, 0.57),
            (left + 0.05, 0.53),
            (left + 0.13, 0.565),
            (left + 0.22, 0.53),
            (left + 0.30, 0.56),
            (right + 0.1, 0.52),
            (right + 0.1, 0.8),
            (left - 0.1, 0.8),
        ]
    )
    canvas.shade(trees, (84, 122, 88), opacity=0.95, blur=0.006, inside=pane)
    middle = (left + right) / 2.0
    canvas.fill(rectangle(middle - 0.010, top, middle + 0.010, bottom), _FRAME)
    canvas.fill(rectangle(left, 0.35, right, 0.364), _FRAME)
    canvas.shade(rectangle(middle + 0.006, top, middle + 0.011, bottom), _FRAME_SHADE, opacity=0.9, blur=0.002)
    canvas.fill(rectangle(left - 0.05, bottom + 0.02, right + 0.05, bottom + 0.045), _FRAME)
    canvas.shade(
        rectangle(left - 0.05, bottom + 0.04, right + 0.05, bottom + 0.05), _FRAME_SHADE, opacity=0.9, blur=0.002
    )
    for edge, toward in ((left - 0.035, 1.0), (right + 0.035, -1.0)):
        _curtain(canvas, edge, toward)
    canvas.fill(rectangle(left - 0.14, 0.022, right + 0.14, 0.034), _WOOD_DARK)


def _curtain(canvas: Canvas, edge: float, toward: float) -> None:
    inner = edge + toward * 0.055
    outer = edge - toward * 0.075
    cloth = [
        (outer, 0.03),
        (inner, 0.03),
        (inner - toward * 0.008, 0.35),
        (inner + toward * 0.010, 0.735),
        (outer, 0.735),
    ]
    canvas.fill(cloth, _CURTAIN)
    for k in range(5):
        x = outer + (inner - outer) * (k + 0.5) / 5.0
        fold = rectangle(x - 0.004, 0.02, x + 0.007, 0.75)
        canvas.shade(fold, _CURTAIN_SHADE, opacity=0.7, blur=0.005, inside=cloth)
    canvas.shade(
        rectangle(inner - toward * 0.025, 0.0, inner + toward * 0.02, 0.75),
        (244, 238, 226),
        opacity=0.5,
        blur=0.012,
        inside=cloth,
    )


def _picture(canvas: Canvas, x: float) -> None:
    canvas.shade(rectangle(x + 0.01, 0.13, x + 0.21, 0.39), (60, 72, 76), opacity=0.45, blur=0.012)
    canvas.fill(rectangle(x, 0.11, x + 0.19, 0.37), _WOOD_DARK)
    canvas.fill(rectangle(x + 0.010, 0.12, x + 0.180, 0.36), (238, 232, 220))
    art = rectangle(x + 0.030, 0.145, x + 0.160, 0.335)
    canvas.fill(art, (222, 196, 160))
    canvas.shade(oval(x + 0.115, 0.205, 0.030, 0.030), (206, 104, 66), opacity=1.0, inside=art)
    canvas.shade(
        smooth([(x, 0.29), (x + 0.07, 0.25), (x + 0.13, 0.285), (x + 0.2, 0.26), (x + 0.2, 0.4), (x, 0.4)]),
        (74, 104, 112),
        opacity=1.0,
        inside=art,
    )
    canvas.shade(
        smooth([(x, 0.315), (x + 0.06, 0.305), (x + 0.12, 0.32), (x + 0.2, 0.295), (x + 0.2, 0.4), (x, 0.4)]),
        (40, 66, 78),
        opacity=1.0,
        inside=art,
    )


def _shelf(canvas: Canvas, left: float, board: float, rng: np.random.Generator) -> None:
    right = left + 0.50
    canvas.shade(rectangle(left, board + 0.02, right, board + 0.055), (50, 60, 64), opacity=0.5, blur=0.012)
    x = left + 0.02
    while x < right - 0.15:
        width = float(rng.uniform(0.016, 0.034))
        _book(
            canvas,
            rectangle(x, board - float(rng.uniform(0.105, 0.165)), x + width, board),
            _BOOKS[int(rng.integers(len(_BOOKS)))],
        )
        x += width + 0.0015
    vase = smooth(
        [
            (x + 0.045, board - 0.085),
            (x + 0.060, board - 0.082),
            (x + 0.080, board - 0.040),
            (x + 0.062, board),
            (x + 0.042, board),
            (x + 0.024, board - 0.040),
        ]
    )
    canvas.fill(vase, _POT)
    canvas.shade(oval(x + 0.080, board - 0.04, 0.022, 0.06), (120, 112, 104), opacity=0.6, blur=0.010, inside=vase)
    for k in (-2, -1, 0, 1, 2):
        canvas.stroke(
            curve(
                [
                    (x + 0.052, board - 0.08),
                    (x + 0.052 + 0.008 * k, board - 0.125),
                    (x + 0.052 + 0.021 * k, board - 0.165 + 0.008 * abs(k)),
                ]
            ),
            (150, 130, 96),
            0.003,
            tip=0.002,
        )
        canvas.fill(oval(x + 0.052 + 0.021 * k, board - 0.168 + 0.008 * abs(k), 0.007, 0.010), (226, 204, 166))
    canvas.fill(rectangle(left, board, right, board + 0.020), _WOOD)
    canvas.fill(rectangle(left, board, right, board + 0.005), _WOOD_LIGHT)


def _book(canvas: Canvas, spine: list[Point], color: Rgb) -> None:
    (left, top), (right, bottom) = spine[0], spine[2]
    canvas.fill(spine, color)
    canvas.shade(rectangle(right - 0.006, top, right, bottom), (20, 16, 16), opacity=0.45, blur=0.002, inside=spine)
    canvas.shade(rectangle(left, top, left + 0.004, bottom), (255, 250, 240), opacity=0.35, blur=0.001, inside=spine)
    for y in (top + 0.018, bottom - 0.022):
        canvas.shade(rectangle(left, y, right, y + 0.004), (246, 232, 196), opacity=0.7, inside=spine)


def _sideboard(canvas: Canvas, aspect: float) -> None:
    canvas.shade(rectangle(-0.1, _SILL_Y - 0.03, aspect + 0.1, _SILL_Y), (54, 64, 68), opacity=0.55, blur=0.014)
    canvas.fill(rectangle(-0.1, _SILL_Y, aspect + 0.1, 1.1), _WOOD)
    canvas.fill(rectangle(-0.1, _SILL_Y, aspect + 0.1, _SILL_Y + 0.016), _WOOD_LIGHT)
    canvas.shade(rectangle(-0.1, _SILL_Y + 0.016, aspect + 0.1, _SILL_Y + 0.04), _WOOD_DARK, opacity=0.8, blur=0.006)
    for k in range(9):
        y = _SILL_Y + 0.05 + 0.019 * k
        waves = [(0.15 * i - 0.1, y + 0.004 * math.sin(1.7 * i + 2.1 * k)) for i in range(int(aspect / 0.15) + 3)]
        canvas.stroke(curve(waves), _WOOD_DARK, 0.0018, tip=0.0012)
    for k in range(1, 4):
        x = aspect * k / 4.0
        canvas.shade(rectangle(x - 0.002, _SILL_Y + 0.016, x + 0.002, 1.1), (40, 26, 18), opacity=0.9)
        canvas.fill(oval(x - 0.03, 0.885, 0.007, 0.007), (222, 190, 120))


def _plant(canvas: Canvas, foot: Point, rng: np.random.Generator) -> None:
    x, y = foot
    for k in range(17):
        lean = (k - 8) / 8.0
        reach, rise = (
            0.16 * lean + float(rng.uniform(-0.02, 0.02)),
            0.24 - 0.13 * abs(lean) + float(rng.uniform(-0.02, 0.03)),
        )
        tip = (x + reach, y - 0.08 - rise)
        bend = (x + 0.35 * reach, y - 0.10 - 0.75 * rise)
        side = (x + 0.70 * reach + 0.022, y - 0.10 - 0.80 * rise)
        leaf = smooth([(x, y - 0.07), bend, tip, side])
        canvas.fill(leaf, _LEAF[k % len(_LEAF)])
        canvas.stroke(
            curve([(x, y - 0.07), ((bend[0] + side[0]) / 2, (bend[1] + side[1]) / 2), tip]),
            (150, 182, 122),
            0.0026,
            tip=0.001,
        )
    pot = smooth(
        [
            (x - 0.062, y - 0.100),
            (x + 0.062, y - 0.100),
            (x + 0.052, y - 0.03),
            (x + 0.040, y),
            (x - 0.040, y),
            (x - 0.052, y - 0.03),
        ]
    )
    canvas.fill(pot, _POT)
    canvas.shade(
        rectangle(x + 0.015, y - 0.12, x + 0.08, y + 0.02), (134, 124, 112), opacity=0.7, blur=0.014, inside=pot
    )


def _lamp(canvas: Canvas, foot: Point) -> None:
    x, y = foot
    canvas.fill(oval(x, y - 0.004, 0.055, 0.012), (52, 50, 50))
    body = smooth(
        [
            (x - 0.014, y - 0.16),
            (x + 0.014, y - 0.16),
            (x + 0.040, y - 0.08),
            (x + 0.022, y - 0.01),
            (x - 0.022, y - 0.01),
            (x - 0.040, y - 0.08),
        ]
    )
    canvas.fill(body, (72, 108, 118))
    canvas.shade(oval(x - 0.018, y - 0.09, 0.008, 0.05), (170, 204, 208), opacity=0.7, blur=0.006, inside=body)
    shade = [(x - 0.060, y - 0.285), (x + 0.060, y - 0.285), (x + 0.098, y - 0.15), (x - 0.098, y - 0.15)]
    canvas.shade(shade, _GLOW, opacity=0.55, blur=0.03)
    canvas.fill(shade, _SHADE)
    canvas.shade(oval(x, y - 0.19, 0.06, 0.06), (255, 248, 226), opacity=0.9, blur=0.02, inside=shade)
    for k in range(-5, 6):
        canvas.stroke([(x + 0.0115 * k, y - 0.285), (x + 0.0186 * k, y - 0.15)], (226, 194, 146), 0.0016)
