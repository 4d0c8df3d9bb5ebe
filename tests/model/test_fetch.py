"""Downloads from a local server that can be told to misbehave."""

import fcntl
import hashlib
import http.server
import socketserver
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from vcam.errors import MissingDependencyError, ModelError, ModelFetchError
from vcam.installing import how_to_add
from vcam.model.fetch import ATTEMPTS, fetch, import_file, present
from vcam.model.manifest import Manifest, ModelEntry, Refiner
from vcam.model.progress import Progress, Step

CONTENT = np.random.default_rng(0).bytes(400_000)


@dataclass
class Behaviour:
    """cuts: for each request in turn, after how many bytes the connection is cut (None: not at all)."""

    body: bytes = CONTENT
    cuts: list[int | None] = field(default_factory=list)
    ranges: bool = True
    status: int = 200
    announce: bool = True
    redirect: str = ""
    refuse_ranges: bool = False
    requests: list[str] = field(default_factory=list)


class Handler(http.server.BaseHTTPRequestHandler):
    behaviours: dict[str, Behaviour]

    def do_GET(self) -> None:
        behaviour = self.behaviours[self.path]
        wanted = self.headers.get("Range", "")
        behaviour.requests.append(wanted)
        if behaviour.redirect:
            self.send_response(302)
            self.send_header("Location", behaviour.redirect)
            self.end_headers()
            return
        if wanted and behaviour.refuse_ranges:
            self.send_error(416)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and behaviour.ranges else 0
        self.send_response(206 if start else behaviour.status)
        body = behaviour.body[start:]
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(behaviour.body) - 1}/{len(behaviour.body)}")
        if behaviour.announce:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut = behaviour.cuts.pop(0) if behaviour.cuts else None
        self.wfile.write(body[:cut])
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


@dataclass
class Mirrors:
    base: str
    behaviours: dict[str, Behaviour]

    def add(self, path: str, behaviour: Behaviour) -> str:
        self.behaviours[path] = behaviour
        return self.base + path


@pytest.fixture
def mirrors(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirrors]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    behaviours: dict[str, Behaviour] = {}
    handler = type("Bound", (Handler,), {"behaviours": behaviours})
    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Mirrors(f"http://127.0.0.1:{server.server_port}", behaviours)
        server.shutdown()
        thread.join()


def entry(*urls: str, content: bytes = CONTENT) -> ModelEntry:
    return ModelEntry(
        name="net",
        file="net.onnx",
        title="",
        origin="",
        licence="",
        urls=urls,
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        refiner=Refiner.DEEP,
        inputs=(),
        outputs=(),
    )


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_whole_and_progress_is_told(mirrors: Mirrors, tmp_path: Path) -> None:
    told: list[Progress] = []
    path = fetch(entry(mirrors.add("/net", Behaviour())), tmp_path / "models", told.append)
    assert path.read_bytes() == CONTENT
    assert files(tmp_path / "models") == ["net.onnx"]
    assert {each.step for each in told} == {Step.FETCH}
    assert [each.done for each in told] == sorted(each.done for each in told)
    assert (told[-1].done, told[-1].total) == (len(CONTENT), len(CONTENT))


def test_what_is_there_is_not_fetched_again(mirrors: Mirrors, tmp_path: Path) -> None:
    behaviour = Behaviour()
    wanted = entry(mirrors.add("/net", behaviour))
    fetch(wanted, tmp_path)
    fetch(wanted, tmp_path)
    assert len(behaviour.requests) == 1


def test_a_damaged_file_is_fetched_again(mirrors: Mirrors, tmp_path: Path) -> None:
    wanted = entry(mirrors.add("/net", Behaviour()))
    (tmp_path / "net.onnx").write_bytes(CONTENT[:-1] + b"!")
    assert present(wanted, tmp_path) is None
    assert fetch(wanted, tmp_path).read_bytes() == CONTENT


