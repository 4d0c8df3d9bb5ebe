"""Who may open video nodes."""

import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from vcam.doctor.case import Case
from vcam.doctor.finding import Finding, fail, ok, skip
from vcam.doctor.view import View

CHECK = "permission"

_GROUP_FIELDS = 4
_GROUP_MAY = stat.S_IRGRP | stat.S_IWGRP


def check_access(case: Case) -> Sequence[Finding]:
    """All nodes at once: they belong to one group, as a rule."""
    denied = [node.path for node in case.inventory.unreadable if _is_closed(case.view, node.path)]
    if denied:
        names = ", ".join(case.view.name(path) for path in denied)
        return [fail(CHECK, f"{case.view.identity.user} may not open {names}", entry_remedy(case.view, denied[0]))]
    nodes = len(case.inventory.cameras) + len(case.inventory.virtual_cameras) + len(case.inventory.unreadable)
    if not nodes:
        return [skip(CHECK, "there is no video node")]
    return [ok(CHECK, f"{case.view.identity.user} may open all {nodes} video nodes")]


def entry_remedy(view: View, node: Path) -> str:
    """How the user gets into the node's group."""
    try:
        status = node.stat()
    except OSError:
        return f"ls -l {view.name(node)}"
    gid, belongs = status.st_gid, status.st_gid in view.identity.groups
    if view.in_container:
        if not belongs:
            return f'make up  # or in compose.yaml: group_add: ["{gid}"]'
        if status.st_mode & _GROUP_MAY == _GROUP_MAY:
            return 'in compose.yaml: device_cgroup_rules: ["c 81:* rmw"]'
        return f"on the host: sudo chmod g+rw {view.name(node)}"
    if belongs:
        return f"sudo chmod g+rw {view.name(node)}  # this user is in its group, which may not use it"
    name, members = _group(view, gid)
    if view.identity.user in members:
        return f"log out and in again: {view.identity.user} is in group {name} since the last time"
    return f"sudo usermod -aG {name} {view.identity.user}  # then log out and in again"


def _is_closed(view: View, node: Path) -> bool:
    """Whether opening it fails for want of permission: the inventory's reason is a text for people."""
    with suppress(OSError):
        try:
            view.kernel.close(view.kernel.open(node))
        except PermissionError:
            return True
    return False


def _group(view: View, gid: int) -> tuple[str, list[str]]:
    """Name and members by /etc/group; the number where it has no name."""
    for line in (view.text("etc/group") or "").splitlines():
        fields = line.split(":")
        if len(fields) == _GROUP_FIELDS and fields[2] == str(gid):
            return fields[0], fields[3].split(",")
    return str(gid), []
