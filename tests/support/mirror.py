"""A mirror of the default network that cannot be reached at first."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from vcam.model.manifest import DEFAULT_MODEL, Manifest, ModelEntry, Refiner
from vcam.pipeline import assemble_model


class Mirror:
    """Refuses connections until ``open``."""

    def __init__(self, network: Path) -> None:
        content = network.read_bytes()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
        self._server.server_bind()
        self._serving: threading.Thread | None = None
        self.entry = ModelEntry(
            name=DEFAULT_MODEL,
            file=f"{DEFAULT_MODEL}.onnx",
            title="",
            origin="",
            licence="",
            urls=(f"http://127.0.0.1:{self._server.server_port}/{DEFAULT_MODEL}.onnx",),
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            refiner=Refiner.DEEP,
            inputs=(),
            outputs=(),
        )

    def open(self) -> None:
        self._server.server_activate()
        self._serving = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._serving.start()

    def close(self) -> None:
        if self._serving is not None:
            self._server.shutdown()
            self._serving.join()
        self._server.server_close()


@contextmanager
def mirrored(network: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """``network`` is what vcam takes for its default one, and asks for again at once."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    mirror = Mirror(network)
    monkeypatch.setattr("vcam.model.prepare.load_manifest", lambda: Manifest((mirror.entry,)))
    monkeypatch.setattr(assemble_model, "_RETRY_S", 0.01)
    try:
        yield mirror
    finally:
        mirror.close()
