"""Who holds a device."""

import subprocess
import sys
from pathlib import Path

import pytest

from vcam.v4l2 import holders as holders_module
from vcam.v4l2.holders import Holder, Users, holders


def test_another_process_is_named(tmp_path: Path) -> None:
    path = tmp_path / "node"
    path.touch()
    link = tmp_path / "link"
    link.symlink_to(path)
    code = f"file = open({str(path)!r}); print('open', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        child.stdout.readline()
        found = holders(link)
        child.stdin.close()
    assert [holder.pid for holder in found] == [child.pid]
    assert str(found[0]).startswith("python")


def test_ourselves_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "node"
    with path.open("w"):
        assert holders(path) == ()


def test_processes_that_vanish_or_hide_are_passed_over(tmp_path: Path) -> None:
    for pid, target in (("10", "/dev/video0"), ("11", "/dev/video1"), ("12", None), ("self", "/dev/video0")):
        folder = tmp_path / pid
        (folder / "fd").mkdir(parents=True)
        if target:
            (folder / "fd" / "3").symlink_to(target)
    (tmp_path / "10" / "comm").write_text("cheese\n")
    (tmp_path / "13").mkdir()
    assert holders(Path("/dev/video0"), tmp_path) == (Holder(10, "cheese"),)


def test_who_keeps_it_busy_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(Holder(10, "cheese"), Holder(11, "vlc")), ()]
    monkeypatch.setattr(holders_module, "holders", lambda _: found.pop(0))
    users = Users(Path("/dev/video0"))
    assert [users.names(), users.names()] == ["cheese (pid 10), vlc (pid 11)"] * 2
    users.forget()
    assert [users.names(), users.names()] == ["another program"] * 2
    assert not found
