"""Engine, network, disk, GPU, Docker, port, plug-in start."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.doctor.conftest import RTX, Computer
from vcam.cuda.probe import GpuAnswer
from vcam.doctor.docker import check_docker
from vcam.doctor.engine import check_disk, check_engine, check_model
from vcam.doctor.finding import Finding, Verdict
from vcam.doctor.gpu import check_gpu
from vcam.doctor.operation import check_plug_in, check_port, check_system
from vcam.doctor.view import Answer
from vcam.frame import Size
from vcam.model.manifest import DEFAULT_MODEL
from vcam.model.store import Recipe, Report, Store

DRIVER_TEXT = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build\n"


def only(findings: Sequence[Finding]) -> Finding:
    (finding,) = findings
    return finding


# ---- system


def test_the_system_is_named(computer: Computer) -> None:
    assert only(check_system(computer.case)).facts == "Debian GNU/Linux 12 (bookworm), kernel 6.1.0-47-amd64"
    computer.write(".dockerenv")
    assert only(check_system(computer.case)).facts.endswith("in a container")


# ---- engine and network


def test_the_engine_and_its_reason_are_told(computer: Computer) -> None:
    assert only(check_engine(computer.case)).facts == "plate: it was asked for"
    computer.settings["engine"] = "auto"
    assert "no NVIDIA driver" in only(check_engine(computer.case)).facts


def test_an_engine_that_cannot_run_fails(computer: Computer) -> None:
    computer.settings["engine"] = "tensorrt"
    finding = only(check_engine(computer.case))
    assert (finding.verdict, finding.remedy) == (Verdict.FAIL, "install NVIDIA's driver")


@pytest.fixture
def networked(computer: Computer) -> Computer:
    computer.settings["engine"] = "openvino"
    return computer


def test_plate_needs_no_network(computer: Computer) -> None:
    assert only(check_model(computer.case)).verdict is Verdict.SKIP


def test_an_absent_network_is_fetched_or_asked_for(networked: Computer) -> None:
    finding = only(check_model(networked.case))
    assert (finding.verdict, finding.remedy) == (Verdict.WARN, "vcam model prepare")
    assert "15 MB are fetched" in finding.facts
    networked.settings["model_download"] = False
    finding = only(check_model(networked.case))
    assert finding.verdict is Verdict.FAIL
    assert "--from rvm_mobilenetv3_fp32.onnx" in finding.remedy
    assert "https://" in finding.remedy
    networked.settings["engine"] = "auto"
    assert "plate would run" in only(check_model(networked.case)).facts


def test_a_half_fetched_network_is_told(networked: Computer) -> None:
    networked.write("models/rvm_mobilenetv3_fp32.onnx.part", "half")
    assert "only a partial file" in only(check_model(networked.case)).facts


def prepared(computer: Computer) -> Path:
    recipe = Recipe(DEFAULT_MODEL, "0" * 64, Size(384, 216), "fp32")
    report = Report("there", "deep", 0.0, 0.0, 0.0, 1.0)
    return Store(computer.root / "models").put(recipe, b"network", report).path


def test_a_prepared_network_is_ready_and_a_damaged_one_is_made_again(networked: Computer) -> None:
    path = prepared(networked)
    assert only(check_model(networked.case)).facts == f"{DEFAULT_MODEL} is prepared at 384x216"
    path.write_bytes(b"spoilt")
    finding = only(check_model(networked.case))
    assert finding.verdict is Verdict.WARN
    assert path.name in finding.facts


def test_a_network_of_the_users_own(networked: Computer) -> None:
    networked.settings["model"] = str(networked.root / "mask.onnx")
    assert only(check_model(networked.case)).verdict is Verdict.FAIL
    networked.write("mask.onnx")
    assert only(check_model(networked.case)).verdict is Verdict.OK


@pytest.mark.parametrize(("free", "verdict"), [(10**10, Verdict.OK), (10**8, Verdict.WARN), (10**6, Verdict.FAIL)])
def test_room_on_the_disk(computer: Computer, free: int, verdict: Verdict) -> None:
    computer.free = free
    assert only(check_disk(computer.case)).verdict is verdict


# ---- GPU


def test_no_gpu_is_no_fault(computer: Computer) -> None:
    assert only(check_gpu(computer.case)).verdict is Verdict.SKIP


def test_a_card_without_a_driver_is(computer: Computer) -> None:
    computer.write("sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n")
    computer.write("sys/bus/pci/devices/0000:01:00.0/class", "0x040300\n")
    assert only(check_gpu(computer.case)).verdict is Verdict.SKIP, "that is its sound"
    computer.write("sys/bus/pci/devices/0000:01:00.0/class", "0x030000\n")
    finding = only(check_gpu(computer.case))
    assert (finding.verdict, finding.remedy) == (Verdict.WARN, "install NVIDIA's driver")


def test_an_old_driver_is_told_by_its_version(computer: Computer) -> None:
    computer.write("proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun\n")
    computer.gpu = GpuAnswer(None, "the NVIDIA driver is too old: it supports CUDA 12.2, vcam needs 13.0", "driver 580")
    assert "(driver 535.183.01)" in only(check_gpu(computer.case)).facts


def test_a_gpu_that_is_asked_for_must_be_there(computer: Computer) -> None:
    computer.settings["engine"] = "tensorrt-rtx"
    assert only(check_gpu(computer.case)).verdict is Verdict.FAIL


def test_a_gpu_tells_its_memory_and_driver(computer: Computer) -> None:
    computer.write("proc/driver/nvidia/version", DRIVER_TEXT)
    computer.gpu = RTX
    finding = only(check_gpu(computer.case))
    assert finding.facts == "NVIDIA GeForce RTX 4070, 12 GiB, driver 580.95.05 for CUDA 13.0"
    assert finding.verdict is Verdict.OK


# ---- Docker


def docker(computer: Computer, compose: str = "2.29.1") -> None:
    computer.programs["docker version"] = Answer(0, "27.3.1")
    computer.programs["docker compose version"] = Answer(0, f"v{compose}")
    computer.programs["docker info"] = Answer(0, '{"runc":{"path":"runc"}}')


def test_docker_may_be_absent(computer: Computer) -> None:
    assert only(check_docker(computer.case)).verdict is Verdict.SKIP
    computer.write(".dockerenv")
    docker(computer)
    assert only(check_docker(computer.case)).facts == "this is a container"


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("permission denied while trying to connect to the Docker daemon socket", "sudo usermod -aG docker ada"),
        ("Cannot connect to the Docker daemon. Is it running?", "sudo systemctl enable --now docker"),
    ],
)
def test_a_silent_docker_is_woken(computer: Computer, text: str, remedy: str) -> None:
    computer.programs["docker version"] = Answer(1, text)
    finding = only(check_docker(computer.case))
    assert finding.verdict is Verdict.WARN
    assert finding.remedy.startswith(remedy)


@pytest.mark.parametrize(
    ("compose", "verdict"), [("2.29.1", Verdict.OK), ("2.24.0", Verdict.OK), ("2.6.0", Verdict.WARN)]
)
def test_compose_must_know_our_file(computer: Computer, compose: str, verdict: Verdict) -> None:
    docker(computer, compose)
    engine, found = check_docker(computer.case)
    assert (engine.facts, found.verdict) == ("27.3.1 runs", verdict)


def test_without_compose_it_is_to_be_installed(computer: Computer) -> None:
    docker(computer)
    computer.programs["docker compose version"] = Answer(1, "docker: 'compose' is not a docker command.")
    assert "docker-compose-plugin" in check_docker(computer.case)[1].remedy


def test_containers_see_the_gpu_through_nvidias_toolkit(computer: Computer) -> None:
    docker(computer)
    computer.write("proc/driver/nvidia/version", DRIVER_TEXT)
    assert "install-guide" in check_docker(computer.case)[2].remedy
    computer.programs["nvidia-ctk"] = Answer(0, "NVIDIA Container Toolkit CLI version 1.17")
    assert "nvidia-ctk runtime configure" in check_docker(computer.case)[2].remedy
    computer.programs["docker info"] = Answer(0, '{"nvidia":{},"runc":{}}')
    assert check_docker(computer.case)[2].verdict is Verdict.OK


def test_a_cdi_specification_does_as_well(computer: Computer) -> None:
    docker(computer)
    computer.write("proc/driver/nvidia/version", DRIVER_TEXT)
    computer.write("etc/cdi/nvidia.yaml")
    assert check_docker(computer.case)[2].verdict is Verdict.OK


# ---- port and plug-in start


def test_a_free_port(computer: Computer) -> None:
    assert only(check_port(computer.case)).facts == "9435 on 127.0.0.1 is free"
    computer.settings["http_port"] = 0
    assert only(check_port(computer.case)).verdict is Verdict.SKIP


def test_a_port_that_a_vcam_has_is_well(computer: Computer) -> None:
    computer.serve(9435, "safe")
    computer.settings["http_host"] = "0.0.0.0"
    assert only(check_port(computer.case)).facts == "9435 on 0.0.0.0 is served by a vcam that runs, and is safe"


@pytest.mark.parametrize("text", ["", "<html>", "[]", json.dumps({"state": "ok"})])
def test_a_port_that_something_else_has_is_not(computer: Computer, text: str) -> None:
    computer.ports[9435] = text
    finding = only(check_port(computer.case))
    assert finding.verdict is Verdict.FAIL
    assert "--http-port 9437" in finding.remedy


def set_up(computer: Computer, manager: str = "system") -> None:
    computer.write("etc/udev/rules.d/90-vcam.rules")
    computer.write(f"etc/systemd/{manager}/vcam@.service")


def test_plug_in_start_that_is_not_set_up(computer: Computer) -> None:
    finding = only(check_plug_in(computer.case))
    assert (finding.verdict, finding.remedy) == (Verdict.SKIP, "sudo make install")
    computer.write(".dockerenv")
    assert only(check_plug_in(computer.case)).facts == "a matter of the host"


def test_instances_are_listed(computer: Computer) -> None:
    set_up(computer)
    computer.programs["systemctl list-units"] = Answer(0, "")
    assert only(check_plug_in(computer.case)).facts == "set up; nothing runs"
    computer.programs["systemctl list-units"] = Answer(0, "vcam@Cam_at_1.1.service loaded active running AI-Camera")
    assert only(check_plug_in(computer.case)).facts == "set up; vcam@Cam_at_1.1.service runs"


def test_a_systemd_that_says_nothing_is_not_taken_for_an_idle_one(computer: Computer) -> None:
    set_up(computer)
    assert "does not tell" in only(check_plug_in(computer.case)).facts
    computer.programs["systemctl list-units"] = Answer(1, "Failed to connect to bus")
    assert "does not tell" in only(check_plug_in(computer.case)).facts


@pytest.mark.parametrize("manager", ["system", "user"])
def test_a_failed_instance_shows_its_log(computer: Computer, manager: str) -> None:
    set_up(computer, manager)
    scope = " --user" if manager == "user" else ""
    computer.programs[f"systemctl{scope} list-units"] = Answer(
        0, "vcam@Cam_at_1.1.service loaded failed failed AI-Camera"
    )
    finding = only(check_plug_in(computer.case))
    assert finding.verdict is Verdict.WARN
    assert finding.remedy == f"journalctl{scope} -n 30 -u 'vcam@Cam_at_1.1.service'"
