"""What the building process does, on a fake library: settings, the timing cache, refusals, messages."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.tensorrt_fake import INPUTS, VERSION, FakeTensorRt, fake_plan, plan_of
from vcam.engines.core_tensors import Interface, core_interface
from vcam.engines.sealed_file import make_folder, read_sealed, write_sealed
from vcam.engines.tensorrt_build import build
from vcam.engines.tensorrt_flavour import BuildOptions, Flavour
from vcam.engines.tensorrt_job import Done, Job, decode, encode
from vcam.engines.tensorrt_progress import BuildProgress, ignore
from vcam.errors import (
    ConfigError,
    EngineError,
    EngineUnavailableError,
    ModelError,
    ModelMismatchError,
    VcamError,
)
from vcam.frame import Size
from vcam.rvm import DOWNSAMPLE_RATIO
from vcam.stages import CoreModel

GPU_FACTS = {"gpu": "a GPU"}


@pytest.fixture
def job(tmp_path: Path) -> Job:
    folder = tmp_path / "plans"
    make_folder(folder)
    core = CoreModel(tmp_path / "core.onnx", "net", Size(64, 48), "fp16")
    core.path.write_bytes(fake_plan(core))
    timing = folder / "timing.cache"
    return Job(core, Flavour.TENSORRT, VERSION, BuildOptions(), folder / ".p.tmp", {"a": "b"}, timing, GPU_FACTS)


def test_the_plan_is_written_sealed(job: Job) -> None:
    told: list[BuildProgress] = []
    done = build(job, told.append, FakeTensorRt().load)
    sealed = read_sealed(job.output)
    assert done == Done(layers=7, nbytes=len(sealed.payload))
    assert sealed.facts == {"a": "b"}
    assert bytes(sealed.payload) == job.core.path.read_bytes()
    assert [each.phase for each in (told[0], told[1], told[2], told[-1])] == [
        "loading tensorrt",
        "reading the network",
        "Building",
        "writing the plan",
    ]
    shares = [each.share for each in told]
    assert shares == sorted(shares)
    assert shares[-1] < 1


def test_tensorrt_is_set_up_with_a_timing_cache(job: Job) -> None:
    library = FakeTensorRt()
    build(job, ignore, library.load)
    assert library.events == [
        "WORKSPACE limit 268435456",
        "no TF32",
        "builder_optimization_level = 3",
        "timing cache of b''",
    ]
    assert job.timing_cache is not None
    assert bytes(read_sealed(job.timing_cache).payload) == b" and more"
    assert read_sealed(job.timing_cache).facts == GPU_FACTS


def test_the_next_build_learns_from_the_last(job: Job) -> None:
    library = FakeTensorRt()
    for _ in range(3):
        job.output.unlink(missing_ok=True)
        build(job, ignore, library.load)
    assert library.events[-1] == "timing cache of b' and more and more'"


@pytest.mark.parametrize("spoilt", ["other GPU", "damaged", "unsafe"])
def test_a_timing_cache_that_cannot_be_trusted_is_not_used(job: Job, spoilt: str) -> None:
    assert job.timing_cache is not None
    facts = {"gpu": "another"} if spoilt == "other GPU" else GPU_FACTS
    write_sealed(job.timing_cache, facts, b"measured")
    if spoilt == "damaged":
        job.timing_cache.write_bytes(job.timing_cache.read_bytes()[:-1])
    if spoilt == "unsafe":
        job.timing_cache.chmod(0o666)
    library = FakeTensorRt()
    build(job, ignore, library.load)
    assert library.events[-1] == "timing cache of b''"
    assert bytes(read_sealed(job.timing_cache).payload) == b" and more"


def test_a_timing_cache_that_cannot_be_kept_does_no_harm(job: Job) -> None:
    nowhere = replace(job, timing_cache=job.output.parent / "none" / "timing.cache")
    assert build(nowhere, ignore, FakeTensorRt().load).layers == 7
    assert job.output.is_file()


def test_rtx_gets_no_timing_cache_and_no_level(job: Job) -> None:
    library = FakeTensorRt()
    build(replace(job, flavour=Flavour.RTX), ignore, library.load)
    assert library.events == ["WORKSPACE limit 268435456", "no TF32"]
    assert job.timing_cache is not None
    assert not job.timing_cache.exists()


def test_rtx_builds_for_turing_when_asked(job: Job) -> None:
    library = FakeTensorRt()
    turing = replace(job, flavour=Flavour.RTX, options=BuildOptions(turing=True, tf32=True))
    build(turing, ignore, library.load)
    assert library.events == ["WORKSPACE limit 268435456", "num_compute_capabilities = 1", "capability 0 SM75"]
    job.output.unlink()
    library.faults["set_compute_capability"] = "SM75 is history"
    with pytest.raises(EngineError, match="builds no plan for Turing GPUs: SM75 is history"):
        build(turing, ignore, library.load)


def test_a_build_that_gives_nothing_tells_the_librarys_words(job: Job) -> None:
    library = FakeTensorRt()
    library.faults["build_serialized_network"] = "Error Code 2: OutOfMemory"
    with pytest.raises(EngineError) as caught:
        build(job, ignore, library.load)
    assert caught.value.problem == f"tensorrt {VERSION} could not build the plan: Error Code 2: OutOfMemory"
    assert "nvidia-smi" in caught.value.hint
    assert not job.output.exists()


def test_a_network_that_cannot_be_parsed_tells_the_parsers_words(job: Job) -> None:
    library = FakeTensorRt()
    library.faults["parse"] = "no importer for GridSample"
    with pytest.raises(ModelError) as caught:
        build(job, ignore, library.load)
    assert "cannot read" in caught.value.problem
    assert "In node 0 (fake): UNSUPPORTED_NODE | no importer for GridSample" in caught.value.problem
    assert "vcam model prepare" in caught.value.hint


def add_ratio(interface: Interface) -> None:
    interface[DOWNSAMPLE_RATIO] = ((1,), "float32")


def single_src(interface: Interface) -> None:
    interface["src"] = (interface["src"][0], "float32")


@pytest.mark.parametrize(
    ("change", "parses", "told"),
    [
        (add_ratio, True, "is the network as published, not cut: it takes downsample_ratio, which tensorrt cannot"),
        (add_ratio, False, "is the network as published, not cut: it takes downsample_ratio, which tensorrt cannot"),
        (single_src, True, "tensor src should be float16 1x3x48x64, it is float32 1x3x48x64"),
    ],
)
def test_another_network_is_refused_before_it_is_built(
    job: Job, change: Callable[[Interface], None], parses: bool, told: str
) -> None:
    interface = core_interface(job.core)
    change(interface)
    job.core.path.write_bytes(plan_of(interface, (*INPUTS, DOWNSAMPLE_RATIO)))
    library = FakeTensorRt()
    if not parses:
        library.faults["parse"] = "shape tensor must have type Int32 or Int64"
    with pytest.raises(ModelMismatchError, match=told) as caught:
        build(job, ignore, library.load)
    assert "vcam model prepare" in caught.value.hint
    assert library.events == []


def test_a_library_that_was_replaced_meanwhile_does_not_build(job: Job) -> None:
    with pytest.raises(EngineError, match=r"is 10\.99\.0\.1 here, the plan is to be for 10\.3"):
        build(replace(job, version="10.3"), ignore, FakeTensorRt().load)


def test_a_network_that_is_gone_is_named(job: Job) -> None:
    job.core.path.unlink()
    with pytest.raises(ModelError, match=r"core\.onnx cannot be read"):
        build(job, ignore, FakeTensorRt().load)


def test_a_place_that_cannot_be_written_is_named(job: Job) -> None:
    with pytest.raises(EngineError, match=r"cannot be written to .*none: No such file") as caught:
        build(replace(job, output=job.output.parent / "none" / "plan"), ignore, FakeTensorRt().load)
    assert "plan_dir" in caught.value.hint


def test_a_job_goes_through_a_pipe(job: Job) -> None:
    assert Job.from_line(job.to_line()) == job
    without = replace(job, timing_cache=None)
    assert Job.from_line(without.to_line()) == without
    assert job.to_line().count(b"\n") == 1


@pytest.mark.parametrize("message", [BuildProgress("größer", 0.25), Done(3, 1 << 20)])
def test_messages_go_through_a_pipe(message: BuildProgress | Done) -> None:
    line = encode(message)
    assert line.endswith(b"\n")
    assert decode(line) == message


@pytest.mark.parametrize("kind", [EngineError, EngineUnavailableError, ModelError, ModelMismatchError])
def test_errors_go_through_a_pipe(kind: type[VcamError]) -> None:
    found = decode(encode(kind("a problem\nof two lines", hint="a hint")))
    assert type(found) is kind
    assert found.problem == "a problem\nof two lines"
    assert found.hint == "a hint"


def test_any_other_error_becomes_an_engine_error() -> None:
    assert type(decode(encode(ConfigError("odd", hint="")))) is EngineError


@pytest.mark.parametrize(
    "line", [b"", b"[TRT] a line of the library's", b"3", b"{}", b'{"progress": 3}', b'{"error": 1}']
)
def test_what_is_no_message_is_passed_over(line: bytes) -> None:
    assert decode(line) is None


def child(job: Job) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", "import sys; from vcam.engines.tensorrt_build import main; sys.exit(main())"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(job.to_line())
    process.stdin.flush()
    return process


def test_the_process_ends_with_its_parent(job: Job) -> None:
    pytest.importorskip("tensorrt_rtx")
    job.core.path.unlink()
    os.mkfifo(job.core.path)  # who opens it to read waits for a writer, for ever
    with child(replace(job, flavour=Flavour.RTX, version=_rtx_version())) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        while decode(process.stdout.readline()) != BuildProgress("reading the network", 0.025):
            pass
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(30) == 3
        process.stdin = None


def test_the_process_tells_its_error_and_ends_with_its_code(job: Job) -> None:
    pytest.importorskip("tensorrt_rtx")
    with child(replace(job, flavour=Flavour.RTX, version="0.1")) as process:
        assert process.stdout is not None
        messages = [decode(line) for line in process.stdout]
        assert isinstance(messages[-1], EngineError)
        assert "the plan is to be for 0.1" in messages[-1].problem
        assert process.wait(30) == EngineError.exit_code


def _rtx_version() -> str:
    code = "import tensorrt_rtx, json; print(json.dumps(tensorrt_rtx.__version__))"
    return str(json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout))
