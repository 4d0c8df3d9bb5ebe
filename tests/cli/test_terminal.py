"""Closing the terminal ends vcam, and with it the camera; a reload by signal does not."""

import fcntl
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.test_main import ENVIRONMENT, LIMIT_S
from tests.pipeline.rig import wait_until

_BEGIN = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGHUP, signal.SIG_IGN if sys.argv[1] == "nohup" else signal.SIG_DFL)
log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
for number in ((1, 2) if sys.argv[1] == "nohup" else ()):
    os.dup2(log, number)
os.execv(sys.executable, [sys.executable, "-m", "vcam", *sys.argv[2:]])
"""
"""A shell's part: the terminal that is standard input becomes the controlling one."""

_SETTINGS = """
input = "test:160x96@30"
output = ["null:"]
engine = "plate"
background = "green"
http_port = 0
control_port = 0
control_socket = "none"
pace = "realtime"
"""


class Shell:
    """vcam in a terminal of its own. Its log lies in ``log`` and is kept here."""

    def __init__(self, folder: Path, how: str) -> None:
        self._log = folder / "log"
        self._heard = b""
        self._master, slave = pty.openpty()
        fcntl.fcntl(self._master, fcntl.F_SETFL, os.O_NONBLOCK)
        (folder / "vcam.toml").write_text(_SETTINGS, encoding="utf-8")
        environment = {**ENVIRONMENT, "PYTHONPATH": str(Path(__file__).parents[2]), "VCAM_LOG_FORMAT": "json"}
        arguments = [sys.executable, "-c", _BEGIN, how, "run", "--config", "vcam.toml"]
        self.process = subprocess.Popen(
            arguments, cwd=folder, env=environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)

    def told(self, event: str, count: int = 1) -> bool:
        """Whether an event was logged so often. Reads the terminal, as a window does."""
        try:
            while chunk := os.read(self._master, 65536):
                self._heard += chunk
        except OSError:  # nothing more, or nobody on the other side
            pass
        logged = self._log.read_bytes() if self._log.exists() else b""
        return (self._heard + logged).count(event.encode()) >= count

    def close_window(self) -> None:
        os.close(self._master)
        self._master = -1


@contextmanager
def shell(folder: Path, how: str = "shell") -> Iterator[Shell]:
    """Live."""
    shell = Shell(folder, how)
    try:
        wait_until(lambda: shell.told('"state": "live"') or shell.process.poll() is not None)
        yield shell
    finally:
        shell.process.kill()
        shell.process.wait(LIMIT_S)
        if shell._master >= 0:
            shell.close_window()


def test_closing_the_window_ends_vcam(tmp_path: Path) -> None:
    with shell(tmp_path) as window:
        window.close_window()
        assert window.process.wait(LIMIT_S) == 128 + signal.SIGHUP


def test_a_hangup_while_the_window_is_there_reloads(tmp_path: Path) -> None:
    with shell(tmp_path) as window:
        window.process.send_signal(signal.SIGHUP)
        wait_until(lambda: window.told("config.reloaded") or window.process.poll() is not None)
        window.process.send_signal(signal.SIGTERM)
        assert window.process.wait(LIMIT_S) == 0


def test_what_was_started_to_outlive_its_window_does(tmp_path: Path) -> None:
    with shell(tmp_path, "nohup") as window:
        window.close_window()
        wait_until(lambda: window.told("config.reloaded") or window.process.poll() is not None)
        window.process.send_signal(signal.SIGHUP)
        wait_until(lambda: window.told("config.reloaded", 2) or window.process.poll() is not None)
        window.process.send_signal(signal.SIGTERM)
        assert window.process.wait(LIMIT_S) == 0
