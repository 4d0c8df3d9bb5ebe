"""What the corrections of the person's edge are good for: errors against known alpha, flicker, lag, cost; as JSON.

Usage: .venv/bin/python scripts/edge_figures.py NETWORK.onnx [benchmarks/edge.json]

Two kinds of scene whose alpha is known: the drawn one, and NASA's portrait with strands of hair drawn around it, laid
over rooms that it was never in (its own alpha and colours are the network's, found once, larger; what is laid over a
room with them is the truth by construction). Three engines: the network, the plate engine, and a stand-in for a mask
network, which knows the outline but no hair. Errors are means along the edge.
"""

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt
from skimage import data

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.edges import (  # of the checkout, which is no package
    BLACK,
    GREEN,
    WHITE,
    Corrector,
    Shot,
    alpha_error,
    coarse_mask,
    colour_error,
    flicker,
    noisy,
    picture,
    sampled,
)
from vcam import native
from vcam.bench.report import hardware
from vcam.compose.cpu import FAINT
from vcam.engines.plate import PlateEngine
from vcam.engines.rvm_openvino import OpenVinoEngine
from vcam.frame import AffineMatte, Image, PixelFormat, Plane, Range, Size, Tensor, VideoFormat, allocate_planes
from vcam.model.prepare import PrepareOptions, prepare
from vcam.sources.canvas import Rgb
from vcam.sources.test_scene import TestScene
from vcam.stages import MatteControls, MattingEngine

SIZE = Size(1280, 720)
FPS = 30.0
BACKDROPS = {"green": GREEN, "black": BLACK, "white": WHITE}
CONTROLS = {
    "off": MatteControls(),
    "smoothing 0.8": MatteControls(smoothing=0.8),
    "despill": MatteControls(despill=1.0),
    "refine": MatteControls(refine=1.0),
    "refine and despill": MatteControls(refine=1.0, despill=1.0),
    "all": MatteControls(0.8, 1.0, 1.0),
}
WALLS = {"red wall": (190, 40, 40), "blue wall": (40, 90, 200), "white wall": (225, 222, 215)}
NETWORK_SIZES = (Size(256, 144), Size(384, 216), Size(512, 288))
MASK_SIZE, PLATE_SIZE = Size(256, 144), Size(320, 180)
MOVING, SETTLE, STRIDE = range(190, 226), 20, 5
STILL_AT, STILL_COUNT = 225, 32
NOISES = (2.0, 4.0, 6.0)

Layer = npt.NDArray[np.float32]


class Scene(Protocol):
    """Pictures of any moment, each with its exact alpha."""

    def picture(self, sequence: int) -> Plane: ...
    def alpha(self, sequence: int) -> Tensor: ...
    def over(self, sequence: int, backdrop: str) -> Plane: ...


class Drawn:
    """The test scene; its figure moves."""

    def __init__(self) -> None:
        self._scene = TestScene(SIZE, FPS)
        self._over = {name: TestScene(SIZE, FPS, room=colour) for name, colour in BACKDROPS.items()}
        self.picture, self.alpha = self._scene.picture, self._scene.alpha

    def over(self, sequence: int, backdrop: str) -> Plane:
        return self._over[backdrop].picture(sequence)


@dataclass(frozen=True)
class Cutout:
    """The portrait without its room: premultiplied colour (side, side, 3) and alpha (side, side)."""

    colour: Layer
    alpha: Layer


def cut_out(engine: MattingEngine, side: int = 1024) -> Cutout:
    """The portrait as the network sees it, with strands of hair drawn around the head."""
    still = cv2.resize(data.astronaut(), (side, side), interpolation=cv2.INTER_CUBIC)  # type: ignore[no-untyped-call]
    image = picture(still, 0)
    small = sampled(image, engine.input_size)
    for _ in range(12):
        matte = engine.matte(small, image.stamp)
    a, b = (cv2.resize(each.transpose(1, 2, 0), (side, side)) for each in (matte.a, matte.b))
    rgb = still.astype(np.float32) / 255.0
    alpha = np.clip(1.03 * (a[..., 3] * rgb.mean(axis=2) + b[..., 3]) - 0.015, 0.0, 1.0)[..., None]
    colour = alpha * np.clip(rgb * (1.0 + a[..., :3]) + b[..., :3], 0.0, 1.0)
    hair = strands(side)[..., None]
    brown = np.float32([0.36, 0.28, 0.18]) * (1.0 + 0.3 * np.sin(np.arange(side) / 7.0))[None, :, None]
    colour = colour + (1.0 - alpha) * hair * brown.astype(np.float32)
    return Cutout(colour, (alpha + (1.0 - alpha) * hair)[..., 0])


