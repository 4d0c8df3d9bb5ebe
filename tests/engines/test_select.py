from dataclasses import replace

import pytest

from vcam.engines import select
from vcam.engines.select import Availability, EngineName, choose, default_threads, look
from vcam.errors import EngineUnavailableError

EVERYTHING = Availability(model=True, openvino=True, onnxruntime=True, bf16=True, tensorrt=True, tensorrt_rtx=True)
CPU = replace(EVERYTHING, tensorrt=False, tensorrt_rtx=False)


@pytest.mark.parametrize(
    ("available", "engine", "told"),
    [
        (EVERYTHING, EngineName.TENSORRT, "GPU and TensorRT"),
        (replace(EVERYTHING, tensorrt=False), EngineName.TENSORRT_RTX, "TensorRT-RTX"),
        (CPU, EngineName.OPENVINO, "fastest on a CPU; computes in bfloat16"),
        (replace(CPU, bf16=False), EngineName.OPENVINO, "fastest on a CPU"),
        (replace(CPU, openvino=False), EngineName.ONNXRUNTIME, "neither a GPU engine nor OpenVINO"),
        (replace(CPU, openvino=False, onnxruntime=False), EngineName.PLATE, "no network can run"),
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


@pytest.mark.parametrize("wanted", list(EngineName))
def test_what_was_asked_for_is_taken(wanted: EngineName) -> None:
    choice = choose(EVERYTHING, wanted)
    assert choice.engine is wanted
    assert "asked for" in choice.reason


@pytest.mark.parametrize(
    ("available", "wanted", "hint"),
    [
        (replace(CPU, openvino=False), EngineName.OPENVINO, "pip install 'vcam[cpu]'"),
        (replace(CPU, onnxruntime=False), EngineName.ONNXRUNTIME, "pip install 'vcam[cpu]'"),
        (replace(CPU, model=False), EngineName.OPENVINO, "vcam model prepare"),
        (CPU, EngineName.TENSORRT, "auto"),
        (CPU, EngineName.TENSORRT_RTX, "auto"),
    ],
)
def test_nothing_takes_the_place_of_what_was_asked_for(available: Availability, wanted: EngineName, hint: str) -> None:
    with pytest.raises(EngineUnavailableError, match=f"engine {wanted} cannot run") as caught:
        choose(available, wanted)
    assert hint in caught.value.hint


def test_looking_finds_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = look(model=True)
    assert found.model
    assert found.openvino
    assert found.onnxruntime
    assert not found.tensorrt
    monkeypatch.setattr(select, "find_spec", lambda name: None)
    nothing = look(model=False)
    assert not nothing.openvino
    assert not nothing.onnxruntime
    assert not nothing.model


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
