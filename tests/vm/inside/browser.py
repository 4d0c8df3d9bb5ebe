"""Chromium as an application that uses the camera: browser.py LABEL FOLDER

Opens the camera whose name begins with LABEL by getUserMedia and plays it. Then, again and again until it ends, tells
{"at": CLOCK_MONOTONIC, "played": seconds of video, "width", "height", "camera", "problem"} and keeps the video's
picture in FOLDER/canvas.png. Whoever makes FOLDER/shoot gets the page's in FOLDER/page.png, and shoot is gone. The
browser is spoken to by its debugging pipe.
"""

import base64
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

PAGE = """<!doctype html><title>camera</title>
<body style="margin:0;overflow:hidden;background:#234;color:white;font:20px sans-serif">
<p id=name>no camera yet</p><video id=video autoplay muted playsinline style=width:100%></video><script>
const video = document.getElementById("video");
let problem = "", camera = "";
async function play(label) {
  const devices = await navigator.mediaDevices.enumerateDevices();
  const found = devices.find(device => device.kind == "videoinput" && device.label.startsWith(label));
  if (!found) throw new Error("no " + label + " among " + devices.map(device => device.label));
  const wanted = {video: {deviceId: {exact: found.deviceId}}};
  video.srcObject = await navigator.mediaDevices.getUserMedia(wanted);
  document.getElementById("name").textContent = camera = found.label;
  await video.play();
}
function look() {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  if (canvas.width) canvas.getContext("2d").drawImage(video, 0, 0);
  const png = canvas.width ? canvas.toDataURL("image/png").split(",")[1] : "";
  return {played: video.currentTime, width: canvas.width, height: canvas.height, camera, problem, png};
}
play("LABEL").catch(error => problem = error.name + ": " + error.message);
</script>"""
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --use-fake-ui-for-media-stream --no-first-run --disable-extensions "
    "--disable-component-update --disable-background-networking --disable-sync --mute-audio --disable-breakpad "
    "--user-data-dir=/run/chromium --window-size=640,480 --remote-debugging-pipe"
)


class Browser:
    """Chromium's debugging protocol: JSON, ended by a zero byte."""

    def __init__(self) -> None:
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        command = f"exec chromium {FLAGS} about:blank 3<&{theirs_in} 4>&{theirs_out} 2>/run/chromium.log"
        subprocess.Popen(("bash", "-c", command), pass_fds=(theirs_in, theirs_out))
        os.close(theirs_in)
        os.close(theirs_out)
        self._out, self._in = os.fdopen(ours_out, "wb", buffering=0), os.fdopen(ours_in, "rb")
        self._count = 0
        self._session: dict[str, str] = {}
        # Else names are told only to who has opened a camera; and the first one may be held by vcam.
        self.call("Browser.grantPermissions", permissions=["videoCapture"])
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = {"sessionId": self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}

    def call(self, method: str, **params: object) -> dict[str, Any]:
        self._count += 1
        question = {"id": self._count, "method": method, "params": params, **self._session}
        self._out.write(json.dumps(question).encode() + b"\0")
        while True:
            answer = json.loads(self._message())
            if answer.get("id") == self._count:
                result: dict[str, Any] = answer["result"]
                return result

    def _message(self) -> bytes:
        data = bytearray()
        while (byte := self._in.read(1)) != b"\0":
            if not byte:
                sys.exit("the browser is gone: " + Path("/run/chromium.log").read_text()[-2000:])
            data += byte
        return bytes(data)


def serve(page: bytes) -> int:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *_: object) -> None:
            """Nothing: its lines would be among ours."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def keep(place: Path, data: str) -> None:
    """Whole or not at all: it is read while it is written."""
    place.with_suffix(".new").write_bytes(base64.b64decode(data))
    place.with_suffix(".new").rename(place)


def main(label: str, folder: Path) -> None:
    port = serve(PAGE.replace("LABEL", label).encode())
    browser = Browser()
    browser.call("Page.navigate", url=f"http://localhost:{port}/")
    while True:
        time.sleep(1.5)  # looking costs the emulated processor more than playing
        result = browser.call("Runtime.evaluate", expression="JSON.stringify(look())")["result"]
        if "value" not in result:
            continue
        seen = json.loads(result["value"])
        png = seen.pop("png")
        if png:
            keep(folder / "canvas.png", png)
        if (folder / "shoot").exists():
            keep(folder / "page.png", browser.call("Page.captureScreenshot")["data"])
            (folder / "shoot").unlink()
        sys.stdout.write(json.dumps({"at": time.monotonic(), **seen}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
