"""What systemd hears, over a real socket."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.service.snapshots import RUNNING, STARTING, observed
from vcam.pipeline.snapshot import SafeReason, Snapshot, State
from vcam.service.liveness import Liveness
from vcam.service.notify import Messages, Notifier, notifier

LIVE = observed(RUNNING)


class Systemd:
    """Listens where NOTIFY_SOCKET points."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self._socket.settimeout(20.0)

    def hears(self) -> list[str]:
        """The lines of the next message."""
        return self._socket.recv(4096).decode().splitlines()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    listener = Systemd(str(tmp_path / "notify"))
    yield listener
    listener.close()


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("vcam-systemd")}


def test_it_says_ready_then_signs_of_life_then_stopping(systemd: Systemd) -> None:
    environ = {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "40000"}
    with notifier(lambda: LIVE, environ):
        assert systemd.hears() == ["READY=1"]
        for _ in range(3):
            assert systemd.hears() == ["STATUS=live, 0.0 fps, openvino at 384x216", "WATCHDOG=1"]
    heard = systemd.hears()
    while heard[0].startswith("STATUS="):
        heard = systemd.hears()
    assert heard == ["STOPPING=1"]
    assert not threads()


def test_the_abstract_namespace_works_too(tmp_path: Path) -> None:
    listener = Systemd(f"@vcam-test-{tmp_path.name}-{id(tmp_path)}")
    try:
        Messages(listener.address).send("READY=1")
        assert listener.hears() == ["READY=1"]
    finally:
        listener.close()


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1234"}])
def test_without_systemd_nothing_runs(environ: dict[str, str]) -> None:
    with notifier(lambda: LIVE, environ):
        assert not threads()


@pytest.mark.parametrize("limit", [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"}])
def test_without_a_watchdog_no_signs_are_sent(systemd: Systemd, limit: dict[str, str]) -> None:
    with notifier(lambda: LIVE, {"NOTIFY_SOCKET": systemd.address, **limit}):
        assert systemd.hears() == ["READY=1"]
        assert systemd.hears() == ["STATUS=live, 0.0 fps, openvino at 384x216"]


@pytest.mark.parametrize(
    ("now", "status", "well"),
    [
        (LIVE, "live, 0.0 fps, openvino at 384x216", True),
        (replace(LIVE, last_write_age_s=5.5), "live, 0.0 fps, openvino at 384x216", False),
        (
            replace(LIVE, state=State.SAFE, safe_reason=SafeReason.CAMERA_LOST),
            "safe (camera_lost), openvino at 384x216",
            True,
        ),
        (replace(LIVE, state=State.IDLE, last_write_age_s=900.0), "idle, openvino at 384x216", True),
        (observed(STARTING), "starting (engine_loading), no engine yet", True),
    ],
)
def test_the_sign_of_life_depends_on_pictures(systemd: Systemd, now: Snapshot, status: str, well: bool) -> None:
    Notifier(lambda: now, Messages(systemd.address), watchdog_s=20.0, liveness=Liveness(clock=lambda: 7.0)).report()
    assert systemd.hears() == [f"STATUS={status}", *(["WATCHDOG=1"] if well else [])]


def test_a_start_that_never_shows_anything_is_not_well() -> None:
    time_s = [100.0]
    liveness = Liveness(clock=lambda: time_s[0])
    assert liveness.well(observed(STARTING))
    time_s[0] = 105.5
    assert not liveness.well(observed(STARTING))


def test_a_systemd_that_is_gone_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Messages(str(tmp_path / "nobody")).send("READY=1")
    assert [record.message for record in caplog.records] == ["systemd.unreachable"]


def test_leaving_twice_is_harmless(systemd: Systemd) -> None:
    once = Notifier(lambda: LIVE, Messages(systemd.address))
    with once:
        pass
    once.__exit__(None, None, None)