def test_a_cut_connection_is_taken_up_where_it_ended(mirrors: Mirrors, tmp_path: Path) -> None:
    behaviour = Behaviour(cuts=[150_000, 100_000])
    path = fetch(entry(mirrors.add("/net", behaviour)), tmp_path)
    assert path.read_bytes() == CONTENT
    assert behaviour.requests == ["", "bytes=150000-", "bytes=250000-"]


def test_a_later_run_goes_on_with_what_an_earlier_one_left(mirrors: Mirrors, tmp_path: Path) -> None:
    behaviour = Behaviour(cuts=[1000] * ATTEMPTS)
    wanted = entry(mirrors.add("/net", behaviour))
    with pytest.raises(ModelFetchError, match="could not be downloaded"):
        fetch(wanted, tmp_path)
    assert files(tmp_path) == ["net.onnx.part"]
    behaviour.requests.clear()
    assert fetch(wanted, tmp_path).read_bytes() == CONTENT
    assert behaviour.requests == [f"bytes={1000 * ATTEMPTS}-"]
    assert files(tmp_path) == ["net.onnx"]


def test_another_mirror_goes_on_with_the_same_bytes(mirrors: Mirrors, tmp_path: Path) -> None:
    dying = Behaviour(cuts=[5000, *[0] * ATTEMPTS])
    second = Behaviour()
    path = fetch(entry(mirrors.add("/a", dying), mirrors.add("/b", second)), tmp_path)
    assert path.read_bytes() == CONTENT
    assert second.requests == ["bytes=5000-"]


def test_a_server_without_ranges_starts_again(mirrors: Mirrors, tmp_path: Path) -> None:
    behaviour = Behaviour(cuts=[150_000], ranges=False)
    assert fetch(entry(mirrors.add("/net", behaviour)), tmp_path).read_bytes() == CONTENT
    assert len(behaviour.requests) == 2


def test_a_server_that_refuses_to_go_on_is_asked_from_the_start(mirrors: Mirrors, tmp_path: Path) -> None:
    behaviour = Behaviour(refuse_ranges=True)
    (tmp_path / "net.onnx.part").write_bytes(CONTENT[:10])
    assert fetch(entry(mirrors.add("/net", behaviour)), tmp_path).read_bytes() == CONTENT
    assert behaviour.requests == ["bytes=10-", ""]


def test_without_an_announced_length_a_cut_is_still_seen(mirrors: Mirrors, tmp_path: Path) -> None:
    behaviour = Behaviour(cuts=[150_000], announce=False)
    assert fetch(entry(mirrors.add("/net", behaviour)), tmp_path).read_bytes() == CONTENT
    assert behaviour.requests == ["", "bytes=150000-"]


def test_redirects_are_followed(mirrors: Mirrors, tmp_path: Path) -> None:
    mirrors.add("/real", Behaviour())
    url = mirrors.add("/net", Behaviour(redirect=mirrors.base + "/real"))
    assert fetch(entry(url), tmp_path).read_bytes() == CONTENT


WRONG = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])


@pytest.mark.parametrize(
    "first",
    [
        Behaviour(status=404),
        Behaviour(status=503),
        Behaviour(body=b"<html>log in</html>"),
        Behaviour(body=CONTENT + b"more", announce=False),
        Behaviour(body=WRONG),
        Behaviour(cuts=[0] * ATTEMPTS),
    ],
    ids=["absent", "busy", "page", "too-long", "wrong-hash", "dead"],
)
def test_a_mirror_that_fails_is_passed_over(
    mirrors: Mirrors, tmp_path: Path, first: Behaviour, caplog: pytest.LogCaptureFixture
) -> None:
    path = fetch(entry(mirrors.add("/a", first), mirrors.add("/b", Behaviour())), tmp_path)
    assert path.read_bytes() == CONTENT
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == ["model.mirror_failed"]


