"""What is told about each plan in the folder."""

from dataclasses import replace
from pathlib import Path

import pytest

from vcam.cuda.driver import DeviceFacts
from vcam.engines.sealed_file import write_sealed
from vcam.engines.tensorrt_flavour import Flavour
from vcam.engines.tensorrt_key import PlanRequest, plan_key
from vcam.engines.tensorrt_plans import PlanFolder
from vcam.engines.tensorrt_survey import Survey
from vcam.errors import EngineUnavailableError
from vcam.frame import Size
from vcam.stages import CoreModel

GPU = DeviceFacts(0, "NVIDIA GeForce RTX 4070", (8, 9), 12 << 30, 13010)
HERE = {Flavour.TENSORRT: "11.4.0.106", Flavour.RTX: "1.7.1.116"}


@pytest.fixture
def core(tmp_path: Path) -> CoreModel:
    path = tmp_path / "net.onnx"
    path.write_bytes(b"network")
    return CoreModel(path, "net", Size(512, 288), "fp16")


@pytest.fixture
def folder(tmp_path: Path) -> PlanFolder:
    folder = PlanFolder(tmp_path / "plans")
    folder.prepare()
    return folder


def put(folder: PlanFolder, core: CoreModel, flavour: Flavour, version: str, gpu: DeviceFacts | None = GPU) -> Path:
    key = plan_key(PlanRequest(core, flavour, folder.folder, gpu), version)
    path = folder.folder / key.file_name
    write_sealed(path, key.facts, b"plan")
    return path


def told(folder: PlanFolder, survey: Survey) -> dict[Path, str]:
    return {judged.entry.path: judged.told for judged in survey.judge(folder)}


def test_each_plan_is_judged(folder: PlanFolder, core: CoreModel) -> None:
    ready = [put(folder, core, flavour, HERE[flavour]) for flavour in Flavour]
    old = put(folder, core, Flavour.TENSORRT, "10.16.1.11")
    other_gpu = put(folder, core, Flavour.TENSORRT, HERE[Flavour.TENSORRT], replace(GPU, name="NVIDIA H200"))
    gone = put(folder, replace(core, size=Size(64, 48)), Flavour.RTX, HERE[Flavour.RTX])
    damaged = put(folder, replace(core, precision="fp32"), Flavour.RTX, HERE[Flavour.RTX])
    damaged.write_bytes(damaged.read_bytes()[:-1])
    unsafe = put(folder, core, Flavour.RTX, "1.6")
    unsafe.chmod(0o622)
    cores = [core, replace(core, precision="fp32")]
    found = told(folder, Survey(cores, GPU, HERE.__getitem__))
    assert found.pop(unsafe).startswith("not to be trusted: other users may write to")
    assert found == {
        **dict.fromkeys(ready, "ready"),
        old: "stale: the library was 10.16.1.11, is 11.4.0.106",
        other_gpu: "stale: the GPU was NVIDIA H200, is NVIDIA GeForce RTX 4070",
        gone: "stale: no such network is prepared any more",
        damaged: "damaged: it holds 3 bytes instead of 4",
    }


def test_of_two_networks_of_one_name_either_will_do(folder: PlanFolder, core: CoreModel, tmp_path: Path) -> None:
    other = replace(core, path=tmp_path / "other.onnx")
    other.path.write_bytes(b"another")
    plan = put(folder, core, Flavour.RTX, HERE[Flavour.RTX])
    for cores in ([core, other], [other, core]):
        assert told(folder, Survey(cores, GPU, HERE.__getitem__)) == {plan: "ready"}
    assert told(folder, Survey([other], GPU, HERE.__getitem__)) == {plan: "stale: the prepared network has changed"}


def test_without_a_gpu_tensorrts_plans_cannot_be_judged(folder: PlanFolder, core: CoreModel) -> None:
    plan = put(folder, core, Flavour.TENSORRT, HERE[Flavour.TENSORRT])
    portable = put(folder, core, Flavour.RTX, HERE[Flavour.RTX])
    found = told(folder, Survey([core], None, HERE.__getitem__))
    assert found[portable] == "ready"
    assert found[plan].startswith("cannot be told: TensorRT builds a plan on the GPU that is to run it")


def test_without_its_library_a_plan_cannot_be_judged(folder: PlanFolder, core: CoreModel) -> None:
    def version(flavour: Flavour) -> str:
        raise EngineUnavailableError(f"the engine {flavour} is not installed", hint="")

    plan = put(folder, core, Flavour.TENSORRT, HERE[Flavour.TENSORRT])
    assert told(folder, Survey([core], GPU, version)) == {plan: "cannot be told: the engine tensorrt is not installed"}


def test_no_library_is_loaded_for_nothing(folder: PlanFolder, core: CoreModel) -> None:
    def version(_flavour: Flavour) -> str:
        raise AssertionError("nobody should ask")

    assert told(folder, Survey([core], GPU, version)) == {}


def test_a_plan_of_an_unknown_engine_cannot_be_judged(folder: PlanFolder, core: CoreModel) -> None:
    path = folder.folder / "x-1.plan"
    write_sealed(path, {"engine": "tensorrt-quantum"}, b"plan")
    assert told(folder, Survey([core], GPU))[path].startswith("cannot be told: 'tensorrt-quantum'")
