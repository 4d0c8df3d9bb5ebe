"""Networks in files, made once."""

from pathlib import Path

import onnx
import pytest

from tests.support.rvm_like import Refiner, make_rvm_like


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Uncut RVM-shaped networks on disk, by refiner. Read only."""
    folder = tmp_path_factory.mktemp("networks")
    refiners: tuple[Refiner, ...] = ("deep", "fast")
    paths: dict[str, Path] = {}
    for refiner in refiners:
        paths[refiner] = folder / f"like_{refiner}.onnx"
        onnx.save(make_rvm_like(refiner), paths[refiner])
    return paths
