"""Plans built for real, by TensorRT-RTX, which needs no GPU for that: parser, builder, process, folder, end to end.

The networks are the small ones of tests/support/rvm_like.py, and the real one where it is there. A plan cannot be
loaded without a GPU; its inputs and outputs are checked before it is built.
"""

import logging
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import onnx
import psutil  # type: ignore[import-untyped]
import pytest

from tests.engines.conftest import SIZE, MakeCore
from tests.support.real_model import real_model
from tests.support.rvm_like import Refiner, make_rvm_like
from vcam.cuda.driver import DeviceFacts
from vcam.engines.core_tensors import core_interface
from vcam.engines.sealed_file import read_sealed
from vcam.engines.tensorrt_build import NICENESS, parse
from vcam.engines.tensorrt_builder import BuildStoppedError, ensure_plan, plan_state
from vcam.engines.tensorrt_flavour import Flavour
from vcam.engines.tensorrt_key import PlanRequest
from vcam.engines.tensorrt_library import Library
from vcam.engines.tensorrt_plans import PlanStatus
from vcam.engines.tensorrt_progress import BuildProgress
from vcam.errors import EngineError, EngineUnavailableError, ModelError, ModelMismatchError
from vcam.frame import Size
from vcam.model.prepare import PrepareOptions, prepare
from vcam.rvm import COEFFICIENTS, SRC, STATES_IN, STATES_OUT, core_shapes
from vcam.stages import CoreModel

rtx = pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX has wheels for Python 3.11 and 3.12 only")

TURING = DeviceFacts(0, "NVIDIA GeForce RTX 2060 SUPER", (7, 5), 8 << 30, 13000)
PRECISIONS = ("fp32", "fp16")
REFINERS: tuple[Refiner, ...] = ("deep", "fast")


@pytest.fixture
def wanted(make_core: MakeCore, tmp_path: Path) -> PlanRequest:
    """A small plan that is not there yet."""
    return PlanRequest(make_core("deep", "fp16"), Flavour.RTX, tmp_path / "plans")


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(Flavour.RTX)


def contents(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name != ".lock"}


def child() -> psutil.Process:
    """The process that builds now."""
    (found,) = (each for each in psutil.Process().children() if "tensorrt_build" in " ".join(each.cmdline()))
    return found


def children() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if each.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("refiner", REFINERS)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_prepared_network_is_understood_as_what_it_is(
    library: Library, make_core: MakeCore, refiner: Refiner, precision: str
) -> None:
    """float16 cores have float32 states: the casts between them are typed strongly, and understood."""
    core = make_core(refiner, precision)
    network = parse(library, core)
    half = "float16" if precision == "fp16" else "float32"
    assert network.interface == {
        name: (shape, half if name in (SRC, *COEFFICIENTS) else "float32") for name, shape in core_shapes(SIZE).items()
    }
    casts = sum(node.op_type == "Cast" for node in onnx.load(core.path).graph.node)
    assert (casts > len(STATES_IN) + len(STATES_OUT)) == (precision == "fp16")
    assert network.layers > 150


@pytest.mark.parametrize("refiner", REFINERS)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_prepared_network_is_built(make_core: MakeCore, tmp_path: Path, refiner: Refiner, precision: str) -> None:
    request = PlanRequest(make_core(refiner, precision), Flavour.RTX, tmp_path / "plans")
    told: list[BuildProgress] = []
    assert plan_state(request).status is PlanStatus.ABSENT
    path = ensure_plan(request, told.append)
    assert plan_state(request).status is PlanStatus.READY
    assert contents(path.parent) == {path.name}
    sealed = read_sealed(path)
    assert len(sealed.payload) > 1 << 20
    for name in core_interface(request.core):
        assert name.encode() in bytes(sealed.payload)
    assert sealed.facts["library"] == rtx.__version__
    assert sealed.facts["precision"] == precision
    assert children() == []
    shares = [each.share for each in told]
    assert shares == sorted(shares)
    assert told[0] == BuildProgress("loading tensorrt-rtx", 0.0)
    assert told[-1] == BuildProgress("ready", 1.0)
    assert any("engine" in each.phase.lower() for each in told[2:-2])  # the library's own words
    assert len(told) > 20


@pytest.mark.parametrize("size", [Size(32, 32), Size(97, 53), Size(256, 144), Size(90, 160)])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_several_internal_sizes_are_built(tmp_path: Path, size: Size, precision: str) -> None:
    source = tmp_path / "fast.onnx"
    onnx.save(make_rvm_like("fast"), source)
    core = prepare(PrepareOptions(tmp_path, size, source, precision))
    path = ensure_plan(PlanRequest(core, Flavour.RTX, tmp_path / "plans"))
    assert str(size) in path.name
    assert len(read_sealed(path).payload) > 1 << 20


