"""The compose file, brought up: hardened, watched, restarted, with a /dev that follows hot-plug."""

import json
import os
import signal
import stat
from pathlib import Path

import pytest

from tests.container.conftest import SCENE, Factory, add_camera, manifest_for
from tests.container.engine import Appliance, docker, eventually, inspect, run

OPEN = """
import os, errno
def attempt(path):
    try:
        os.close(os.open(path, os.O_RDWR))
        return "opened"
    except OSError as error:
        return errno.errorcode[error.errno]
"""


def test_it_comes_up_healthy_and_tells_prometheus(running: Appliance) -> None:
    assert running.health() == "healthy"
    eventually(lambda: 'vcam_state{state="live"} 1.0' in running.get("/metrics")[1], "never LIVE")
    assert 'vcam_engine_info{device="cpu",engine="plate"' in running.get("/metrics")[1]


def test_only_this_computer_reaches_it(running: Appliance) -> None:
    ports = inspect(running.container)["NetworkSettings"]["Ports"]
    assert {each["HostIp"] for bound in ports.values() for each in bound or ()} == {"127.0.0.1"}


def test_this_computer_controls_it_and_a_neighbour_in_its_network_does_not(running: Appliance) -> None:
    status, page = running.get("/", control=True)
    assert (status, "<title>" in page) == (200, True)
    assert running.get("/api/v1/scene", control=True)[0] == 200
    [network] = inspect(running.container)["NetworkSettings"]["Networks"]
    code = (
        "import urllib.request as r\n"
        "try: print(r.urlopen('http://vcam:9436/api/v1/scene', timeout=5).status)\n"
        "except r.HTTPError as error: print(error.code, error.read().decode())"
    )
    image = inspect(running.container)["Image"]
    told = docker("run", "--rm", "--network", network, "--entrypoint", "python3", image, "-c", code)
    assert told.startswith("403"), told
    assert "other computers are not admitted" in told


def test_it_may_do_nothing_it_need_not(running: Appliance) -> None:
    status = dict(
        line.split(":", 1)
        for line in running.python("print(open('/proc/self/status').read())").splitlines()
        if ":" in line
    )
    assert int(status["CapEff"], 16) == 0
    assert int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"
    assert status["Uid"].split() == ["10001"] * 4
    host = inspect(running.container)["HostConfig"]
    assert (host["ReadonlyRootfs"], host["PidsLimit"], host["Privileged"]) == (True, 256, False)
    assert host["Memory"] == 4 << 30
    assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}
    assert host["RestartPolicy"]["Name"] == "unless-stopped"


def test_a_crash_leaves_no_pictures_in_a_core_dump(running: Appliance) -> None:
    assert running.python("import resource; print(resource.getrlimit(resource.RLIMIT_CORE))").strip() == "(0, 0)"


def test_it_is_controlled_live_from_inside(running: Appliance) -> None:
    def ctl(*arguments: str) -> str:
        return docker("exec", running.container, "vcam", "ctl", *arguments)

    assert "null:, open" in ctl("status")
    ctl("background", "green")
    assert "green" in ctl("status")


def test_it_writes_its_state_and_nothing_else(running: Appliance) -> None:
    code = """
import pathlib
for folder in ("/opt/vcam", "/etc", "/dev", "/media", "/var/lib/vcam", "/tmp", "/dev/shm"):
    try:
        path = pathlib.Path(folder, "x")
        path.touch()
        path.unlink()
        print(folder)
    except OSError:
        pass
"""
    assert running.python(code).split() == ["/var/lib/vcam", "/tmp", "/dev/shm"]


def test_what_others_share_in_memory_is_not_seen(running: Appliance) -> None:
    assert running.python("import os; print(os.listdir('/dev/shm'))").strip() == "[]"


def test_cameras_come_and_go_while_it_runs_and_nothing_else_can_be_opened(
    running: Appliance, running_in: Factory
) -> None:
    dev = running_in.dev
    os.mknod(dev / "mem", stat.S_IFCHR, os.makedev(1, 1))
    (dev / "mem").chmod(0o666)

    def attempt(path: str) -> str:
        return running.python(f"{OPEN}\nprint(attempt({path!r}))").strip()

    # ENXIO: let through to the kernel, which has no such driver here. EPERM: the device cgroup said no.
    assert (attempt("/dev/video0"), attempt("/dev/mem"), attempt("/dev/video7")) == ("ENXIO", "EPERM", "ENOENT")
    add_camera(dev, 7)
    (dev / "v4l/by-id/usb-camera").symlink_to("../../video7")
    assert attempt("/dev/v4l/by-id/usb-camera") == "ENXIO"
    (dev / "video7").unlink()
    assert attempt("/dev/v4l/by-id/usb-camera") == "ENOENT"
    add_camera(dev, 9)
    (dev / "v4l/by-id/usb-camera").unlink()
    (dev / "v4l/by-id/usb-camera").symlink_to("../../video9")
    assert attempt("/dev/v4l/by-id/usb-camera") == "ENXIO"


