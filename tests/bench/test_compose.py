"""The mattes that the compositor is measured with are what their names say."""

import numpy as np

from vcam.bench.compose import coefficients


def test_soft_means_that_no_pixel_is_settled() -> None:
    a, b = coefficients("soft")
    lowest, highest = np.minimum(b[3], a[3] + b[3]), np.maximum(b[3], a[3] + b[3])
    assert np.mean((lowest > 0.0) & (highest < 1.0)) > 0.99


def test_realistic_is_mostly_background_and_person() -> None:
    _, b = coefficients("realistic")
    assert 0.57 < np.mean(b[3] <= 0.0) < 0.63
    assert 0.32 < np.mean(b[3] >= 1.0) < 0.38
