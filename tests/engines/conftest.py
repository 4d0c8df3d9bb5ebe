"""Cores for the engines to run, prepared once."""

from pathlib import Path
from typing import Protocol

import numpy as np
import onnx
import pytest

from tests.support.rvm_like import Refiner, make_rvm_like
from vcam.frame import Size, Tensor
from vcam.model.prepare import PrepareOptions, prepare
from vcam.stages import CoreModel

SIZE = Size(75, 43)
"""Odd on purpose."""


class MakeCore(Protocol):
    def __call__(self, refiner: Refiner, precision: str = "fp32") -> CoreModel: ...


@pytest.fixture(scope="session")
def make_core(tmp_path_factory: pytest.TempPathFactory) -> MakeCore:
    """A prepared core with that refiner and precision; made at its first use."""
    folder = tmp_path_factory.mktemp("cores")

    def make(refiner: Refiner, precision: str = "fp32") -> CoreModel:
        source: Path = folder / f"{refiner}.onnx"
        if not source.exists():
            onnx.save(make_rvm_like(refiner), source)
        return prepare(PrepareOptions(folder, SIZE, source, precision))

    return make


@pytest.fixture
def pictures() -> list[Tensor]:
    """Six pictures (3, h, w), noise on a ramp that moves."""
    rng = np.random.default_rng(3)
    ramp = np.linspace(0.1, 0.8, SIZE.width, dtype=np.float32)
    return [
        np.clip(np.roll(ramp, 7 * n) + rng.normal(0, 0.05, (3, SIZE.height, SIZE.width)), 0, 1).astype(np.float32)
        for n in range(6)
    ]