def strands(side: int, scale: int = 3) -> Layer:
    """(side, side) alpha of ninety curved hairs of one or two pixels around the portrait's head."""
    rng, sheet = np.random.default_rng(0), np.zeros((side * scale, side * scale), np.uint8)
    along = np.linspace(0.0, 1.0, 24)
    for _ in range(90):
        angle = rng.uniform(-1.12 * math.pi, 0.12 * math.pi) + rng.normal(0.0, 0.35) * along**2
        radius = 1.05 * (rng.uniform(112.0, 132.0) + rng.uniform(12.0, 42.0) * along)
        points = scale * np.stack([453 + radius * np.cos(angle), 190 + radius * np.sin(angle)], axis=1)
        cv2.polylines(sheet, [points.round().astype(np.int32)], False, 255, int(rng.integers(2, 5)), cv2.LINE_AA)
    return cv2.resize(sheet, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0


class Portrait:
    """The cut-out before a room (H, W, 3), as a swaying camera sees it, with a sensor's noise."""

    def __init__(self, cutout: Cutout, room: Layer) -> None:
        self._cutout, self._room = cutout, room

    def picture(self, sequence: int) -> Plane:
        colour, alpha = self._layer(sequence)
        return noisy(_levels(colour + (1.0 - alpha[..., None]) * self._room), 2.0, sequence)

    def alpha(self, sequence: int) -> Tensor:
        return self._layer(sequence)[1]

    def over(self, sequence: int, backdrop: str) -> Plane:
        colour, alpha = self._layer(sequence)
        return _levels(colour + (1.0 - alpha[..., None]) * np.float32(BACKDROPS[backdrop]) / 255.0)

    def _layer(self, sequence: int) -> tuple[Layer, Layer]:
        side, time_s = len(self._cutout.alpha), sequence / FPS
        zoom = SIZE.width / side * (1.12 + 0.08 * math.sin(0.9 * time_s))
        warp = cv2.getRotationMatrix2D((side * 0.45, side * 0.30), math.degrees(0.03 * math.sin(1.3 * time_s)), zoom)
        warp[0, 2] += SIZE.width / 2 - side * 0.45 + 60 * math.sin(1.7 * time_s)
        warp[1, 2] += SIZE.height * 0.58 - side * 0.30 + 15 * math.sin(2.9 * time_s)
        size = (SIZE.width, SIZE.height)
        return cv2.warpAffine(self._cutout.colour, warp, size), cv2.warpAffine(self._cutout.alpha, warp, size)


def wall(colour: Rgb) -> Layer:
    """One colour, unevenly lit."""
    y, x = np.mgrid[0 : SIZE.height, 0 : SIZE.width]
    light = 1.0 - 0.25 * ((x - 400) / SIZE.width) ** 2 - 0.2 * y / SIZE.height
    return (np.array(colour) / 255.0 * light[..., None]).astype(np.float32)


def _levels(rgb: Layer) -> Plane:
    levels: Plane = np.clip(255.0 * rgb + 0.5, 0, 255).astype(np.uint8)
    return levels


def shots(engine: MattingEngine, pictures: Iterator[tuple[int, Plane]], truth: Mapping[int, Tensor]) -> Iterator[Shot]:
    """What the engine makes of pictures; yields those whose truth is given."""
    for sequence, rgb in pictures:
        image = picture(rgb, sequence)
        small = sampled(image, engine.input_size)
        matte = engine.matte(small, image.stamp)
        if sequence in truth:
            kept = AffineMatte(matte.a.copy(), matte.b.copy(), image.stamp)
            yield Shot(image, small, kept, truth[sequence])


def mask_shots(scene: Scene) -> Iterator[Shot]:
    """The stand-in for a mask network."""
    for sequence in MOVING:
        if sequence >= MOVING.start + SETTLE - STRIDE:
            image, alpha = picture(scene.picture(sequence), sequence), scene.alpha(sequence)
            small = sampled(image, MASK_SIZE)
            yield Shot(image, small, AffineMatte(*coarse_mask(alpha, small), image.stamp), alpha)


def moving(engine: MattingEngine, scene: Scene) -> Iterator[Shot]:
    """In motion, once the engine has settled."""
    truth = {sequence: scene.alpha(sequence) for sequence in MOVING[SETTLE - STRIDE :]}
    return shots(engine, ((sequence, scene.picture(sequence)) for sequence in MOVING), truth)


def errors(scene: Scene, seen: list[Shot]) -> dict[str, dict[str, float]]:
    """Per set of controls: of alpha in thousandths, of the picture over each backdrop in levels of 255."""
    found = {}
    for name, controls in CONTROLS.items():
        _, h, w = seen[0].small.shape
        corrector, rows = Corrector(Size(w, h), controls), []
        for index, shot in enumerate(seen):
            measured = index % STRIDE == STRIDE - 1
            result = corrector.correct(shot, tuple(BACKDROPS.values()) if measured else ())
            if measured:
                truths = [scene.over(shot.image.stamp.sequence, backdrop) for backdrop in BACKDROPS]
                pairs = zip(result.composed, truths, strict=True)
                rows.append([alpha_error(shot, result.alpha), *(colour_error(shot, *pair) for pair in pairs)])
        means = np.mean(rows, axis=0)
        found[name] = dict(zip(("alpha", *BACKDROPS), (round(float(mean), 2) for mean in means), strict=True))
    return found


def unrest(seen: list[Shot]) -> dict[str, float]:
    """Flicker of alpha, in thousandths, where nothing moves."""
    found, edge = {}, seen[0].edge
    for name, controls in CONTROLS.items():
        _, h, w = seen[0].small.shape
        corrector = Corrector(Size(w, h), controls)
        alphas = [corrector.correct(shot).alpha for shot in seen][len(seen) // 2 :]
        steps = [flicker(now, before, edge) for before, now in pairwise(alphas)]
        found[name] = round(float(np.mean(steps)), 2)
    return found


def still(engine: MattingEngine, scene: Scene, sigma: float, first: int) -> list[Shot]:
    """One moment again and again, with new noise."""
    rgb, alpha = scene.picture(STILL_AT), scene.alpha(STILL_AT)
    sequences = range(first, first + STILL_COUNT)
    pictures = ((sequence, noisy(rgb, sigma, sequence)) for sequence in sequences)
    return list(shots(engine, pictures, dict.fromkeys(sequences[STILL_COUNT // 2 :], alpha)))


@contextmanager
def plate_engine(scene: Scene) -> Iterator[PlateEngine]:
    """That has seen the empty room."""
    with PlateEngine(PLATE_SIZE) as engine:
        for _ in shots(engine, ((sequence, scene.picture(sequence)) for sequence in range(50)), {}):
            pass
        yield engine


def cost(shot: Shot) -> dict[str, dict[str, float]]:
    """Milliseconds at 720p, I422 to YUYV, one thread: the least of many."""
    camera = VideoFormat(PixelFormat.I422, SIZE.width, SIZE.height, range=Range.FULL)
    target = VideoFormat(PixelFormat.YUYV, SIZE.width, SIZE.height)
    planes, under, out = (allocate_planes(fmt)[1] for fmt in (camera, target, target))
    native.convert(shot.image, planes, camera)
    image, background = Image(planes, camera, shot.image.stamp), Image(under, target, shot.image.stamp)
    _, h, w = shot.small.shape
    native.set_threads(1)
    found = {}
    for name, controls in CONTROLS.items():
        edge, times = native.PersonEdge(Size(w, h)), []
        for _ in range(60):
            began = time.perf_counter()
            edge.prepare(shot.small, shot.matte, controls, levels=FAINT)
            prepared = time.perf_counter()
            edge.compose(image, background, out)
            times.append((prepared - began, time.perf_counter() - prepared))
        prepare_s, compose_s = np.min(times, axis=0)
        found[name] = {"prepare_ms": round(1e3 * float(prepare_s), 2), "compose_ms": round(1e3 * float(compose_s), 2)}
    return found


def main(network: Path, target: Path) -> None:
    """Run everything and write ``target``."""
    with tempfile.TemporaryDirectory() as folder:
        cores = {
            size: prepare(PrepareOptions(Path(folder), size, network)) for size in (*NETWORK_SIZES, Size(448, 448))
        }
        with OpenVinoEngine(cores[Size(448, 448)], threads=2) as engine:
            cutout = cut_out(engine)
        drawn = Drawn()
        room = TestScene(SIZE, FPS).room().astype(np.float32) / 255.0
        scenes: dict[str, Scene] = {"drawn": drawn, "portrait, drawn room": Portrait(cutout, room)}
        scenes |= {f"portrait, {name}": Portrait(cutout, wall(colour)) for name, colour in WALLS.items()}
        in_motion, at_rest = {}, {}
        for name, scene in scenes.items():
            in_motion[f"{name}, mask {MASK_SIZE}"] = errors(scene, list(mask_shots(scene)))
            for size in NETWORK_SIZES:
                with OpenVinoEngine(cores[size], threads=2) as engine:
                    seen = list(moving(engine, scene))
                    in_motion[f"{name}, network {size}"] = errors(scene, seen)
            with OpenVinoEngine(cores[NETWORK_SIZES[0]], threads=2) as engine:
                for sigma in NOISES:
                    engine.reset()
                    at_rest[f"{name}, network {engine.input_size}, noise {sigma}"] = unrest(
                        still(engine, scene, sigma, 0)
                    )
        with plate_engine(drawn) as plate:
            in_motion[f"drawn, plate {PLATE_SIZE}"] = errors(drawn, list(moving(plate, drawn)))
            for sigma in NOISES:
                plate.reset()
                at_rest[f"drawn, plate {PLATE_SIZE}, noise {sigma}"] = unrest(still(plate, drawn, sigma, 60))
        with OpenVinoEngine(cores[NETWORK_SIZES[1]], threads=2) as engine:
            costs = cost(list(moving(engine, drawn))[-1])
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    report = {
        "network": network.name,
        "commit": commit.stdout.strip(),
        "hardware": hardware(),
        "size": str(SIZE),
        "error_in_motion": in_motion,
        "flicker_at_rest": at_rest,
        "cost_one_thread": {"isa": native.isa(), "matte": str(NETWORK_SIZES[1]), **costs},
    }
    target.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    arguments = [*sys.argv[1:], *["", "benchmarks/edge.json"][len(sys.argv) - 1 :]]
    main(Path(arguments[0]), Path(arguments[1]))
