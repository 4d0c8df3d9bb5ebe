"""Plain NumPy in float64 of look.h, for the loops that show the person with a look."""

import numpy as np
import numpy.typing as npt

from tests.native import reference
from tests.native.reference import Array
from vcam.frame import Image, Plane
from vcam.native import Window

CURVE = 1024


def numbers(seed: int, *, curved: bool = False) -> npt.NDArray[np.float32]:
    """A random look: matrices near the identity, opacity and scan lines, tables that rise and fall."""
    rng = np.random.default_rng(seed)
    matrices = np.eye(3, 4) + rng.normal(0.0, 0.2, (2, 3, 4))
    rest = rng.uniform(0.0, 1.0, 10)
    rest[9] = curved
    return np.concatenate([matrices.ravel(), rest, _tables(rng)]).astype(np.float32)


def _tables(rng: np.random.Generator) -> Array:
    """Smooth: a rounding of float32 must not choose another colour."""
    places = np.linspace(0.0, 1.0, CURVE)
    tables = [np.interp(places, np.linspace(0.0, 1.0, 6), rng.uniform(0.0, 1.0, 6)) for _ in range(3)]
    return np.concatenate(tables)


def cover(look: npt.NDArray[np.float32], height: int) -> Array:
    """(H, 1): what opacity and scan lines leave of alpha."""
    values = look.astype(np.float64)
    line = _wave(np.arange(height) * values[26] + values[27])
    rows: Array = values[24] * np.clip(1.0 - values[29] * line, 0.0, 1.0)[:, None]
    return rows


def looked(look: npt.NDArray[np.float32], foreground: Array, light: Array | None = None) -> Array:
    """(3, H, W) colours of the person; light at the same resolution."""
    values = look.astype(np.float64)
    colour = _matrix(values[:12], foreground)
    if values[33] != 0.0:
        colour = np.stack([_curve(values[34 + c * CURVE :][:CURVE], colour[c]) for c in range(3)])
    if light is not None:
        colour = colour + values[25] * light * (1.0 - colour)
    rows = np.arange(foreground.shape[1])
    line, band = _wave(rows * values[26] + values[27]), _wave(rows * values[30] + values[31]) ** 4
    gain = (1.0 - values[28] * line + values[32] * band)[:, None]
    shown: Array = np.clip(gain * _matrix(values[12:24], colour), 0.0, 1.0)
    return shown


def composed(
    look: npt.NDArray[np.float32],
    image: Image,
    model: tuple[Array, Array],
    background: Image,
    *,
    window: Window | None = None,
    light: Array | None = None,
) -> tuple[Plane, ...]:
    """As reference.composed; model: A and b of the matte. light: (3, rows, columns)."""
    alpha, foreground = reference.matte_at(image, *model, window)
    height, width = alpha.shape
    spread = None if light is None else reference.resized(light, height, width)
    alpha = alpha * cover(look, height)
    over = reference.encoded(looked(look, foreground, spread), background.format)
    under = reference.components(background)
    return reference.packed(alpha * over + (1.0 - alpha) * under, background.format)


def _matrix(values: Array, colour: Array) -> Array:
    m = values.reshape(3, 4)
    mixed = np.einsum("ij,jhw->ihw", m[:, :3], colour) + m[:, 3][:, None, None]
    clipped: Array = np.clip(mixed, 0.0, 1.0)
    return clipped


def _curve(table: Array, x: Array) -> Array:
    value: Array = table[np.floor((CURVE - 1) * x + 0.5).astype(int)]
    return value


def _wave(turns: Array) -> Array:
    part = turns % 1.0
    t = np.abs(1.0 - 2.0 * part)
    wave: Array = t * t * (3.0 - 2.0 * t)
    return wave
