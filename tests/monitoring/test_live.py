"""A real Prometheus scrapes real appliances: every rule and every panel has data, every alert fires by a real fault.

The tests of this file build on each other: what was healthy is broken one by one.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread

import pytest
from PIL import Image

from monitoring.dashboards.__main__ import FOLDER
from monitoring.picture.__main__ import picture
from monitoring.picture.board import Target, read_board
from monitoring.picture.prometheus import PromqlError, Span
from tests.monitoring.rig import Appliance, Watchers, eventually, faster, stuttering
from tests.monitoring.test_config import rules

pytestmark = [pytest.mark.monitoring, pytest.mark.timeout(600)]

SCENE = "test:320x180@10"
NO_CAMERA = "/dev/video99"
NAMES = ("this-pc", "lobby", "gpu", "attic")
ELSEWHERE = {
    "vcam_consumers": "an output that knows its readers: a v4l2loopback",
    "vcam_plan_build_ratio": "a plan that is being built",
    'stage="upload"': "a GPU; rules.test.yml has one",
    'stage="download"': "a GPU; rules.test.yml has one",
    "DCGM_FI_DEV_GPU_UTIL": "the exporter of a GPU",
}
"""Queries that have no data on a computer without a GPU whose output is null:, and what they need."""

GPU_PAGE = b"""# TYPE DCGM_FI_DEV_GPU_UTIL gauge
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1",device="nvidia0",modelName="NVIDIA RTX",Hostname="h"} 17
"""
"""As dcgm-exporter writes it."""


@dataclass(frozen=True, slots=True)
class Room:
    """desk is the appliance of this PC, lobby has a settings file, gpu a plan that cannot be built. There is an attic,
    too, whose network cannot be downloaded."""

    desk: Appliance
    lobby: Appliance
    lobby_settings: Path
    gpu: Appliance
    watchers: Watchers


class _GpuPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(GPU_PAGE)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def gpu_page() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _GpuPage) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, gpu_page: int) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("room")
    settings = folder / "vcam.toml"
    settings.write_text(f'input = "{SCENE}"\n')
    run = ("vcam", "run", "-o", "null:", "-e", "plate", "--control-port", "0", "--control-socket", "none")
    desk = Appliance(folder, "this-pc", "here", *run, "-i", "test:320x180@30", "--http-port")
    lobby = Appliance(folder, "lobby", "berlin", *run, "--config", str(settings), "--http-port")
    gpu = Appliance(folder, "gpu", "berlin", "tests.monitoring.gpu_appliance")
    bare = (*run, "-e", "auto", "--models-dir", str(folder / "models"), "-i", SCENE)
    attic = Appliance(folder, "attic", "berlin", *bare, "--http-port")
    watchers = Watchers(folder, [desk, lobby, gpu, attic], gpu_page)
    with ExitStack() as stack:
        for appliance in (desk, lobby, gpu, attic):
            stack.callback(appliance.kill)
        desk.start()
        lobby.start()
        desk.wait_state("live")
        lobby.wait_state("live")
        stack.callback(watchers.stop)
        watchers.start()
        gpu.start()
        attic.start()
        yield Room(desk, lobby, settings, gpu, watchers)


def lately() -> Span:
    now_s = time.time()
    return Span(now_s - 60, now_s, 0.5)


def test_all_are_scraped_and_none_is_in_trouble(room: Room) -> None:
    def up() -> dict[tuple[str, str], float]:
        return {
            (line.labels["job"], line.labels["appliance"]): line.last
            for line in room.watchers.prometheus.at("up", time.time())
        }

    wanted = {("vcam", name): 1 for name in NAMES} | {("gpu", "this-pc"): 1}
    eventually(lambda: up() == wanted, lambda: f"scraped is {up()}")
    assert room.watchers.alerts("lobby") == {}


def test_every_recording_rule_has_data_of_every_appliance(room: Room) -> None:
    names = {rule["record"] for rule in rules() if "record" in rule}

    def without() -> set[str]:
        found = {name: room.watchers.prometheus.at(name, time.time()) for name in names}
        of_all = {
            name for name, lines in found.items() if len({line.labels.get("appliance") for line in lines}) == len(NAMES)
        }
        alone = {name for name in of_all ^ names if not found[name]}
        return alone | (names - of_all - {"vcam:frame_latency_budget_seconds"})

    eventually(lambda: not without(), lambda: f"no data: {without()}")


def targets(name: str, appliance: str) -> list[Target]:
    variables = {"appliance": appliance, "site": ".*", "__rate_interval": "5s", "source": "x"}
    return [target for panel in read_board(FOLDER / f"{name}.json", variables)[1] for target in panel.targets]


def has_data(room: Room, target: Target) -> bool:
    promql = faster(target.promql)
    prometheus = room.watchers.prometheus
    return bool(prometheus.at(promql, time.time()) if target.instant else prometheus.over(promql, lately()))


def needs_more(target: Target) -> bool:
    return any(name in target.promql for name in ELSEWHERE)


@pytest.mark.parametrize(
    ("needed", "appliance"),
    [("vcam_consumers", "gpu"), ("vcam_plan_build_ratio", "gpu"), ("DCGM_FI_DEV_GPU_UTIL", "this-pc")],
)
def test_what_needs_more_has_data_where_there_is_more(room: Room, needed: str, appliance: str) -> None:
    (target,) = [target for target in targets("camera", appliance) if needed in target.promql]
    eventually(lambda: has_data(room, target), lambda: f"no data: {target.promql}")


def test_a_plan_that_cannot_be_built_is_told(room: Room) -> None:
    room.gpu.send(signal.SIGUSR1)
    annotations = room.watchers.wait_alert("gpu", "VcamPlanBuildFailing")
    assert annotations["summary"].startswith("The GPU's engine of gpu could not take over")


@pytest.mark.parametrize(("name", "appliance"), [("camera", "this-pc"), ("camera", "lobby"), ("fleet", ".*")])
def test_every_query_of_every_panel_has_data(room: Room, name: str, appliance: str) -> None:
    wanted = [target for target in targets(name, appliance) if not needs_more(target)]
    assert len(wanted) > 10

    def without() -> list[str]:
        return [target.promql for target in wanted if not has_data(room, target)]

    eventually(lambda: not without(), lambda: f"no data: {without()}")


def test_each_query_that_is_excused_is_one_of_a_panel(room: Room) -> None:
    excused = [target for target in targets("camera", "lobby") if needs_more(target)]
    assert len(excused) == len(ELSEWHERE)
    assert not any(has_data(room, target) for target in excused)


def test_no_data_and_bad_queries_are_seen(room: Room) -> None:
    assert not has_data(room, Target("vcam_no_such_thing", "", instant=False))
    assert not has_data(room, Target("0 / vcam_no_such_thing", "", instant=True))
    with pytest.raises(PromqlError, match="parse error"):
        has_data(room, Target("vcam_state{", "", instant=True))


def test_the_dashboards_can_be_drawn(room: Room) -> None:
    for name, appliance in (("camera", "this-pc"), ("fleet", ".*")):
        image = Image.open(BytesIO(picture(name, room.watchers.prometheus, appliance, lately())))
        assert image.width == 1600
        assert image.height > 1200
        assert len(image.convert("RGB").getcolors(1 << 24) or ()) > 20


def test_a_camera_that_is_lost_is_told_once_and_forgotten_when_it_is_back(room: Room) -> None:
    room.lobby_settings.write_text(f'input = "{NO_CAMERA}"\n')
    room.lobby.send(signal.SIGHUP)
    room.watchers.wait_alert("lobby", "VcamCameraLost")
    assert room.watchers.wait_alert("lobby", "VcamSafe")["reason"] in ("camera_lost", "reload")
    told = {"VcamCameraLost": "active", "VcamSafe": "suppressed", "VcamFrameRateLow": "suppressed"}
    eventually(lambda: room.watchers.told("lobby") == told, lambda: f"told is {room.watchers.told('lobby')}")
    room.lobby_settings.write_text(f'input = "{SCENE}"\n')
    room.lobby.send(signal.SIGHUP)
    room.watchers.wait_calm("lobby", "VcamCameraLost", "VcamSafe")


def test_a_computer_that_cannot_keep_up_is_told(room: Room) -> None:
    with stuttering(room.desk):
        room.watchers.wait_alert("this-pc", "VcamLatencyHigh")
        room.watchers.wait_alert("this-pc", "VcamFrameRateLow")
    room.watchers.wait_calm("this-pc", "VcamLatencyHigh", "VcamFrameRateLow")


def test_a_vcam_that_starts_again_and_again_is_told(room: Room) -> None:
    def started() -> float:
        lines = room.watchers.prometheus.at('process_start_time_seconds{appliance="this-pc"}', time.time())
        return lines[0].last if lines else 0.0

    def later(than: float) -> bool:
        return started() > than

    for _ in range(3):
        before = started()
        room.desk.kill()
        room.desk.start()
        eventually(partial(later, before), lambda: f"the new one is not scraped: {room.desk.log}")
    room.watchers.wait_alert("this-pc", "VcamRestartLoop")


def test_a_vcam_that_is_dead_is_told(room: Room) -> None:
    room.lobby.kill()
    room.watchers.wait_alert("lobby", "VcamDown")
    silent = targets("fleet", "lobby")[5]
    assert room.watchers.prometheus.at(silent.promql, time.time())[0].last == 1


def test_a_computer_without_a_network_is_told_of(room: Room) -> None:
    room.watchers.wait_alert("attic", "VcamEngineOfLastResort")


def test_every_alert_was_seen_here(room: Room) -> None:
    seen = room.watchers.prometheus.over('ALERTS{alertstate="firing"}', Span(time.time() - 600, time.time(), 0.5))
    assert {line.labels["alertname"] for line in seen} == {rule["alert"] for rule in rules() if "alert" in rule}
