"""The folder of plans: what a plan is kept under, what makes it stale, what is kept and what goes."""

import fcntl
import logging
import os
from dataclasses import replace
from pathlib import Path

import pytest

from vcam.cuda.driver import DeviceFacts
from vcam.engines.sealed_file import write_sealed
from vcam.engines.tensorrt_flavour import BuildOptions, Flavour
from vcam.engines.tensorrt_key import PlanKey, PlanRequest, plan_key
from vcam.engines.tensorrt_plans import PlanFolder, PlanStatus, plan_folder
from vcam.errors import EngineError, EngineUnavailableError, ModelError
from vcam.frame import Size
from vcam.stages import CoreModel

VERSION = "10.16.1.11"
TURING = DeviceFacts(0, "NVIDIA GeForce RTX 2060 SUPER", (7, 5), 8 << 30, 13000)
ADA = DeviceFacts(0, "NVIDIA GeForce RTX 4070", (8, 9), 12 << 30, 13010)


@pytest.fixture
def request_(tmp_path: Path) -> PlanRequest:
    network = tmp_path / "net.onnx"
    network.write_bytes(b"a network")
    core = CoreModel(network, "my net/v2", Size(512, 288), "fp16")
    return PlanRequest(core, Flavour.TENSORRT, tmp_path / "plans", ADA)


@pytest.fixture
def folder(request_: PlanRequest) -> PlanFolder:
    folder = PlanFolder(request_.folder)
    folder.prepare()
    return folder


def put(folder: PlanFolder, key: PlanKey, *, age: int = 0) -> Path:
    path = folder.folder / key.file_name
    path.unlink(missing_ok=True)
    write_sealed(path, key.facts, b"plan of " + key.file_name.encode())
    os.utime(path, ns=(10**18 - age, 10**18 - age))
    return path


def test_a_key_holds_all_that_a_plan_depends_on(request_: PlanRequest) -> None:
    key = plan_key(request_, VERSION)
    assert key.facts == {
        "network": "my net/v2",
        "size": "512x288",
        "precision": "fp16",
        "engine": "tensorrt",
        "onnx": "2f782beca6c497e09ee1b67bd6a1202048f19e97f7e1364a58d415ce7b3ecd9e",
        "library": VERSION,
        "gpu": "NVIDIA GeForce RTX 4070",
        "compute_capability": "8.9",
        "driver": "13.1",
        "options": "workspace 268435456, tf32 off, level 3",
    }
    assert key.file_name.startswith("my_net_v2-512x288-fp16-tensorrt-")
    assert key.file_name.endswith(".plan")


def changed(request: PlanRequest, what: str) -> tuple[PlanRequest, str]:
    """The request with one thing changed, and the library's version."""
    if what == "network":
        request.core.path.write_bytes(b"another network")
    changes: dict[str, PlanRequest] = {
        "gpu": replace(request, gpu=replace(ADA, name="NVIDIA GeForce RTX 4090")),
        "capability": replace(request, gpu=replace(ADA, compute_capability=(9, 0))),
        "driver": replace(request, gpu=replace(ADA, driver_version=13020)),
        "workspace": replace(request, options=BuildOptions(workspace_bytes=1 << 20)),
        "level": replace(request, options=BuildOptions(optimization_level=5)),
        "tf32": replace(request, options=BuildOptions(tf32=True)),
    }
    return changes.get(what, request), "10.16.1.12" if what == "library" else VERSION


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("network", "the prepared network has changed"),
        ("library", "the library was 10.16.1.11, is 10.16.1.12"),
        ("gpu", "the GPU was NVIDIA GeForce RTX 4070, is NVIDIA GeForce RTX 4090"),
        ("capability", "compute capability was 8.9, is 9.0"),
        ("driver", "the driver's CUDA was 13.1, is 13.2"),
        ("workspace", "options was workspace 268435456, tf32 off, level 3, is workspace 1048576, tf32 off, level 3"),
        ("level", "level 5"),
        ("tf32", "tf32 on"),
    ],
)
def test_whatever_changes_makes_a_plan_stale_and_is_named(
    folder: PlanFolder, request_: PlanRequest, what: str, told: str
) -> None:
    old = put(folder, plan_key(request_, VERSION))
    key = plan_key(*changed(request_, what))
    state = folder.state(key)
    assert state.status is PlanStatus.STALE
    assert state.path != old
    assert told in state.why
    assert old.name in state.why


@pytest.mark.parametrize("gpu", [None, ADA, replace(ADA, driver_version=13020), replace(ADA, name="RTX 5090")])
def test_one_rtx_plan_serves_all_gpus_from_ampere_on(request_: PlanRequest, gpu: DeviceFacts | None) -> None:
    rtx = replace(request_, flavour=Flavour.RTX, gpu=gpu)
    assert plan_key(rtx, "1.7") == plan_key(replace(rtx, gpu=ADA), "1.7")
    assert not rtx.build_options.turing


def test_turing_needs_an_rtx_plan_of_its_own(request_: PlanRequest) -> None:
    turing = replace(request_, flavour=Flavour.RTX, gpu=TURING)
    assert turing.build_options.turing
    assert plan_key(turing, "1.7").gpu == "any Turing GPU"
    assert plan_key(turing, "1.7") != plan_key(replace(turing, gpu=ADA), "1.7")
    assert not replace(turing, flavour=Flavour.TENSORRT).build_options.turing


