"""Docker, for those who run vcam in a container: the engine, compose, and the GPU in containers."""

from collections.abc import Sequence

from vcam.doctor.case import Case
from vcam.doctor.finding import Finding, ok, skip, warn
from vcam.doctor.gpu import has_nvidia
from vcam.doctor.module import version_of
from vcam.doctor.view import View

CHECK, COMPOSE, RUNTIME = "Docker", "compose", "GPU in containers"

_OLDEST_COMPOSE = (2, 24)
"""Knows ``env_file: {path:, required:}``, which compose.yaml uses."""
_CDI = ("etc/cdi", "var/run/cdi", "run/cdi")


def check_docker(case: Case) -> Sequence[Finding]:
    """None of it stands in the way of a vcam that is installed without it."""
    view = case.view
    if view.in_container:
        return [skip(CHECK, "this is a container")]
    engine = view.run(("docker", "version", "--format", "{{.Server.Version}}"))
    if engine is None:
        return [skip(CHECK, "not installed; make up needs it", "https://docs.docker.com/engine/install")]
    if engine.code:
        return [_silent(view, engine.text)]
    return [ok(CHECK, f"{engine.text.splitlines()[-1]} runs"), _compose(view), *_runtime(view)]


def _silent(view: View, text: str) -> Finding:
    if "permission denied" in text.lower():
        user = view.identity.user
        return warn(CHECK, f"{user} may not use it", f"sudo usermod -aG docker {user}  # then log out and in again")
    return warn(CHECK, "its engine does not run", "sudo systemctl enable --now docker")


def _compose(view: View) -> Finding:
    remedy = "sudo apt-get install docker-compose-plugin  # Debian: docker-compose, Ubuntu: docker-compose-v2"
    answer = view.run(("docker", "compose", "version", "--short"))
    if answer is None or answer.code:
        return warn(COMPOSE, "not installed; make up needs it", remedy)
    version = answer.text.splitlines()[-1].removeprefix("v")
    if version_of(version)[:2] < _OLDEST_COMPOSE:
        return warn(COMPOSE, f"{version} is too old: make up needs 2.24", remedy)
    return ok(COMPOSE, version)


def _runtime(view: View) -> Sequence[Finding]:
    if not has_nvidia(view):
        return []
    told = view.run(("docker", "info", "--format", "{{json .Runtimes}}"))
    specified = any(file.stem.startswith("nvidia") for folder in _CDI for file in view.path(folder).glob("*.*"))
    if specified or (told is not None and '"nvidia"' in told.text):
        return [ok(RUNTIME, "NVIDIA's container toolkit is set up")]
    if view.run(("nvidia-ctk", "--version")) is None:
        guide = "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/install-guide.html"
        return [warn(RUNTIME, "NVIDIA's container toolkit is not installed", guide)]
    remedy = "sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker"
    return [warn(RUNTIME, "NVIDIA's container toolkit is installed, but Docker does not know it", remedy)]