@pytest.mark.model
@pytest.mark.parametrize("size", [Size(256, 144), Size(512, 288)])
def test_the_real_network_is_built(tmp_path: Path, library: Library, size: Size) -> None:
    payloads = []
    for precision in PRECISIONS:
        core = prepare(PrepareOptions(tmp_path, size, real_model(), precision))
        assert parse(library, core).layers > 400
        payloads.append(len(read_sealed(ensure_plan(PlanRequest(core, Flavour.RTX, tmp_path / "plans"))).payload))
    assert payloads[1] < 0.75 * payloads[0]  # most of a plan are weights


@pytest.mark.model
def test_the_real_network_is_refused_uncut(tmp_path: Path) -> None:
    core = CoreModel(real_model(), "uncut", Size(256, 144), "fp32")
    with pytest.raises(ModelMismatchError, match="is the network as published, not cut: it takes downsample_ratio"):
        ensure_plan(PlanRequest(core, Flavour.RTX, tmp_path / "plans"))


@pytest.mark.parametrize("refiner", REFINERS)
def test_an_uncut_network_is_refused(tmp_path: Path, refiner: Refiner) -> None:
    source = tmp_path / "uncut.onnx"
    onnx.save(make_rvm_like(refiner), source)
    request = PlanRequest(CoreModel(source, "uncut", SIZE, "fp32"), Flavour.RTX, tmp_path / "plans")
    with pytest.raises(ModelMismatchError, match="is the network as published, not cut: it takes") as caught:
        ensure_plan(request)
    assert "vcam model prepare --from" in caught.value.hint
    assert contents(request.folder) == set()


def test_another_size_or_precision_than_said_is_refused(wanted: PlanRequest, make_core: MakeCore) -> None:
    with pytest.raises(ModelMismatchError, match="it is float16 1x4x43x75"):
        ensure_plan(replace(wanted, core=replace(wanted.core, size=Size(64, 48))))
    single = replace(make_core("deep", "fp32"), precision="fp16")
    with pytest.raises(ModelMismatchError, match="tensor A should be float16 1x4x43x75, it is float32"):
        ensure_plan(replace(wanted, core=single))


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_truncated_network_tells_the_librarys_words(wanted: PlanRequest, tmp_path: Path, kept: float) -> None:
    content = wanted.core.path.read_bytes()
    part = tmp_path / "part.onnx"
    part.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ModelError, match=r"tensorrt-rtx [0-9.]+ cannot read .*part\.onnx: \S+"):
        ensure_plan(replace(wanted, core=replace(wanted.core, path=part)))


def test_what_is_no_network_is_refused(wanted: PlanRequest, tmp_path: Path) -> None:
    words = tmp_path / "words.onnx"
    words.write_bytes(b"these are words\n" * 50)
    with pytest.raises(ModelError, match=r"words\.onnx"):
        ensure_plan(replace(wanted, core=replace(wanted.core, path=words)))


def test_turing_gets_a_plan_of_its_own(wanted: PlanRequest) -> None:
    """Both are built without a GPU."""
    plans = [ensure_plan(wanted), ensure_plan(replace(wanted, gpu=TURING))]
    sizes = [len(read_sealed(path).payload) for path in plans]
    assert sizes[1] > sizes[0]  # kernels of another architecture are inside
    assert contents(wanted.folder) == {path.name for path in plans}


def test_a_plan_that_is_there_is_not_built_again(wanted: PlanRequest) -> None:
    path = ensure_plan(wanted)
    before = path.stat()
    told: list[BuildProgress] = []
    assert ensure_plan(wanted, told.append) == path
    assert path.stat() == before
    assert told == []


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def open_to_others(path: Path) -> None:
    path.chmod(0o666)


