"""The GPU suites from end to end without a GPU: every figure is there, and right where it does not depend on one."""

from types import MappingProxyType

import numpy as np
import pytest

from tests.bench.gpu_rig import WEIGHT, DryRoom, small_core
from vcam.bench import gpu, gpu_accuracy, gpu_frames
from vcam.bench.clip import scene_clip
from vcam.bench.gpu_bytes import compose_bytes
from vcam.bench.gpu_effects import NONE, effects
from vcam.bench.gpu_fixed import FixedDeviceEngine
from vcam.bench.gpu_frames import FrameMaker, Way
from vcam.bench.gpu_room import camera_format, target_format
from vcam.bench.gpu_stopwatch import StopwatchDriver
from vcam.bench.report import Row
from vcam.cuda.device import Device
from vcam.fakes import FakeDriver
from vcam.frame import Image
from vcam.stages import CoreModel

HEIGHTS = tuple(size.height for size in WEIGHT.sizes)


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> CoreModel:
    return small_core(tmp_path_factory.mktemp("models"))


@pytest.fixture
def dry(core: CoreModel) -> DryRoom:
    return DryRoom(core)


@pytest.fixture(scope="module")
def rows(core: CoreModel) -> list[Row]:
    dry = DryRoom(core)
    rows = list(gpu.run(dry.room))
    assert dry.driver.leaks() == []
    assert dry.library.leaks() == []
    return rows


def of_group(rows: list[Row], group: str) -> dict[str, Row]:
    return {row.name: row for row in rows if row.group == group}


def test_each_way_of_making_frames_has_a_table_of_its_own(rows: list[Row]) -> None:
    for engine in (gpu.FIXED, "tensorrt"):
        for height in HEIGHTS:
            for way, captured in (("CUDA graphs", "True"), ("call by call", "False")):
                table = of_group(rows, f"{height}p MJPEG to YUYV, {engine}, {way}")
                stages = {"decode", "upload", "sample", "infer", "compose", "download"}
                assert stages < table.keys()
                assert all(row.count == WEIGHT.frames for row in table.values())
                whole = table["whole frame: JPEG in to picture out"]
                assert whole.extra["captured"] == captured
                assert float(whole.extra["own_buffers_mib"]) > 0
                assert whole.p50_ms >= table["process: picture in to picture out"].p50_ms
                process = table["process: picture in to picture out"]
                assert 0 < table["our own work on the CPU, without decoding and copies"].p50_ms < process.p50_ms


def test_what_the_gpu_took_is_the_sum_of_its_stages(rows: list[Row]) -> None:
    """On the fake's clock every piece of work takes as long as any other, in each frame alike."""
    table = of_group(rows, f"{HEIGHTS[0]}p MJPEG to YUYV, tensorrt, CUDA graphs")
    stages = ["upload", "sample", "infer", "compose", "download"]
    assert table["GPU, by events"].p50_ms == pytest.approx(sum(table[each].p50_ms for each in stages))
    rest = table["GPU, by events"].p50_ms - table["infer"].p50_ms
    assert table["GPU without the engine"].p50_ms == pytest.approx(rest)


def test_graphs_and_calls_give_equal_pictures(rows: list[Row]) -> None:
    table = of_group(rows, "equal pictures")
    assert len(table) == 2 * len(HEIGHTS)
    assert {row.extra["largest_difference"] for row in table.values()} == {0.0}


def test_a_difference_would_be_seen(dry: DryRoom) -> None:
    """The first way's engine forgets; the second one's does not."""
    clip = scene_clip(WEIGHT.sizes[0], frames=6)
    first, second = (Way(name, dry.room.engines["tensorrt"], graphs=False) for name in ("one", "other"))
    assert gpu_frames.compare(dry.room, clip, (first, second)).extra["largest_difference"] == 0.0
    fixed = Way("fixed", lambda: FixedDeviceEngine(dry.driver, WEIGHT.internal), graphs=False)
    assert float(gpu_frames.compare(dry.room, clip, (first, fixed)).extra["largest_difference"]) > 50


def test_each_effect_has_a_figure_and_costs_work(rows: list[Row]) -> None:
    """On the fake's clock every piece of work takes as long as any other."""
    (group,) = {row.group for row in rows if "each effect" in row.group}
    table = of_group(rows, group)
    assert group.startswith(f"{HEIGHTS[-1]}p")
    assert table.keys() == effects().keys()
    assert all(row.count == WEIGHT.frames for row in table.values())
    assert all(float(row.extra["ours_p50_us"]) > 0 for row in table.values())
    same = {NONE, "colours"}  # one kernel instead of another
    assert all(row.p50_ms > table[NONE].p50_ms + 0.1 for name, row in table.items() if name not in same)
    assert table["colours"].p50_ms == pytest.approx(table[NONE].p50_ms, abs=0.01)
    assert table["all"].p50_ms == max(row.p50_ms for row in table.values())


