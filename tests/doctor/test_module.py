"""The kernel module and Secure Boot."""

import pytest

from tests.doctor.conftest import Computer
from vcam.doctor.finding import Finding, Verdict
from vcam.doctor.module import check_module, check_secure_boot, version_of
from vcam.doctor.view import Answer

EFI = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def module(computer: Computer) -> Finding:
    (finding,) = check_module(computer.case)
    return finding


def secure_boot(computer: Computer, value: bytes) -> Finding:
    computer.write(EFI).write_bytes(bytes([6, 0, 0, 0]) + value)
    (finding,) = check_secure_boot(computer.case)
    return finding


@pytest.mark.parametrize(
    ("version", "verdict", "words"),
    [
        ("0.12.3", Verdict.WARN, "older than any"),
        ("0.12.5", Verdict.WARN, "issue 470"),
        ("0.12.7", Verdict.WARN, "does not tell whether an application reads"),
        ("0.13.0", Verdict.OK, "v4l2loopback 0.13.0 is loaded"),
        ("0.13.2", Verdict.OK, "one application at a time"),
        ("0.14.0", Verdict.OK, "OBS before 31.1"),
        ("0.15.4-3-gabcdef", Verdict.OK, "OBS before 31.1"),
        ("unknown", Verdict.OK, "does not tell its version"),
    ],
)
def test_each_version_has_its_faults(computer: Computer, version: str, verdict: Verdict, words: str) -> None:
    computer.load_module(version)
    finding = module(computer)
    assert finding.verdict is verdict
    assert words in finding.facts
    assert finding.remedy or verdict is Verdict.OK


def test_guessing_is_told_to_who_wants_on_demand(computer: Computer) -> None:
    computer.load_module("0.12.7")
    computer.settings["on_demand"] = True
    assert "on_demand goes by who has it open" in module(computer).facts


def test_versions_are_numbers() -> None:
    assert version_of("0.12.7-13-gabc") == (0, 12, 7)
    assert version_of("0.9.10") < version_of("0.12.1")
    assert version_of("v2") == ()


def test_akvcam_serves_as_well(computer: Computer) -> None:
    computer.write("sys/module/akvcam/version", "1.3.0\n")
    assert module(computer).facts == "akvcam 1.3.0 is loaded"


def test_a_module_that_only_sleeps_is_loaded(computer: Computer) -> None:
    computer.programs["modinfo -k 6.1.0-47-amd64 v4l2loopback"] = Answer(0, "filename: ...")
    finding = module(computer)
    assert finding.verdict is Verdict.FAIL
    assert "sudo modprobe v4l2loopback" in finding.remedy


def test_a_module_for_another_kernel_is_built_for_this_one(computer: Computer) -> None:
    computer.programs["modinfo"] = Answer(1, "not found")
    computer.programs["dkms status"] = Answer(0, "v4l2loopback/0.12.7, 6.1.0-40-amd64, x86_64: installed")
    finding = module(computer)
    assert "6.1.0-40-amd64" in finding.facts
    assert finding.remedy == "sudo apt-get install linux-headers-6.1.0-47-amd64 && sudo dkms autoinstall"


def test_no_module_is_installed(computer: Computer) -> None:
    finding = module(computer)
    assert finding.verdict is Verdict.FAIL
    assert "sudo make install" in finding.remedy


def test_in_a_container_the_host_has_to_do_it(computer: Computer) -> None:
    computer.write(".dockerenv")
    assert module(computer).remedy.startswith("on the host")


def test_without_a_virtual_camera_no_module_is_needed(computer: Computer) -> None:
    computer.settings["output"] = ("null:",)
    assert module(computer).verdict is Verdict.SKIP


def test_secure_boot_that_is_off_is_no_matter(computer: Computer) -> None:
    assert secure_boot(computer, b"\0").verdict is Verdict.OK


def test_secure_boot_matters_until_the_module_is_in(computer: Computer) -> None:
    computer.write("var/lib/shim-signed/mok/MOK.der")
    finding = secure_boot(computer, b"\1")
    assert finding.verdict is Verdict.WARN
    assert "mokutil --import /var/lib/shim-signed/mok/MOK.der" in finding.remedy
    computer.load_module()
    assert secure_boot(computer, b"\1").verdict is Verdict.OK


def test_a_computer_without_secure_boot(computer: Computer) -> None:
    (finding,) = check_secure_boot(computer.case)
    assert finding.verdict is Verdict.SKIP