def give_away(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    os.chown(path, 65534, 65534)


@pytest.mark.parametrize(
    ("spoil", "status", "why"),
    [
        (truncate, "damaged", "it holds"),
        (flip, "damaged", "its bytes are not those that were written"),
        (open_to_others, "unsafe", "other users may write"),
        (give_away, "unsafe", "belongs to user 65534"),
    ],
)
def test_a_plan_that_cannot_be_trusted_is_named_and_built_anew(
    wanted: PlanRequest, caplog: pytest.LogCaptureFixture, spoil: Callable[[Path], None], status: str, why: str
) -> None:
    path = ensure_plan(wanted)
    spoil(path)
    assert plan_state(wanted).status == status
    assert ensure_plan(wanted) == path
    assert plan_state(wanted).status is PlanStatus.READY
    assert path.stat().st_uid == os.geteuid()
    (record,) = (each for each in caplog.records if each.message == "plan.rebuilding")
    assert record.levelno == logging.WARNING
    assert record.__dict__["plan"] == path.name
    assert record.__dict__["status"] == status
    assert why in record.__dict__["why"]


def test_a_stale_plan_is_named_kept_and_another_built(
    wanted: PlanRequest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    network = tmp_path / "changing.onnx"
    network.write_bytes(wanted.core.path.read_bytes())
    request = replace(wanted, core=replace(wanted.core, path=network))
    paths = [ensure_plan(request)]
    for content in (b"\x00", b"\x01", b"\x02"):
        model = onnx.load(wanted.core.path)
        model.doc_string = content.hex()
        onnx.save(model, network)
        state = plan_state(request)
        assert state.status is PlanStatus.STALE
        assert state.why == f"{paths[-1].name} was built for others: the prepared network has changed"
        paths.append(ensure_plan(request))
    assert sum(record.message == "plan.rebuilding" for record in caplog.records) == 3
    assert contents(request.folder) == {path.name for path in paths[1:]}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_builder_that_dies_leaves_an_error_and_nothing_else(wanted: PlanRequest, number: signal.Signals) -> None:
    killed = threading.Event()

    def kill(progress: BuildProgress) -> None:
        if progress.share > 0.05 and not killed.is_set():
            killed.set()
            child().send_signal(number)

    with pytest.raises(EngineError, match=f"did not build the plan: its process was ended by {number.name}") as caught:
        ensure_plan(wanted, kill)
    assert caught.value.retryable
    assert ("out of memory" in caught.value.hint) == (number is signal.SIGKILL)
    assert contents(wanted.folder) == set()
    assert children() == []
    assert ensure_plan(wanted).is_file()


def test_the_builder_gives_way_to_the_camera(wanted: PlanRequest) -> None:
    niceness: list[int] = []

    def look(progress: BuildProgress) -> None:
        if not niceness and progress.share > 0:
            niceness.append(child().nice())

    ensure_plan(wanted, look)
    assert niceness == [min(psutil.Process().nice() + NICENESS, 19)], "19 is the kernel's most"


def test_a_build_can_be_stopped(wanted: PlanRequest) -> None:
    told: list[BuildProgress] = []
    with pytest.raises(BuildStoppedError, match="was stopped"):
        ensure_plan(wanted, told.append, stop=lambda: len(told) > 2)
    assert contents(wanted.folder) == set()
    assert children() == []


def test_ctrl_c_ends_the_builder(wanted: PlanRequest) -> None:
    def interrupt(progress: BuildProgress) -> None:
        if progress.share > 0.05:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensure_plan(wanted, interrupt)
    assert contents(wanted.folder) == set()
    assert children() == []


def test_two_who_want_the_same_plan_build_it_once(wanted: PlanRequest) -> None:
    builds: list[str] = []
    paths: list[Path] = []

    def count(progress: BuildProgress) -> None:
        if not progress.share:
            builds.append(progress.phase)

    threads = [threading.Thread(target=lambda: paths.append(ensure_plan(wanted, count))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(builds) == 1
    assert len(paths) == 2
    assert len(set(paths)) == 1


def test_waiting_for_anothers_build_can_be_stopped(wanted: PlanRequest) -> None:
    import fcntl

    wanted.folder.mkdir(mode=0o700)
    with (wanted.folder / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BuildStoppedError):
            ensure_plan(wanted, stop=lambda: True)
    assert contents(wanted.folder) == set()


@contextmanager
def largest_file(nbytes: int) -> Iterator[None]:
    """As full as a disk can be made for one process and its children."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (nbytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_told_and_loses_nothing(wanted: PlanRequest, make_core: MakeCore) -> None:
    other = ensure_plan(replace(wanted, core=make_core("deep", "fp32")))
    path = ensure_plan(wanted)
    path.write_bytes(path.read_bytes()[:-1])
    with (
        largest_file(1 << 20),
        pytest.raises(EngineError, match=r"the plan of 3 MB cannot be written to .*plans: File too large") as caught,
    ):
        ensure_plan(wanted)
    assert "free some space" in caught.value.hint
    assert "plan_dir" in caught.value.hint
    assert contents(wanted.folder) == {other.name, path.name}
    assert plan_state(replace(wanted, core=make_core("deep", "fp32"))).status is PlanStatus.READY
    assert ensure_plan(wanted) == path


def test_a_folder_that_others_may_write_is_refused_before_anything_is_built(wanted: PlanRequest) -> None:
    wanted.folder.mkdir()
    wanted.folder.chmod(0o777)
    told: list[BuildProgress] = []
    with pytest.raises(EngineUnavailableError, match="plans are code") as caught:
        ensure_plan(wanted, told.append)
    assert f"chmod 700 {wanted.folder}" in caught.value.hint
    assert told == []


def test_what_a_killed_parent_left_is_swept(wanted: PlanRequest) -> None:
    wanted.folder.mkdir(mode=0o700)
    (wanted.folder / ".something.plan.tmp").write_bytes(b"half")
    path = ensure_plan(wanted)
    assert contents(wanted.folder) == {path.name}


def test_a_library_that_is_not_installed_is_unavailable(wanted: PlanRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(EngineUnavailableError, match="the engine tensorrt is not installed") as caught:
        ensure_plan(replace(wanted, flavour=Flavour.TENSORRT))
    assert "tensorrt-cu13" in caught.value.hint


def test_importing_the_builder_loads_no_library() -> None:
    code = (
        "import sys, vcam.engines.tensorrt, vcam.engines.tensorrt_builder, vcam.engines.tensorrt_build; "
        "print([name for name in ('tensorrt', 'tensorrt_rtx', 'pycuda', 'cuda', 'onnx') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
