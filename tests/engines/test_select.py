import subprocess
import sys
from dataclasses import replace

import pytest

from vcam.cuda.driver import DeviceFacts
from vcam.cuda.probe import GpuAnswer
from vcam.engine_names import EngineName
from vcam.engines import select
from vcam.engines.select import ENGINES, Availability, choose, default_threads, look
from vcam.engines.tensorrt_flavour import Flavour
from vcam.errors import EngineUnavailableError
from vcam.installing import how_to_add
from vcam.pipeline.assemble_engine import NETWORKS_ON_CPU

GPU = GpuAnswer(DeviceFacts(0, "NVIDIA GeForce RTX 4070", (8, 9), 12 << 30, 13000))
HOPPER = GpuAnswer(DeviceFacts(0, "NVIDIA H200", (9, 0), 140 << 30, 13000))
NO_DRIVER = GpuAnswer(None, "no NVIDIA driver: libcuda.so.1 is missing", "install NVIDIA's driver")
EVERYTHING = Availability(
    model=True, installed=frozenset(EngineName) - {EngineName.AUTO, EngineName.PLATE}, bf16=True, gpu=GPU, cuda=True
)
CPU = replace(EVERYTHING, gpu=NO_DRIVER)


def without(*engines: EngineName, of: Availability = EVERYTHING) -> Availability:
    return replace(of, installed=of.installed - set(engines))


@pytest.mark.parametrize(
    ("available", "engine", "told"),
    [
        (EVERYTHING, EngineName.TENSORRT, "GPU and TensorRT"),
        (without(EngineName.TENSORRT), EngineName.TENSORRT_RTX, "TensorRT-RTX"),
        (replace(EVERYTHING, gpu=HOPPER), EngineName.TENSORRT, "GPU and TensorRT"),
        (replace(without(EngineName.TENSORRT), gpu=HOPPER), EngineName.OPENVINO, "does not support the NVIDIA H200"),
        (replace(EVERYTHING, cuda=False), EngineName.OPENVINO, "pycuda or cuda-bindings is not installed for the NVID"),
        (replace(without(EngineName.TENSORRT), cuda=False), EngineName.OPENVINO, "pycuda or cuda-bindings is not inst"),
        (without(EngineName.TENSORRT, EngineName.TENSORRT_RTX), EngineName.OPENVINO, "tensorrt is not installed for"),
        (CPU, EngineName.OPENVINO, "fastest on a CPU; computes in bfloat16"),
        (CPU, EngineName.OPENVINO, "no GPU engine can run: no NVIDIA driver: libcuda.so.1 is missing"),
        (replace(CPU, bf16=False), EngineName.OPENVINO, "fastest on a CPU"),
        (without(EngineName.OPENVINO, of=CPU), EngineName.ONNXRUNTIME, "OpenVINO is not installed"),
        (without(EngineName.OPENVINO, EngineName.ONNXRUNTIME, of=CPU), EngineName.PLATE, "no network can run"),
        (replace(EVERYTHING, model=False), EngineName.PLATE, "no network can run"),
    ],
)
def test_auto_takes_the_best_that_is_here_and_says_why(available: Availability, engine: EngineName, told: str) -> None:
    choice = choose(available)
    assert choice.engine is engine
    assert told in choice.reason


def test_bfloat16_is_for_openvino_where_the_cpu_has_it() -> None:
    assert choose(CPU).bf16
    assert not choose(replace(CPU, bf16=False)).bf16
    assert not choose(CPU, EngineName.ONNXRUNTIME).bf16


@pytest.mark.parametrize("wanted", list(ENGINES))
def test_what_was_asked_for_is_taken(wanted: EngineName) -> None:
    choice = choose(EVERYTHING, wanted)
    assert choice.engine is wanted
    assert "asked for" in choice.reason


@pytest.mark.parametrize(
    ("available", "wanted", "hint"),
    [
        (without(EngineName.OPENVINO, of=CPU), EngineName.OPENVINO, how_to_add("cpu")),
        (without(EngineName.ONNXRUNTIME, of=CPU), EngineName.ONNXRUNTIME, how_to_add("cpu")),
        (replace(CPU, model=False), EngineName.OPENVINO, "vcam model prepare"),
        (CPU, EngineName.TENSORRT, "install NVIDIA's driver"),
        (CPU, EngineName.TENSORRT_RTX, "install NVIDIA's driver"),
        (without(EngineName.TENSORRT), EngineName.TENSORRT, "pip install tensorrt-cu13"),
        (without(EngineName.TENSORRT_RTX), EngineName.TENSORRT_RTX, how_to_add("tensorrt-rtx")),
        (replace(EVERYTHING, gpu=HOPPER), EngineName.TENSORRT_RTX, "tensorrt-cu13"),
        (replace(EVERYTHING, cuda=False), EngineName.TENSORRT, how_to_add("gpu")),
    ],
)
def test_nothing_takes_the_place_of_what_was_asked_for(available: Availability, wanted: EngineName, hint: str) -> None:
    with pytest.raises(EngineUnavailableError, match=f"engine {wanted} cannot run") as caught:
        choose(available, wanted)
    assert hint in caught.value.hint


def test_looking_finds_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select, "find_gpu", lambda: GPU)
    found = look(model=True)
    assert found.model
    assert {EngineName.OPENVINO, EngineName.ONNXRUNTIME} <= found.installed
    assert found.gpu is GPU
    monkeypatch.setattr(select, "find_spec", lambda name: None)
    nothing = look(model=False)
    assert nothing == Availability(model=False, bf16=found.bf16, gpu=GPU)
    monkeypatch.setattr(select, "find_spec", lambda name: name)
    everything = look(model=True)
    assert everything == replace(EVERYTHING, bf16=found.bf16)


def test_looking_imports_none_of_what_it_finds() -> None:
    heavy = ("tensorrt", "tensorrt_rtx", "tensorrt_rtx_bindings", "pycuda", "cuda", "onnxruntime", "openvino")
    code = (
        "import sys; from vcam.engines.select import look; look(model=True); "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("flags", "bf16"),
    [("fpu avx2 avx512_bf16", True), ("amx_bf16", True), ("fpu avx2 avx512f", False), ("my_avx512_bf16_like", False)],
)
def test_bfloat16_is_read_from_the_cpus_flags(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, flags: str, bf16: bool
) -> None:
    path = select._CPU_INFO.__class__(str(tmp_path)) / "cpuinfo"
    path.write_text(f"model name\t: some CPU\nflags\t\t: {flags}\n")
    monkeypatch.setattr(select, "_CPU_INFO", path)
    assert look(model=True).bf16 is bf16


def test_without_cpuinfo_there_is_no_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select, "_CPU_INFO", select._CPU_INFO.with_name("no_such_file"))
    assert not look(model=True).bf16


def test_threads_are_those_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 2, 5})
    assert default_threads() == 3
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(64)))
    assert default_threads() == 8


def test_every_engine_has_its_row_and_something_that_makes_it() -> None:
    assert set(ENGINES) == set(EngineName) - {EngineName.AUTO}
    on_cpu = {name for name, kind in ENGINES.items() if kind.library is not None and kind.flavour is None}
    assert on_cpu == set(NETWORKS_ON_CPU)
    assert {name.value for name, kind in ENGINES.items() if kind.flavour is not None} == set(Flavour)
    assert set(ENGINES) - on_cpu - {EngineName(flavour.value) for flavour in Flavour} == {EngineName.PLATE}
