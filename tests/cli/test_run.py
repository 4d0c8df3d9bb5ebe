"""``vcam run`` on the drawn scene: to its end, by signals, with a reload, with metrics."""

import json
import logging
import os
import re
import resource
import signal
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import pytest
import typer

from vcam.cli.options import RunOptions
from vcam.cli.run import _unwatched, run
from vcam.config import Config
from vcam.engine_names import EngineName
from vcam.errors import ConfigError
from vcam.service import logs

LOCAL = "127.0.0.1"
SMALL = RunOptions(
    input="test:160x96@30",
    output=["null:"],
    engine=EngineName.PLATE,
    background="green",
    http_port=0,
    control_port=0,
    control_socket="none",
    frames=100_000,
)
"""Far more frames than any test waits for."""

ENDLESS = replace(SMALL, frames=None)


def _nothing() -> None:
    """What a script does at events of no interest."""


class Script(logging.Handler):
    """Does something when an event is logged; each time the next thing, then nothing.

    An event is also known by its state: ``pipeline.state=live``.
    """

    def __init__(self, actions: Mapping[str, list[Callable[[], None]]]) -> None:
        super().__init__()
        self._actions = {event: iter(each) for event, each in actions.items()}
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        event = record.getMessage()
        for known in (event, f"{event}={logs.facts_of(record).get('state')}"):
            next(self._actions.get(known, iter(())), _nothing)()

    def facts(self, event: str) -> dict[str, object]:
        """Of the last one."""
        return [logs.facts_of(record) for record in self.records if record.getMessage() == event][-1]


Actions: TypeAlias = Mapping[str, list[Callable[[], None]]]


def script(actions: Actions = MappingProxyType({})) -> Script:
    """One that hears the log until the end of the test."""
    handler = Script(actions)
    logging.getLogger().addHandler(handler)
    return handler


def send(number: signal.Signals) -> None:
    """To this process, whose main thread runs vcam."""
    os.kill(os.getpid(), number)


def terminate() -> None:
    send(signal.SIGTERM)


def reload() -> None:
    send(signal.SIGHUP)


def free_port() -> int:
    with socket.create_server((LOCAL, 0)) as probe:
        return int(probe.getsockname()[1])


def test_a_finite_run_ends_by_itself_with_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    heard = script()
    run(replace(SMALL, frames=20))
    assert heard.facts("engine.ready")["engine"] == "plate"
    summary = r"^20 frames live, \d+ safe, 0 dropped in [\d.]+ s \([\d.]+ fps\)$"
    assert re.search(summary, capsys.readouterr().err, re.M)