def test_doctor_examines_the_running_container(running: Appliance, running_in: Factory) -> None:
    def examined(**environ: str) -> dict[str, dict[str, str]]:
        given = [option for name, value in environ.items() for option in ("--env", f"VCAM_{name}={value}")]
        done = run(("docker", "exec", *given, running.container, "vcam", "doctor", "--json"), check=False)
        document = json.loads(done.stdout)
        assert document["works"] is (done.returncode == 0)
        return {each["check"]: each for each in document["findings"]}

    well = examined(INPUT="test:", OUTPUT="null:")
    assert "in a container" in well["system"]["facts"]
    assert "is served by a vcam that runs" in well["port"]["facts"]
    assert {each["verdict"] for each in well.values()} <= {"ok", "skip", "warn"}
    (running_in.dev / "video0").chmod(0o600)
    ill = examined()
    assert ill["permission"]["remedy"] == "on the host: sudo chmod g+rw /dev/video0"
    assert ill["output"]["facts"] == "there is no /dev/video10"
    assert "on the host: sudo make install" in ill["kernel module"]["remedy"]
    (running_in.dev / "video0").chmod(0o660)


def test_a_crash_is_restarted_with_its_state_and_a_stop_is_clean(appliance: Factory) -> None:
    vcam = appliance(*SCENE)
    vcam.up()
    vcam.python("open('/var/lib/vcam/kept', 'w').write('x')")
    vcam.send(signal.SIGKILL)  # a crash, to the engine
    eventually(lambda: vcam.restarts() == 1 and vcam.health() == "healthy", "it was not restarted")
    vcam.compose("stop", "vcam")
    state = inspect(vcam.container)["State"]
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False)
    vcam.compose("rm", "--force", "vcam")
    vcam.up()
    assert vcam.python("print(open('/var/lib/vcam/kept').read())").strip() == "x"


def test_a_vcam_that_hangs_is_unhealthy_until_it_goes_on(appliance: Factory) -> None:
    probe = {"interval": "1s", "start_period": "1s", "timeout": "2s", "retries": 2}
    vcam = appliance(*SCENE, more={"healthcheck": probe})
    vcam.up()
    vcam.send(signal.SIGSTOP)
    eventually(lambda: vcam.health() == "unhealthy", "a hung vcam is well")
    vcam.send(signal.SIGCONT)
    eventually(lambda: vcam.health() == "healthy", "it does not recover")


def test_when_the_disk_is_full_it_ends_and_is_restarted(appliance: Factory) -> None:
    """A fault that stays until the process begins anew, with an empty disk."""
    vcam = appliance(
        *("run", "-i", "test:640x360@10", "-o", "file:/var/tmp/out.y4m", "-e", "plate", "--pace", "realtime"),
        more={"tmpfs": ["/var/tmp:size=3m,mode=1777"]},
    )
    vcam.up(wait=False)
    eventually(lambda: vcam.restarts() >= 1, "it did not end")
    eventually(lambda: vcam.get("/healthz")[0] == 200, "it did not come back")
    assert "No space left on device" in vcam.text()
    codes = [each["Actor"]["Attributes"]["exitCode"] for each in died(vcam)]
    assert codes[0] == "7"


def died(vcam: Appliance) -> list[dict[str, dict[str, dict[str, str]]]]:
    """The engine's own record of how the container ended."""
    now = run(("date", "+%s")).stdout.strip()
    number = inspect(vcam.container)["Id"]  # another test's container may have had the same name
    options = ("--since", "30m", "--until", now, "--filter", f"container={number}", "--filter", "event=die")
    return [json.loads(line) for line in docker("events", *options, "--format", "{{json .}}").splitlines()]


def test_a_missing_camera_is_waited_for_with_a_card_and_found_by_its_path_under_any_number(appliance: Factory) -> None:
    name = "/dev/v4l/by-id/usb-camera"
    vcam = appliance("run", "-i", name, "-o", "null:", "-e", "plate")
    vcam.up()
    assert vcam.get("/readyz")[0] == 503
    eventually(lambda: f"there is no {name}" in vcam.text(), "it does not say what it waits for")
    # Closed to vcam, because no driver stands behind the nodes here: so it tells that it found this one.
    add_camera(appliance.dev, 7).chmod(0o600)
    (appliance.dev / "v4l/by-id/usb-camera").symlink_to("../../video7")
    eventually(lambda: f"no permission to open {name}" in vcam.text(), "it does not find what was plugged in")
    assert (vcam.health(), vcam.restarts()) == ("healthy", 0)


def test_a_missing_output_is_one_clear_error(appliance: Factory) -> None:
    vcam = appliance("run", "-i", "test:320x180@10", more={"restart": "no"})
    assert vcam.up(check=False).returncode != 0
    assert inspect(vcam.container)["State"]["ExitCode"] == 7
    assert "there is no /dev/video10" in vcam.text()
    assert "hint: " in vcam.text()


