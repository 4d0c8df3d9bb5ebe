"""The compose file as text: every service is hardened and limited, and reached from this computer only."""

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
OPTIONAL = {"alertmanager": ["alerts"], "dcgm-exporter": ["gpu"]}
WRITES_BESIDE_ITS_PROGRAMS = {"dcgm-exporter"}

each = pytest.mark.parametrize("name", SERVICES)


@each
def test_it_may_do_as_little_as_possible(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is (name not in WRITES_BESIDE_ITS_PROGRAMS)
    assert not service.keys() & {"privileged", "cap_add", "network_mode", "pid", "ipc", "userns_mode"}


@each
def test_it_has_limits_and_is_started_again(name: str) -> None:
    service = SERVICES[name]
    assert service.keys() >= {"mem_limit", "pids_limit"}
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service["restart"].removeprefix("${RESTART:-").removesuffix("}") == "unless-stopped"


@each
def test_only_this_computer_reaches_it(name: str) -> None:
    for port in SERVICES[name].get("ports", ()):
        assert port.startswith(("127.0.0.1:", "${METRICS_ADDRESS:-127.0.0.1}:"))


def test_what_not_everybody_needs_is_started_when_asked_for() -> None:
    assert {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service} == OPTIONAL


def test_images_of_others_are_pinned_and_can_be_replaced() -> None:
    for name, service in SERVICES.items():
        variable, default = service["image"].removeprefix("${").removesuffix("}").split(":-")
        assert variable == ("IMAGE" if name == "vcam" else f"{name.upper().replace('-', '_')}_IMAGE")
        version = default.rpartition(":")[2]
        assert version != "latest"
        assert name == "vcam" or any(figure.isdigit() for figure in version)


def test_the_gpus_image_is_what_a_build_makes_by_itself() -> None:
    stages = [line.split() for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("FROM ")]
    assert [stage[-1] for stage in stages][-2:] == ["cpu", "gpu"]
