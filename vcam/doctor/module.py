"""The kernel module behind the virtual cameras: there, loaded, of which version; and what Secure Boot has to say."""

from collections.abc import Sequence

from vcam.doctor.case import Case
from vcam.doctor.finding import Finding, fail, ok, skip, warn
from vcam.doctor.view import View

CHECK = "kernel module"
SECURE_BOOT = "Secure Boot"

_LOOPBACK, _AKVCAM = "v4l2loopback", "akvcam"
_EFI_VARIABLE = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
"""UEFI specification, EFI_GLOBAL_VARIABLE; four bytes of attributes go before the value."""
_VALUE_AT = 4

_TELLS_READERS = (0, 13)
_ONE_READER = (0, 13, 2)
_STRICT = (0, 14)
_WRITE_FAULT = (0, 12, 5)

_SET_UP = "sudo make install"
_KEYS = ("/var/lib/shim-signed/mok/MOK.der", "/var/lib/dkms/mok.pub", "/etc/pki/akmods/certs/public_key.der")
"""Where Ubuntu, Debian and Arch, and Fedora keep the key that modules built here are signed with."""


def check_module(case: Case) -> Sequence[Finding]:
    """Loaded, and of a version whose faults are known."""
    if not case.output_nodes:
        return [skip(CHECK, "no virtual camera is asked for")]
    view = case.view
    if view.has(f"sys/module/{_LOOPBACK}"):
        return [_judged(view.text(f"sys/module/{_LOOPBACK}/version") or "", on_demand=case.config.on_demand)]
    if view.has(f"sys/module/{_AKVCAM}"):
        return [ok(CHECK, f"{_AKVCAM} {view.text(f'sys/module/{_AKVCAM}/version') or ''} is loaded".replace("  ", " "))]
    return [_not_loaded(view)]


def check_secure_boot(case: Case) -> Sequence[Finding]:
    """It matters as long as the module is not in the kernel."""
    view = case.view
    variable = view.path(f"sys/firmware/efi/efivars/{_EFI_VARIABLE}")
    try:
        on = variable.read_bytes()[_VALUE_AT : _VALUE_AT + 1] == b"\1"
    except OSError:
        return [skip(SECURE_BOOT, "this computer has none, or does not tell")]
    if not on:
        return [ok(SECURE_BOOT, "off: the kernel takes every module")]
    if view.has(f"sys/module/{_LOOPBACK}") or view.has(f"sys/module/{_AKVCAM}"):
        return [ok(SECURE_BOOT, "on, and the module was taken")]
    key = next((key for key in _KEYS if view.has(key)), _KEYS[1])
    return [
        warn(
            SECURE_BOOT,
            "on: the kernel takes only modules that are signed with a key it knows",
            f"sudo mokutil --import {key} && sudo reboot, then in the blue menu: Enroll MOK, Continue, Yes",
        )
    ]


def version_of(text: str) -> tuple[int, ...]:
    """(0, 12, 7) for ``0.12.7-13-gabc``; empty where there is no number."""
    numbers = []
    for part in text.split("-")[0].split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


def _judged(text: str, *, on_demand: bool) -> Finding:
    version, name = version_of(text), f"{_LOOPBACK} {text}".strip()
    newer = "Debian 12 has 0.13.2 in bookworm-backports: sudo apt-get install -t bookworm-backports v4l2loopback-dkms"
    if not version:
        return ok(CHECK, f"{name} is loaded; it does not tell its version")
    if version >= _STRICT:
        return ok(
            CHECK,
            f"{name}: one application at a time reads each virtual camera, and OBS before 31.1 cannot write to one",
            "sudo scripts/host-setup.sh --outputs 3  # one for each application; name them with -o",
        )
    if version >= _ONE_READER:
        return ok(CHECK, f"{name}: one application at a time reads each virtual camera")
    if version >= _TELLS_READERS:
        return ok(CHECK, f"{name} is loaded")
    faults = [
        "does not tell whether an application reads" + (", so on_demand goes by who has it open" if on_demand else "")
    ]
    if version >= _WRITE_FAULT:
        faults.append("keeps a device from other producers after one that did not announce itself (issue 470)")
    else:
        faults.append("is older than any that vcam was tried with")
    return warn(CHECK, f"{name} {', and '.join(faults)}", newer)


def _not_loaded(view: View) -> Finding:
    if view.in_container:
        return fail(CHECK, f"{_LOOPBACK} is not loaded", f"on the host: {_SET_UP}, or sudo modprobe {_LOOPBACK}")
    there = view.run(("modinfo", "-k", view.release, _LOOPBACK))
    if there is not None and there.code == 0:
        return fail(CHECK, f"{_LOOPBACK} is installed, but not loaded", f"{_SET_UP}  # or: sudo modprobe {_LOOPBACK}")
    built = view.run(("dkms", "status", _LOOPBACK))
    if built is not None and _LOOPBACK in built.text:
        return fail(
            CHECK,
            f"{_LOOPBACK} is not built for this kernel, {view.release} (dkms: {built.text.splitlines()[0]})",
            f"sudo apt-get install linux-headers-{view.release} && sudo dkms autoinstall",
        )
    return fail(CHECK, f"{_LOOPBACK} is not installed", f"{_SET_UP}  # or: sudo apt-get install {_LOOPBACK}-dkms")