@pytest.fixture
def core_dumps() -> Iterator[tuple[int, int]]:
    """As after `ulimit -c unlimited`, where that is allowed; soft and hard limit."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    allowed = before[1], before[1]
    resource.setrlimit(resource.RLIMIT_CORE, allowed)
    yield allowed
    resource.setrlimit(resource.RLIMIT_CORE, before)


def test_no_core_is_dumped_which_would_hold_the_room(core_dumps: tuple[int, int]) -> None:
    limits: list[str] = []

    def look() -> None:
        text = Path("/proc/self/limits").read_text(encoding="ascii")
        limits.extend(next(line for line in text.splitlines() if "core file" in line).split()[4:6])

    script({"engine.ready": [look]})
    run(replace(SMALL, frames=3))
    hard = "unlimited" if core_dumps[1] == resource.RLIM_INFINITY else str(core_dumps[1])
    assert limits == [str(min(1, core_dumps[1]) if core_dumps[1] >= 0 else 1), hard]


def test_json_logs_stay_json_to_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    run(replace(SMALL, frames=5, log_format="json"))
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (lines[0]["event"], lines[0]["file"]) == ("config.read", "none")
    assert (lines[-1]["event"], lines[-1]["live"]) == ("run.ended", 5)


def test_benchmark_prints_the_stages_every_hundred_frames(capsys: pytest.CaptureFixture[str]) -> None:
    run(replace(SMALL, frames=110, benchmark=True))
    text = capsys.readouterr().err
    assert text.count("p95 ms") == 1
    assert "│ infer" in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_an_endless_run_cleanly(capsys: pytest.CaptureFixture[str], number: signal.Signals) -> None:
    before = signal.getsignal(number)
    heard = script({"pipeline.state=live": [lambda: send(number)]})
    run(ENDLESS)
    assert "frames live" in capsys.readouterr().err
    assert "worker.left_behind" not in [record.getMessage() for record in heard.records]
    assert signal.getsignal(number) == before


def test_a_signal_that_cuts_finite_work_short_is_told_by_the_exit_code() -> None:
    script({"engine.ready": [terminate]})
    with pytest.raises(typer.Exit) as caught:
        run(SMALL)
    assert caught.value.exit_code == 128 + signal.SIGTERM


def test_metrics_and_health_are_served_while_it_runs() -> None:
    port = free_port()
    pages: dict[str, str] = {}

    def look() -> None:
        for path in ("/readyz", "/healthz", "/metrics"):
            with urllib.request.urlopen(f"http://{LOCAL}:{port}{path}", timeout=20) as answer:
                body: bytes = answer.read()
                pages[path] = body.decode()
        terminate()

    def when_live() -> None:
        # The supervisor logs this event; what it logs to must not wait for it.
        threading.Thread(target=look).start()

    heard = script({"pipeline.state=live": [when_live]})
    run(replace(ENDLESS, http_port=port))
    assert heard.facts("http.listening")["port"] == port
    assert json.loads(pages["/readyz"])["state"] == "live"
    assert json.loads(pages["/healthz"])["ok"] is True
    assert "vcam_engine_info{device=" in pages["/metrics"]
    assert re.search(r'vcam_stage_duration_seconds_count{stage="infer"} [1-9]', pages["/metrics"])


def test_a_scene_is_changed_while_it_runs_and_a_reload_takes_it_back(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://{LOCAL}:{port}/api/v1/scene"
    told: list[object] = []

    def ask(**change: object) -> None:
        body = json.dumps(change).encode() if change else None
        headers = {"Content-Type": "application/json"}
        asked = urllib.request.Request(url, body, headers, method="PATCH" if change else "GET")
        with urllib.request.urlopen(asked, timeout=20) as answer:
            told.append(json.loads(answer.read())["background"])

    def in_thread(do: Callable[[], None]) -> Callable[[], None]:
        # What a request makes vcam log must not be waited for by whoever logs.
        return lambda: threading.Thread(target=do).start()

    def after_reload() -> None:
        ask()
        terminate()

    heard = script(
        {
            "pipeline.state=live": [in_thread(partial(ask, blur=20))],
            "scene.changed": [reload],
            "config.reloaded": [in_thread(after_reload)],
        }
    )
    run(replace(ENDLESS, control_port=port, control_socket=str(tmp_path / "s"), media_dir=tmp_path))
    assert heard.facts("scene.changed")["background"] == "blur:20"
    assert told[-1] == "green"
    assert heard.facts("config.reloaded")["keys"] == "background"
    assert not (tmp_path / "s").exists()


def test_a_taken_port_is_told_before_any_frame() -> None:
    heard = script()
    with socket.create_server((LOCAL, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on {LOCAL} port {port}"):
            run(replace(ENDLESS, http_port=port))
    assert "engine.ready" not in [record.getMessage() for record in heard.records]


@contextmanager
def taken(port: int) -> Iterator[None]:
    """By us, where nobody else has it."""
    with ExitStack() as stack:
        with suppress(OSError):
            stack.enter_context(socket.create_server((LOCAL, port)))
        yield


DEFAULT_PORT = replace(SMALL, http_port=None, frames=5)


def test_a_second_vcam_converts_files_beside_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    heard = script()
    with taken(Config().http_port):
        run(DEFAULT_PORT)
    assert "5 frames live" in capsys.readouterr().err
    told = heard.facts("http.not_listening")
    assert f"port {Config().http_port}" in str(told["problem"])
    assert "--http-port 0" in str(told["hint"])


@pytest.mark.parametrize("asked", [{"http_port": Config().http_port}, {"http_host": LOCAL}])
def test_a_port_that_was_asked_for_must_be_free(asked: dict[str, Any]) -> None:
    with taken(Config().http_port), pytest.raises(ConfigError, match="cannot listen on") as caught:
        run(replace(DEFAULT_PORT, **asked))
    assert "--http-port 0" in caught.value.hint


def test_a_virtual_camera_does_not_go_unwatched() -> None:
    assert _unwatched(Config(output=("null:", "file:a.mp4")))
    assert not _unwatched(Config(output=("null:", "/dev/video10")))
    assert not _unwatched(Config(output=("null:",), http_port=9500))


def test_a_recording_is_not_written_over(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    once = replace(SMALL, output=["file:out.mkv"], frames=3)
    run(once)
    before = (tmp_path / "out.mkv").read_bytes()
    with pytest.raises(ConfigError, match=r"out\.mkv is there already"):
        run(once)
    with pytest.raises(ConfigError, match="is the input"):
        run(replace(once, input="file:out.mkv", force=True))
    assert (tmp_path / "out.mkv").read_bytes() == before
    run(replace(once, frames=6, force=True))
    assert (tmp_path / "out.mkv").read_bytes() != before


def test_a_reload_takes_what_is_good_and_refuses_what_is_bad(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"

    def write(text: str) -> Callable[[], None]:
        def change() -> None:
            file.write_text(text)
            reload()

        return change

    write_good = write("safe_after_ms = 400\n")
    file.write_text("safe_after_ms = 300\n")
    heard = script({"engine.ready": [write("fps = 'many'\n"), terminate], "config.rejected": [write_good]})
    run(replace(ENDLESS, config=file))
    assert "fps in" in str(heard.facts("config.rejected")["problem"])
    assert heard.facts("config.reloaded")["keys"] == "safe_after_ms"
    assert heard.facts("config.read")["file"] == str(file)


def test_a_file_is_converted_frame_by_frame(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run(replace(SMALL, output=["file:in.mkv"], frames=12))
    capsys.readouterr()
    run(replace(ENDLESS, input="file:in.mkv", output=["file:out.mp4"]))
    assert re.search(r"^12 frames live, 0 safe, 0 dropped", capsys.readouterr().err, re.M)
    assert (tmp_path / "out.mp4").stat().st_size > 0


def test_signals_show_the_next_profile_and_pause(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('background = "color:#102030"\n')
    (tmp_path / "b.toml").write_text("background = \n")
    (tmp_path / "c.toml").write_text('background = "color:#405060"\n')
    (tmp_path / "d.toml").write_text("refine = 0.5\n")
    following, pausing = partial(send, signal.SIGUSR1), partial(send, signal.SIGUSR2)

    def spoil_and_follow() -> None:
        (tmp_path / "d.toml").write_text('background = "image:nothing.png"\n')
        following()

    heard = script(
        {
            "pipeline.state=live": [following, terminate],
            "scene.changed": [following, spoil_and_follow],
            "profile.rejected": [pausing],
            "pipeline.state=safe": [pausing],
        }
    )
    run(replace(ENDLESS, profiles_dir=tmp_path, media_dir=tmp_path))
    told = [logs.facts_of(record)["profile"] for record in heard.records if record.getMessage() == "scene.changed"]
    assert told == ["a", "c"], "b is broken; d names a picture that is gone, and the scene stays"
    states = [logs.facts_of(record) for record in heard.records if record.getMessage() == "pipeline.state"]
    assert {"state": "safe", "reason": "paused"} in states


def test_without_profiles_the_signal_changes_nothing(tmp_path: Path) -> None:
    heard = script({"pipeline.state=live": [partial(send, signal.SIGUSR1)], "profile.none": [terminate]})
    run(replace(ENDLESS, profiles_dir=tmp_path / "none", media_dir=tmp_path))
    assert "ctl profile" in str(heard.facts("profile.none")["hint"])


def test_a_pause_and_a_profile_outlive_a_restart(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('background = "color:#102030"\n')
    (tmp_path / "vcam.toml").write_text('background = "green"\n')
    bare = replace(ENDLESS, background=None, profiles_dir=tmp_path, media_dir=tmp_path)
    choose: list[Callable[[], None]] = [partial(send, signal.SIGUSR1)]
    script(
        {
            "pipeline.state=live": choose,
            "scene.changed": [partial(send, signal.SIGUSR2)],
            "pipeline.state=safe": [terminate],
        }
    )
    run(bare)

    def again(options: RunOptions) -> Script:
        """Ends at its first picture, or at the card of a pause; or when it is resumed and is live."""
        heard = script({"pipeline.state=live": [terminate], "pipeline.state=safe": [partial(send, signal.SIGUSR2)]})
        run(options)
        logging.getLogger().removeHandler(heard)
        return heard

    told = again(replace(bare, set=["zoom=2"])).facts("chosen.recalled")
    assert told == {"paused": True, "keys": "background"}
    assert again(bare).facts("chosen.recalled") == {"paused": False, "keys": "background"}, "it was resumed"
    for other in (
        replace(bare, background="green"),
        replace(bare, set=["background=green"]),
        replace(bare, remember=False),
    ):
        assert "chosen.recalled" not in [record.getMessage() for record in again(other).records]
    finite = script()
    run(replace(bare, frames=2))
    assert "chosen.recalled" not in [record.getMessage() for record in finite.records]
    (tmp_path / "vcam.toml").write_text('background = "blur"\n')
    assert "chosen.recalled" not in [record.getMessage() for record in again(bare).records], (
        "the file says otherwise now"
    )


def test_any_setting_can_be_set_by_its_key() -> None:
    heard = script()
    run(replace(SMALL, frames=2, set=["refine=0.5", "safe_after_ms=300"]))
    assert {"refine", "safe_after_ms"} <= set(str(heard.facts("config.read")["changed"]).split())
    with pytest.raises(ConfigError, match="there is no setting refin"):
        run(replace(SMALL, set=["refin=0.5"]))
