"""What is around a running vcam: the system, its port, and its start when a camera is plugged in."""

from collections.abc import Sequence

from vcam.doctor.case import Case
from vcam.doctor.finding import Finding, fail, ok, skip, warn

SYSTEM, PORT, PLUG_IN = "system", "port", "plug-in start"

_RULES = "etc/udev/rules.d/90-vcam.rules"
_UNITS = {"system": "etc/systemd/system/vcam@.service", "user": "etc/systemd/user/vcam@.service"}
_ANY_HOST = frozenset({"0.0.0.0", "::", ""})


def check_system(case: Case) -> Sequence[Finding]:
    """Which one it is: for whoever reads a report."""
    lines = (case.view.text("etc/os-release") or "").splitlines()
    names = [line.partition("=")[2].strip('"') for line in lines if line.startswith("PRETTY_NAME=")]
    where = ", in a container" if case.view.in_container else ""
    return [ok(SYSTEM, f"{names[0] if names else 'Linux'}, kernel {case.view.release}{where}")]


def check_port(case: Case) -> Sequence[Finding]:
    """Metrics can be served, or are: by a vcam that runs."""
    host, port = case.config.http_host, case.config.http_port
    if port == 0:
        return [skip(PORT, "no metrics are asked for")]
    trouble = case.view.listen(host, port)
    if trouble is None:
        return [ok(PORT, f"{port} on {host} is free")]
    asked = "127.0.0.1" if host in _ANY_HOST else host
    state = case.state_at(port, asked)
    if state:
        return [ok(PORT, f"{port} on {host} is served by a vcam that runs, and is {state}")]
    return [fail(PORT, f"{port} on {host}: {trouble}", f"vcam run --http-port {port + 2}  # ss -ltnp shows who has it")]


def check_plug_in(case: Case) -> Sequence[Finding]:
    """Whether plugging in a camera starts vcam, and how those fare that it started."""
    view = case.view
    if view.in_container:
        return [skip(PLUG_IN, "a matter of the host")]
    installed = [manager for manager, unit in _UNITS.items() if view.has(unit)]
    if not view.has(_RULES) or not installed:
        return [skip(PLUG_IN, "not set up", "sudo make install")]
    scope = ("--user",) if installed[0] == "user" else ()
    told = view.run(("systemctl", *scope, "list-units", "--all", "--plain", "--no-legend", "vcam@*"))
    if told is None or told.code:
        return [ok(PLUG_IN, "set up; systemd does not tell this user what runs")]
    units = [line.split() for line in told.text.splitlines()]
    failed = [unit[0] for unit in units if "failed" in unit]
    if failed:
        remedy = " ".join(("journalctl", *scope, "-n", "30", "-u", f"'{failed[0]}'"))
        return [warn(PLUG_IN, f"{', '.join(failed)} failed", remedy)]
    running = [unit[0] for unit in units if "running" in unit]
    return [ok(PLUG_IN, f"set up; {', '.join(running) or 'nothing'} runs")]
