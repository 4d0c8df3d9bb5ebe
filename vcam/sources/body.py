"""Torso and waving arm of the test scene's figure, in a knitted sweater."""

from collections.abc import Sequence

from vcam.sources.canvas import Canvas, Point, Rgb, curve, mirrored, oval, rectangle, smooth
from vcam.sources.sprite import SKIN, SKIN_LIGHT, SKIN_SHADE, Sheet, Sprite, flipped

HALF_WIDTH = 0.47
"""Half the figure's width with its arm, in picture heights."""

_ELBOW: Point = (-0.36, 1.06)
"""Where the forearm turns: below the picture."""

_KNIT: Rgb = (196, 92, 62)
_KNIT_SHADE: Rgb = (140, 56, 42)
_KNIT_LIGHT: Rgb = (224, 128, 92)
_SHIRT: Rgb = (240, 236, 228)


def draw_torso(height_px: int) -> Sprite:
    """Shoulders and chest; the lower end lies outside of the picture."""
    sheet = Sheet(height_px, (-0.47, 0.56, 0.47, 1.02))
    canvas = sheet.canvas
    outline = smooth(
        mirrored(
            [
                (0.0, 0.735),
                (0.052, 0.712),
                (0.086, 0.634),
                (0.15, 0.655),
                (0.27, 0.70),
                (0.35, 0.775),
                (0.395, 0.90),
                (0.42, 1.06),
                (0.2, 1.1),
            ]
        )
    )
    canvas.fill(outline, _KNIT)
    for side in (-1.0, 1.0):
        canvas.shade(
            flipped(side, smooth([(0.30, 0.78), (0.27, 0.90), (0.28, 1.08), (0.22, 1.08), (0.25, 0.88)])),
            _KNIT_SHADE,
            opacity=0.75,
            blur=0.012,
            inside=outline,
        )
        canvas.shade(flipped(side, oval(0.40, 0.98, 0.05, 0.2)), _KNIT_SHADE, opacity=0.4, blur=0.02, inside=outline)
        canvas.shade(flipped(side, oval(0.10, 0.67, 0.09, 0.035)), _KNIT_SHADE, opacity=0.4, blur=0.014, inside=outline)
    canvas.shade(oval(-0.22, 0.72, 0.10, 0.03), _KNIT_LIGHT, opacity=0.75, blur=0.016, inside=outline)
    canvas.shade(oval(-0.12, 0.86, 0.08, 0.10), _KNIT_LIGHT, opacity=0.35, blur=0.03, inside=outline)
    _ribs(canvas, outline)
    _collar(canvas)
    return sheet.sprite()


def draw_forearm(height_px: int, angle: float) -> Sprite:
    """A raised forearm with an open hand, turned by ``angle`` (radians) around the elbow."""
    sheet = Sheet(height_px, (-0.66, 0.34, -0.06, 1.02), angle=angle, pivot=_ELBOW)
    canvas = sheet.canvas
    x = _ELBOW[0]
    palm = smooth(
        [
            (x - 0.052, 0.66),
            (x - 0.060, 0.60),
            (x - 0.056, 0.565),
            (x, 0.55),
            (x + 0.054, 0.565),
            (x + 0.056, 0.62),
            (x + 0.040, 0.67),
            (x + 0.032, 0.72),
            (x - 0.032, 0.72),
        ]
    )
    fingers = [
        ((x - 0.046, 0.60), (x - 0.068, 0.485), 0.025),
        ((x - 0.016, 0.58), (x - 0.022, 0.452), 0.027),
        ((x + 0.014, 0.58), (x + 0.024, 0.458), 0.027),
        ((x + 0.040, 0.59), (x + 0.066, 0.490), 0.025),
        ((x + 0.036, 0.655), (x + 0.100, 0.590), 0.029),
    ]
    for base, tip, width in fingers:
        canvas.stroke([base, tip], SKIN, width)
    canvas.fill(palm, SKIN)
    canvas.shade(oval(x - 0.01, 0.63, 0.038, 0.04), SKIN_LIGHT, opacity=0.6, blur=0.014, inside=palm)
    canvas.shade(oval(x + 0.036, 0.65, 0.02, 0.05), SKIN_SHADE, opacity=0.45, blur=0.010, inside=palm)
    for base, tip, width in fingers[:4]:
        canvas.shade(
            smooth(
                [
                    (base[0] - width * 0.3, base[1] - 0.03),
                    (tip[0] - width * 0.1, tip[1]),
                    (tip[0] - width * 0.3, tip[1]),
                ]
            ),
            SKIN_LIGHT,
            opacity=0.5,
            blur=0.004,
        )
    for start, bend, end in (
        ((x - 0.036, 0.615), (x - 0.008, 0.600), (x + 0.036, 0.612)),
        ((x - 0.034, 0.640), (x, 0.622), (x + 0.030, 0.628)),
    ):
        canvas.stroke(curve([start, bend, end]), SKIN_SHADE, 0.0028, tip=0.0012)
    _sleeve(canvas, x)
    return sheet.sprite()


def _sleeve(canvas: Canvas, x: float) -> None:
    sleeve = smooth(
        [
            (x - 0.045, 0.715),
            (x + 0.045, 0.715),
            (x + 0.068, 0.86),
            (x + 0.085, 1.10),
            (x - 0.085, 1.10),
            (x - 0.068, 0.86),
        ]
    )
    canvas.fill(sleeve, _KNIT)
    canvas.shade(rectangle(x + 0.030, 0.70, x + 0.12, 1.12), _KNIT_SHADE, opacity=0.6, blur=0.018, inside=sleeve)
    canvas.shade(rectangle(x - 0.05, 0.74, x - 0.025, 1.12), _KNIT_LIGHT, opacity=0.6, blur=0.012, inside=sleeve)
    cuff = smooth([(x - 0.047, 0.700), (x + 0.047, 0.700), (x + 0.052, 0.752), (x - 0.052, 0.752)])
    canvas.fill(cuff, _KNIT)
    for k in range(-5, 6):
        canvas.stroke([(x + k * 0.0088, 0.703), (x + k * 0.0095, 0.750)], _KNIT_SHADE, 0.0026)


def _ribs(canvas: Canvas, outline: Sequence[Point]) -> None:
    """The knit: fine rows that a smeared matte would blur away."""
    for k in range(26):
        y = 0.70 + 0.0145 * k
        row = curve([(-0.43, y + 0.05), (-0.2, y + 0.012), (0.0, y + 0.022), (0.2, y + 0.012), (0.43, y + 0.05)])
        band = [*row, *[(px, py + 0.005) for px, py in reversed(row)]]
        canvas.shade(band, _KNIT_SHADE, opacity=0.22, inside=outline)


def _collar(canvas: Canvas) -> None:
    inner = curve([(-0.082, 0.632), (-0.055, 0.700), (0.0, 0.728), (0.055, 0.700), (0.082, 0.632)])
    outer = curve([(0.102, 0.640), (0.072, 0.722), (0.0, 0.756), (-0.072, 0.722), (-0.102, 0.640)])
    shirt = curve([(-0.078, 0.622), (-0.047, 0.688), (0.0, 0.712), (0.047, 0.688), (0.078, 0.622)])
    canvas.fill([*shirt, *reversed(inner)], _SHIRT)
    band = [*inner, *outer]
    canvas.fill(band, _KNIT)
    for low, high in zip(inner[2:-2:2], outer[-3:1:-2], strict=False):
        canvas.stroke([low, high], _KNIT_SHADE, 0.0026)