def test_bandwidth_is_bytes_over_time(rows: list[Row]) -> None:
    (table,) = {row.group for row in rows if row.group.startswith("bandwidth")}
    found = of_group(rows, table)
    assert set(found) == {"copy within the GPU", *(f"{name} {h}p" for name in ("sample", "compose") for h in HEIGHTS)}
    assert found["copy within the GPU"].extra["share_of_copy"] == 1.0
    size = WEIGHT.sizes[1]
    compose = found[f"compose {size.height}p"]
    moved = compose_bytes(camera_format(size), target_format(size), WEIGHT.internal, half=True)
    assert compose.extra["bytes_mb"] == round(moved / 1e6, 3)
    # A launch of the fake takes 0.125 ms, as does an event; here two launches lie between two events.
    assert float(compose.extra["gb_per_s"]) == pytest.approx(moved / (1.5 * 0.125e-3) / 1e9, abs=0.05)
    assert float(compose.extra["share_of_copy"]) == pytest.approx(moved / 1.5 / (2 * WEIGHT.copied_bytes / 2), abs=1e-3)


def test_accuracy_is_held_against_onnx_runtime(rows: list[Row]) -> None:
    """The dry engine is that very network; float16 picture and coefficients are all that differs."""
    (row,) = [row for row in rows if row.group.startswith("accuracy")]
    assert row.count == WEIGHT.compared
    assert 1e-7 < float(row.extra["mean"]) < 1e-3
    assert float(row.extra["mean"]) <= float(row.extra["largest"]) < 1e-2


def test_a_network_that_forgets_would_be_found_out(dry: DryRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = scene_clip(WEIGHT.sizes[0], frames=6)
    honest = gpu_accuracy.run(dry.room, "tensorrt", clip)
    monkeypatch.setattr(gpu_accuracy.DeviceCore, "_addresses", lambda self, turn: self._addresses_of_turn_0())
    monkeypatch.setattr(
        gpu_accuracy.DeviceCore,
        "_addresses_of_turn_0",
        lambda self: {name: tensor.there.address for name, tensor in self._tensors.items()},
        raising=False,
    )
    forgetful = gpu_accuracy.run(dry.room, "tensorrt", clip)
    assert float(forgetful.extra["mean"]) > 5 * float(honest.extra["mean"])


def test_decoders_are_measured_each_way_there_is(rows: list[Row]) -> None:
    table = of_group(rows, "decode, into the GPU's memory")
    names = ["libjpeg-turbo and upload", *(f"nvJPEG, {way}" for way in ("default", "hybrid", "gpu_hybrid", "hardware"))]
    assert list(table) == [f"{height}p: {name}" for height in HEIGHTS for name in names]
    assert all(row.p50_ms > 0 for row in table.values())


def test_what_cannot_be_measured_says_why(rows: list[Row]) -> None:
    (row,) = [row for row in rows if row.name == "tensorrt-rtx"]
    assert (row.count, row.p50_ms) == (0, 0.0)
    assert "not installed" in str(row.extra["not_measured"])


def test_the_soak_sees_what_stays_behind(dry: DryRoom) -> None:
    rows = {row.name: row for row in gpu.soak(dry.room, 20)}
    row = rows[f"soak: {HEIGHTS[1]}p MJPEG to YUYV, tensorrt, CUDA graphs"]
    assert row.count == 20
    for figure in ("gpu_memory_growth_mib", "own_buffers_growth_bytes", "descriptor_growth"):
        assert row.extra[figure] == 0.0
    assert float(row.extra["thread_growth"]) <= 0.0  # others' may end meanwhile
    assert "not installed" in str(rows["soak: tensorrt-rtx"].extra["not_measured"])


def test_a_planted_leak_is_seen(dry: DryRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """Device memory that nobody frees, with each frame."""
    frame = FrameMaker.frame

    def leak(self: FrameMaker) -> Image:
        self.processor.device.buffer(1 << 20)
        return frame(self)

    monkeypatch.setattr(FrameMaker, "frame", leak)
    row = next(gpu.soak(dry.room, 10))
    assert row.extra["own_buffers_growth_bytes"] == 8 * (1 << 20)
    assert float(row.extra["gpu_memory_growth_mib"]) == 8


def test_the_stopwatch_is_a_driver_that_knows_its_pauses() -> None:
    fake = FakeDriver()
    stopwatch = StopwatchDriver(fake)
    with Device(stopwatch.driver) as device, device.current():
        buffer = device.buffer(64)
        assert stopwatch.seconds == 0.0
        device.fill(buffer.address, 1, 64, cuda_stream=device.cuda_stream)
        assert stopwatch.seconds == 0.0
        host = np.zeros(64, np.uint8)
        device.download(host, buffer.address, cuda_stream=device.cuda_stream)
        device.synchronize()
        assert stopwatch.seconds > 0.0
        assert host.all()
    assert fake.leaks() == []
    assert MappingProxyType(vars(stopwatch))


def test_fewer_frames_mean_less_of_everything() -> None:
    small, usual = gpu.weight_of(10), gpu.weight_of(None)
    assert (small.frames, small.warm_up, small.compared, small.rounds) == (10, 10, 10, 10)
    assert small.sizes == usual.sizes