def test_tensorrt_has_no_plan_without_a_gpu(request_: PlanRequest) -> None:
    with pytest.raises(EngineUnavailableError, match="none here") as caught:
        plan_key(replace(request_, gpu=None), VERSION)
    assert "tensorrt-rtx" in caught.value.hint


def test_a_network_that_is_gone_is_named(request_: PlanRequest) -> None:
    request_.core.path.unlink()
    with pytest.raises(ModelError, match=r"net\.onnx cannot be read"):
        plan_key(request_, VERSION)


def test_states(folder: PlanFolder, request_: PlanRequest) -> None:
    key = plan_key(request_, VERSION)
    assert folder.state(key).status is PlanStatus.ABSENT
    path = put(folder, key)
    assert folder.state(key).status is PlanStatus.READY
    assert bytes(folder.read(key)) == b"plan of " + path.name.encode()
    path.chmod(0o622)
    assert folder.state(key).status is PlanStatus.UNSAFE
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-3])
    assert folder.state(key).status is PlanStatus.DAMAGED
    with pytest.raises(EngineError, match="cannot be loaded") as caught:
        folder.read(key)
    assert caught.value.hint == "vcam model prepare -e tensorrt builds it"


def test_a_plan_under_anothers_name_is_not_loaded(folder: PlanFolder, request_: PlanRequest) -> None:
    key, other = plan_key(request_, VERSION), plan_key(request_, "11.4.0.106")
    put(folder, other).rename(folder.folder / key.file_name)
    state = folder.state(key)
    assert state.status is PlanStatus.DAMAGED
    assert "another plan under this one's name: the library was 11.4.0.106, is 10.16.1.11" in state.why


def test_the_newest_stale_plan_is_named(folder: PlanFolder, request_: PlanRequest) -> None:
    for age, version in enumerate(("10.3", "10.2", "10.1")):
        put(folder, plan_key(request_, version), age=age)
    damaged = folder.folder / plan_key(request_, "10.4").file_name
    damaged.write_bytes(b"")
    assert "the library was 10.3, is 10.16.1.11" in folder.state(plan_key(request_, VERSION)).why


def test_only_the_newest_stale_plans_are_kept(
    folder: PlanFolder, request_: PlanRequest, caplog: pytest.LogCaptureFixture
) -> None:
    key = plan_key(request_, VERSION)
    current = put(folder, key, age=100)
    old = [put(folder, plan_key(request_, f"10.{age}"), age=age) for age in range(5)]
    others = [
        put(folder, plan_key(replace(request_, flavour=Flavour.RTX), "1.7"), age=200),
        put(folder, plan_key(replace(request_, core=replace(request_.core, size=Size(256, 144))), VERSION), age=200),
        put(folder, plan_key(replace(request_, core=replace(request_.core, precision="fp32")), VERSION), age=200),
    ]
    with caplog.at_level(logging.INFO):
        folder.tidy(key)
    assert {entry.path for entry in folder.entries()} == {current, *old[:2], *others}
    told = [(record.message, record.__dict__["plan"]) for record in caplog.records]
    assert told == [("plan.removed", path.name) for path in old[2:]]


def test_entries_name_what_is_wrong_with_them(folder: PlanFolder, request_: PlanRequest) -> None:
    good = put(folder, plan_key(request_, VERSION))
    bad = folder.folder / "x-1.plan"
    bad.write_bytes(b"x")
    unsafe = put(folder, plan_key(request_, "11"))
    unsafe.chmod(0o666)
    entries = {entry.path: entry for entry in folder.entries()}
    assert entries[good].facts["gpu"] == ADA.name
    assert entries[good].problem == ""
    assert entries[good].size_bytes == good.stat().st_size
    assert entries[bad].problem.startswith("damaged")
    assert entries[unsafe].problem.startswith("not to be trusted: other users may write")


def test_a_folder_that_is_not_there_has_no_plans(tmp_path: Path, request_: PlanRequest) -> None:
    assert PlanFolder(tmp_path / "none").entries() == []
    assert PlanFolder(tmp_path / "none").state(plan_key(request_, VERSION)).status is PlanStatus.ABSENT


def test_a_folder_that_others_may_write_is_refused_with_the_remedy(folder: PlanFolder) -> None:
    folder.folder.chmod(0o777)
    with pytest.raises(EngineUnavailableError, match="plans are code") as caught:
        folder.prepare()
    assert f"chmod 700 {folder.folder}" in caught.value.hint
    assert "plan_dir" in caught.value.hint


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plans").write_text("no folder")
    with pytest.raises(EngineUnavailableError, match="cannot be kept in") as caught:
        PlanFolder(tmp_path / "plans").prepare()
    assert "plan_dir" in caught.value.hint


def test_what_killed_builds_left_is_swept(folder: PlanFolder, request_: PlanRequest) -> None:
    plan = put(folder, plan_key(request_, VERSION))
    (folder.folder / ".x.plan.tmp").write_bytes(b"half a plan")
    folder.sweep()
    assert [*folder.folder.iterdir()] == [plan]


def test_a_lock_waits_for_the_other_until_it_is_told_to_stop(folder: PlanFolder) -> None:
    asked = []

    def stop() -> bool:
        asked.append(True)
        return len(asked) == 3

    with (folder.folder / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with folder.lock(stop) as locked:
            assert not locked
    with folder.lock(lambda: False) as locked:
        assert locked


def test_plans_lie_beside_the_models_unless_told_otherwise() -> None:
    assert plan_folder(None, Path("/models")) == Path("/models/plans")
    assert plan_folder(Path("/plans"), Path("/models")) == Path("/plans")
