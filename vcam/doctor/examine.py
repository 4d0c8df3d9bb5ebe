"""All checks, in the order in which a person would look."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from vcam.doctor.access import check_access
from vcam.doctor.cameras import check_cameras, check_input
from vcam.doctor.case import Case
from vcam.doctor.docker import check_docker
from vcam.doctor.engine import check_disk, check_engine, check_model
from vcam.doctor.finding import Finding, Verdict
from vcam.doctor.gpu import check_gpu
from vcam.doctor.module import check_module, check_secure_boot
from vcam.doctor.operation import check_plug_in, check_port, check_system
from vcam.doctor.outputs import check_exclusive_caps, check_outputs

Check: TypeAlias = Callable[[Case], Sequence[Finding]]

CHECKS: tuple[Check, ...] = (
    check_system,
    check_module,
    check_secure_boot,
    check_exclusive_caps,
    check_outputs,
    check_access,
    check_cameras,
    check_input,
    check_engine,
    check_gpu,
    check_model,
    check_disk,
    check_port,
    check_docker,
    check_plug_in,
)


def examine(case: Case) -> list[Finding]:
    """Everything that the checks find."""
    return [finding for check in CHECKS for finding in check(case)]


def would_work(findings: Sequence[Finding]) -> bool:
    """Whether there would be a picture."""
    return not any(finding.verdict is Verdict.FAIL for finding in findings)
