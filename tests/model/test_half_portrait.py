"""Float16 against float32 with the real network on a moving person: what the recurrence makes of the rounding.

ONNX Runtime's CPU computes a float16 network in float32 and rounds at the casts only, so the network that a GPU gets is
run twice: as it is, and with every result rounded to float16 (scripts/drift.py), which is the honest one.

Measured on this clip, alpha in [0, 1]: largest difference of the emulated one 0.028, of the one as it is 0.028; on
average 2.0e-5 and 1.9e-5; the worst frame 4.6e-5 on average; no growth from the first 50 frames to the last.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
import pytest

from tests.support.real_model import real_model
from tests.support.scripts import load_script
from vcam import native
from vcam.decode.turbo import TurboDecoder
from vcam.frame import Size, Tensor
from vcam.model.cut import cut
from vcam.model.half import to_half
from vcam.model.onnx_file import read_model
from vcam.model.runtime import Network
from vcam.model.specialise import simplify, specialise
from vcam.model.verify import is_half, next_states, zero_states
from vcam.rvm import COEFFICIENTS, SRC
from vcam.sources.file import FileSource
from vcam.sources.pace import Pace

pytestmark = [pytest.mark.model, pytest.mark.timeout(300)]

SIZE = Size(256, 144)
FRAMES = 300
FORGETFUL_FRAMES = 30

LARGEST = 0.05
"""Of one pixel in all frames; single pixels at soft edges are off."""
MEAN = 6e-5
MEAN_OF_A_FRAME = 1.5e-4

Mattes: TypeAlias = npt.NDArray[np.float32]
"""(frames, h, w) alpha in [0, 1]."""


def pictures(folder: Path) -> list[Tensor]:
    """The portrait clip as the engines see it: MJPEG at 720p, decoded, sampled. (3, h, w) each."""
    path = folder / "portrait.mkv"
    load_script("portrait_clip").main(path, FRAMES / 30)
    seen = []
    with FileSource(path, pace=Pace.EVERY_FRAME, loop=False) as source, TurboDecoder() as decoder:
        for _ in range(FRAMES):
            small = np.empty((3, SIZE.height, SIZE.width), np.float32)
            native.sample(decoder.decode(source.read(1.0)), small)
            seen.append(small)
    return seen


def mattes(model: onnx.ModelProto, clip: list[Tensor], *, remember: bool = True) -> Mattes:
    """Alpha of each frame at internal size."""
    network, states = Network(model, threads=1), zero_states(SIZE)
    dtype = np.float16 if is_half(model) else np.float32
    alphas = []
    for picture in clip:
        outputs = network.run({SRC: picture[None].astype(dtype), **states})
        if remember:
            states = next_states(outputs)
        a, b = (outputs[name][0].astype(np.float32) for name in COEFFICIENTS)
        alphas.append(np.clip(a[3] * picture.mean(axis=0) + b[3], 0, 1))
    return np.stack(alphas)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mattes]:
    """Each arithmetic over the same frames, side by side; ``forgetful``: float32 that never sees its states again."""
    core = simplify(specialise(cut(read_model(real_model())), SIZE))
    clip = pictures(tmp_path_factory.mktemp("clip"))
    drift: ModuleType = load_script("drift")
    emulated: onnx.ModelProto = drift.emulate_half(core, half_states=False)
    with ThreadPoolExecutor(3) as pool:
        running = {
            "float32": pool.submit(mattes, core, clip),
            "float16, emulated": pool.submit(mattes, emulated, clip),
            "float16": pool.submit(mattes, to_half(core), clip),
            "forgetful": pool.submit(mattes, core, clip[:FORGETFUL_FRAMES], remember=False),
        }
        return {name: each.result() for name, each in running.items()}


def test_the_clip_shows_a_person_with_soft_edges(runs: Mapping[str, Mattes]) -> None:
    alpha = runs["float32"]
    assert alpha.shape == (FRAMES, SIZE.height, SIZE.width)
    assert 0.25 < alpha.mean() < 0.40
    assert 0.01 < np.mean((alpha > 0.05) & (alpha < 0.95)) < 0.05


@pytest.mark.parametrize("arithmetic", ["float16, emulated", "float16"])
def test_half_stays_with_single_over_300_frames(
    runs: Mapping[str, Mattes], arithmetic: str, record_property: Callable[[str, object], None]
) -> None:
    off = np.abs(runs[arithmetic] - runs["float32"])
    figures = f"largest {off.max():.2g}, mean {off.mean():.2g}, worst frame {off.mean(axis=(1, 2)).max():.2g}"
    record_property("alpha difference", figures)
    assert off.max() < LARGEST, figures
    assert off.mean() < MEAN, figures
    assert off.mean(axis=(1, 2)).max() < MEAN_OF_A_FRAME, figures
    assert off.mean() > 1e-6, "nothing was computed in float16"


def test_the_difference_does_not_grow(runs: Mapping[str, Mattes]) -> None:
    off = np.abs(runs["float16, emulated"] - runs["float32"]).mean(axis=(1, 2))
    assert off[-50:].mean() < 2.0 * off[:50].mean()


def test_a_network_without_memory_would_be_found_out(runs: Mapping[str, Mattes]) -> None:
    off = np.abs(runs["forgetful"] - runs["float32"][:FORGETFUL_FRAMES])
    assert off.max() > LARGEST
    assert off.mean() > MEAN