def test_a_misspelt_setting_names_the_right_one(appliance: Factory, tmp_path: Path) -> None:
    (tmp_path / "misspelt.env").write_text("VCAM_FSP=25\n")
    vcam = appliance(*SCENE, more={"restart": "no", "env_file": [str(tmp_path / "misspelt.env")]})
    assert vcam.up(check=False).returncode != 0
    assert "there is no setting VCAM_FSP" in vcam.text()
    assert "did you mean VCAM_FPS?" in vcam.text()


def test_settings_reach_it_by_their_short_names_and_by_their_own(appliance: Factory) -> None:
    vcam = appliance(
        CAMERA="test:160x90@10", OUTPUT="null:", BACKGROUND="green", VCAM_ENGINE="plate", VCAM_SAFE_AFTER_MS="500"
    )
    vcam.up()
    read = next(each for each in vcam.logs() if each["event"] == "config.read")
    assert {"input", "output", "background", "engine", "safe_after_ms"} <= set(read["changed"].split())
    opened = next(each for each in vcam.logs() if each["event"] == "output.opened")
    assert (opened["output"], opened["format"].split()[1]) == ("null:", "160x90")


MIRROR = """
import http.server, pathlib, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        data = pathlib.Path("/mirror/network.onnx").read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        half = len(data) // 2 + 1
        self.wfile.write(data[:half])
        self.wfile.flush()
        while not pathlib.Path("/mirror/go").exists():
            time.sleep(0.05)
        self.wfile.write(data[half:])
http.server.HTTPServer(("", 8000), Handler).serve_forever()
"""


@pytest.fixture
def with_mirror(appliance: Factory, network: Path, packaged_manifest: str, cpu_image: str, tmp_path: Path) -> Appliance:
    """vcam that fetches its network from a server beside it, which stops halfway until /mirror/go is there."""
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "network.onnx").write_bytes(network.read_bytes())
    (mirror / "manifest.toml").write_text(manifest_for(network, "http://mirror:8000/network.onnx"))
    server = {
        "image": cpu_image, "entrypoint": ["python3", "-c", MIRROR], "volumes": [f"{mirror}:/mirror:ro"],
        "stop_grace_period": "0s", "healthcheck": {"test": ["CMD", "true"], "interval": "1s"},
    }  # fmt: skip
    return appliance(
        *("run", "-i", "test:320x180@10", "-o", "null:", "-q", "fast"),
        more={"volumes": [f"{mirror}/manifest.toml:{packaged_manifest}:ro"]},
        others={"mirror": server},
    )


def test_the_first_start_fetches_the_network_under_a_card_and_the_second_is_live_at_once(
    with_mirror: Appliance, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vcam = with_mirror
    vcam.up("mirror", "vcam")

    eventually(lambda: "model.progress" in vcam.events(), f"no progress in the log:\n{vcam.text()}")
    health = json.loads(vcam.get("/healthz")[1])
    assert (health["ok"], health["state"], health["safe_reason"]) == (True, "starting", "engine_loading")
    assert vcam.health() == "healthy"
    (tmp_path / "mirror/go").touch()
    vcam.wait_live()
    events = vcam.events()
    order = ["output.opened", "model.step", "model.progress", "model.prepared", "engine.ready", "pipeline.state live"]
    assert [each for each in dict.fromkeys(events) if each in order] == order
    first_s = vcam.seconds_to_live()

    vcam.compose("stop", "mirror", "vcam")
    vcam.compose("up", "-d", "--no-build", "vcam")
    started = vcam.started_at()
    vcam.wait_live(since=started)
    again = vcam.events(since=started)
    assert not [each for each in again if each.startswith("model.")]
    ready = next(each for each in vcam.logs(since=started) if each["event"] == "engine.ready")
    assert ready["engine"] in ("openvino", "onnxruntime")
    with capsys.disabled():
        print(f"\nLIVE after {first_s:.2f} s at the first start, {vcam.seconds_to_live():.2f} s at the second")  # noqa: T201


def test_without_network_it_says_so_and_goes_on_with_the_engine_that_needs_none(appliance: Factory) -> None:
    vcam = appliance("run", "-i", "test:320x180@10", "-o", "null:", more={"network_mode": "none", "ports": []})
    override = vcam.overrides[0].read_text().replace("ports: []", "ports: !reset []")
    vcam.overrides[0].write_text(override)
    vcam.up()
    eventually(lambda: "engine.ready" in vcam.events(), "no engine")
    problem = next(event for event in vcam.logs() if event["event"] == "engine.no_network")
    assert "vcam model prepare" in problem["hint"]
    ready = next(event for event in vcam.logs() if event["event"] == "engine.ready")
    assert (ready["engine"], vcam.restarts()) == ("plate", 0)