def test_what_no_mirror_delivers_is_told_by_the_error_alone(
    mirrors: Mirrors, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Who tries again for days tells it now and then."""
    with pytest.raises(ModelFetchError, match="HTTP status 404"):
        fetch(entry(mirrors.add("/a", Behaviour(status=404))), tmp_path)
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == []


def test_a_wrong_file_never_counts(mirrors: Mirrors, tmp_path: Path) -> None:
    wanted = entry(mirrors.add("/a", Behaviour(body=WRONG)), "http://127.0.0.1:9/b")
    with pytest.raises(ModelFetchError, match=r"SHA-256.*; http://127.0.0.1:9/b: ConnectError") as caught:
        fetch(wanted, tmp_path)
    assert files(tmp_path) == []
    assert "vcam model prepare --from FILE" in caught.value.hint


def test_a_bad_start_left_by_an_earlier_run_is_found_out(mirrors: Mirrors, tmp_path: Path) -> None:
    (tmp_path / "net.onnx.part").write_bytes(b"x" * 500)
    assert fetch(entry(mirrors.add("/net", Behaviour())), tmp_path).read_bytes() == CONTENT


def test_the_proxy_of_the_environment_is_used(
    mirrors: Mirrors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrors.add("http://models.invalid/net", Behaviour())  # a proxy is asked for the whole URL
    monkeypatch.setenv("http_proxy", mirrors.base)
    monkeypatch.setenv("no_proxy", "")
    assert fetch(entry("http://models.invalid/net"), tmp_path).read_bytes() == CONTENT


def test_a_full_disk_is_told(mirrors: Mirrors, tmp_path: Path) -> None:
    (tmp_path / "net.onnx.part").symlink_to("/dev/full")
    with pytest.raises(ModelFetchError, match="No space left") as caught:
        fetch(entry(mirrors.add("/net", Behaviour())), tmp_path)
    assert "free some space" in caught.value.hint
    assert "--from FILE" in caught.value.hint


def test_a_folder_that_cannot_be_made_is_told(mirrors: Mirrors, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("in the way")
    with pytest.raises(ModelFetchError, match="cannot be written"):
        fetch(entry(mirrors.add("/net", Behaviour())), tmp_path / "models")


def test_two_downloads_do_not_write_one_file(mirrors: Mirrors, tmp_path: Path) -> None:

    with (tmp_path / "net.onnx.part").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ModelFetchError, match="another process"):
            fetch(entry(mirrors.add("/net", Behaviour())), tmp_path)


def test_without_httpx_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(MissingDependencyError) as caught:
        fetch(entry("http://127.0.0.1:9/"), tmp_path)
    assert how_to_add("model") in caught.value.hint


def test_a_known_file_is_imported_under_its_published_name(tmp_path: Path) -> None:
    source = tmp_path / "downloaded (1).onnx"
    source.write_bytes(CONTENT)
    wanted = entry("http://127.0.0.1:9/")
    imported = import_file(source, tmp_path / "models", Manifest((wanted,)))
    assert imported.entry is wanted
    assert present(wanted, tmp_path / "models") == imported.path
    assert files(tmp_path / "models") == ["net.onnx"]


def test_a_file_of_ones_own_keeps_its_name(tmp_path: Path) -> None:
    source = tmp_path / "mine.onnx"
    source.write_bytes(b"my network")
    imported = import_file(source, tmp_path / "models", Manifest((entry("http://127.0.0.1:9/"),)))
    assert imported.entry is None
    assert imported.path == tmp_path / "models" / "mine.onnx"
    assert imported.path.read_bytes() == b"my network"
    again = import_file(imported.path, tmp_path / "models", Manifest(()))
    assert again.path.read_bytes() == b"my network"


def test_an_import_never_replaces_another_file(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "README.md").write_text("words of ours")
    source = tmp_path / "README.md"
    source.write_text("other words")
    with pytest.raises(ModelError, match="is there already"):
        import_file(source, folder, Manifest(()))
    assert (folder / "README.md").read_text() == "words of ours"


def test_a_truncated_copy_of_a_published_file_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "net.onnx"
    source.write_bytes(CONTENT[:1000])
    with pytest.raises(ModelError, match="truncated"):
        import_file(source, tmp_path / "models", Manifest((entry("http://127.0.0.1:9/"),)))


def test_importing_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="directory"):
        import_file(tmp_path, tmp_path / "models", Manifest(()))
