"""Runs in the guest: starts programs for the host and tells it when they end. One JSON object a line, both ways.

Asked: {"start": ID, "command": TEXT} or {"signal": ID, "number": N}. Told: {"ready": true}, {"ended": ID, "code": N}.
A program's output goes to /host/jobs/ID.out, which the host sees as it grows. It has a process group of its own.
"""

import json
import os
import subprocess
import threading
from pathlib import Path
from typing import IO, Any

PORT = Path("/dev/virtio-ports/vcam.agent")
JOBS = Path("/host/jobs")


class Agent:
    def __init__(self, port: IO[bytes]) -> None:
        self._port = port
        self._lock = threading.Lock()
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def serve(self) -> None:
        self._tell({"ready": True})
        for line in self._port:
            asked = json.loads(line)
            if "start" in asked:
                self._start(asked["start"], asked["command"])
            else:
                self._signal(asked["signal"], asked["number"])

    def _start(self, job: int, command: str) -> None:
        with (JOBS / f"{job}.out").open("wb") as output:
            process = subprocess.Popen(
                ("bash", "-c", command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running[job] = process
        threading.Thread(target=self._await, args=(job, process), daemon=True).start()

    def _await(self, job: int, process: subprocess.Popen[bytes]) -> None:
        self._tell({"ended": job, "code": process.wait()})

    def _signal(self, job: int, number: int) -> None:
        if self._running[job].poll() is None:
            os.killpg(self._running[job].pid, number)

    def _tell(self, fact: dict[str, Any]) -> None:
        with self._lock:
            self._port.write(json.dumps(fact).encode() + b"\n")


if __name__ == "__main__":
    with PORT.open("r+b", buffering=0) as opened:
        Agent(opened).serve()
    # The tests are gone, however they went: so is what they started.
    subprocess.run(("systemctl", "poweroff", "--force", "--force"), check=True)
