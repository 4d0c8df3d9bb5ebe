"""A USB webcam for uvcvideo: USB/IP spoken to vhci-hcd over a socket pair. Ending it pulls the cable.

It tells of its light, which is on while the driver streams, {"light": true, "at": CLOCK_MONOTONIC seconds}, and of its
frames, {"frames": how many were sent, "at"}; a line each.

webcam.py FILE   FILE: JSON {"port": 0, "serial": "A1", "modes": [{"fourcc": "YUYV", "size": [320, 180], "fps": [5],
                 "frames": FOLDER}]}. The files of FOLDER, by name, are the frames, in turn. SIGUSR1: refuse every mode
                 from now on, or, the next time, no more.

USB Video Class 1.0 with one bulk endpoint. Of the class's specification: 3.9 (streaming descriptors), 4.3 (probe and
commit); of Linux' usbip_protocol.rst: the commands.
"""

import collections
import json
import signal
import socket
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any

ATTACH = Path("/sys/devices/platform/vhci_hcd.0/attach")
HIGH_SPEED = 3
SUBMIT, UNLINK, SUBMITTED, UNLINKED = 1, 2, 3, 4
STALLED, CONNECTION_RESET = -32, -104
INTERVALS_PER_S = 10_000_000
BITS_PER_BYTE = 8
VENDOR_PRODUCT = (0x1D6B, 0x0102)
COLOURS = bytes([6, 0x24, 0x0D, 1, 1, 4])  # BT.709 primaries and transfer, SMPTE 170M matrix
YUYV_GUID = bytes.fromhex("5955593200001000800000aa00389b71")
CS_INTERFACE = 0x24
SET_CURRENT, COMMIT, CLEAR_FEATURE = 1, 2, 1


class Mode:
    def __init__(self, told: dict[str, Any]) -> None:
        self.fourcc: str = told["fourcc"]
        self.width, self.height = told["size"]
        self.intervals = [INTERVALS_PER_S // fps for fps in told["fps"]]
        self.frames = [path.read_bytes() for path in sorted(Path(told["frames"]).iterdir())]
        self.largest = max(self.width * self.height * 2, *map(len, self.frames))

    def descriptor(self, index: int) -> bytes:
        kind = 7 if self.fourcc == "MJPG" else 5
        bits = self.largest * BITS_PER_BYTE
        rates = struct.pack(f"<IB{len(self.intervals)}I", self.intervals[0], len(self.intervals), *self.intervals)
        fixed = struct.pack(
            "<BBBBHHIII", CS_INTERFACE, kind, index, 0, self.width, self.height, bits, bits * 30, self.largest
        )
        return sized(fixed + rates)


class Webcam:
    def __init__(self, told: dict[str, Any]) -> None:
        modes = [Mode(each) for each in told["modes"]]
        self.formats = [group for f in ("MJPG", "YUYV") if (group := [m for m in modes if m.fourcc == f])]
        self.texts = {1: "vcam tests", 2: "Test Webcam", 3: told["serial"]}
        self.mode = self.formats[0][0]
        self.probe = b""
        self.refuses = False
        self.negotiate(struct.pack("<HBBI", 1, 1, 1, self.mode.intervals[0]))
        self.socket, theirs = socket.socketpair()
        self.sending = threading.Lock()
        self.wanted: collections.deque[tuple[int, int]] = collections.deque()
        self.newest = 0
        self.taken_back: set[int] = set()
        self.asked = threading.Condition()
        with theirs:
            ATTACH.write_text(f"{told['port']} {theirs.fileno()} {0x10002 + told['port']} {HIGH_SPEED}")

    # -- descriptors

    def device(self) -> bytes:
        return struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x200, 0xEF, 2, 1, 64, *VENDOR_PRODUCT, 0x100, 1, 2, 3, 1)

    def configuration(self) -> bytes:
        control = self.control_interface()
        streaming = self.streaming_interface()
        endpoint = struct.pack("<BBBBHB", 7, 5, 0x81, 2, 512, 0)
        association = bytes([8, 11, 0, 2, 14, 3, 0, 2])
        body = (
            association + bytes([9, 4, 0, 0, 0, 14, 1, 0, 2]) + control
            + bytes([9, 4, 1, 0, 1, 14, 2, 0, 0]) + streaming + endpoint
        )  # fmt: skip
        return struct.pack("<BBHBBBBB", 9, 2, 9 + len(body), 2, 1, 0, 0x80, 250) + body

    def control_interface(self) -> bytes:
        camera = sized(struct.pack("<BBBHBBHHHB3x", CS_INTERFACE, 2, 1, 0x0201, 0, 0, 0, 0, 0, 3))
        terminal = sized(struct.pack("<BBBHBBB", CS_INTERFACE, 3, 3, 0x0101, 0, 1, 0))
        units = camera + terminal
        return sized(struct.pack("<BBHHIBB", CS_INTERFACE, 1, 0x100, 13 + len(units), 48_000_000, 1, 1)) + units

    def streaming_interface(self) -> bytes:
        formats = b""
        for number, modes in enumerate(self.formats, 1):
            if modes[0].fourcc == "MJPG":
                formats += bytes([11, CS_INTERFACE, 6, number, len(modes), 1, 1, 0, 0, 0, 0])
            else:
                formats += bytes([27, CS_INTERFACE, 4, number, len(modes)]) + YUYV_GUID + bytes([16, 1, 0, 0, 0, 0])
            formats += b"".join(mode.descriptor(index) for index, mode in enumerate(modes, 1)) + COLOURS
        count = len(self.formats)
        total = 13 + count + len(formats)
        fixed = struct.pack("<BBBHBBBBBBB", CS_INTERFACE, 1, count, total, 0x81, 0, 3, 0, 0, 0, 1)
        return sized(fixed + bytes(count)) + formats

    # -- requests

    def negotiate(self, wish: bytes) -> None:
        """Probe and commit: the nearest mode becomes the mode."""
        _, kind, frame, interval = struct.unpack_from("<HBBI", wish)
        kind = min(kind or 1, len(self.formats))
        frame = min(frame or 1, len(self.formats[kind - 1]))
        self.mode = mode = self.formats[kind - 1][frame - 1]
        self.interval = min(mode.intervals, key=lambda each: abs(each - interval))
        # hint, format, frame, interval, three rates, a size and a delay that are not used, two sizes
        self.probe = struct.pack(
            "<HBBIHHHHHII", 1, kind, frame, self.interval, 0, 0, 0, 0, 0, mode.largest, mode.largest + 2
        )

    def answer(self, setup: bytes, data: bytes) -> bytes | None:
        """What the default endpoint says; None: stalled."""
        kind, request, value, index, _ = struct.unpack("<BBHHH", setup)
        if kind & 0x60 == 0:
            return self.standard(request, value)
        if kind & 0x60 != 0x20 or index & 0xFF != 1 or value >> 8 not in (1, 2):
            return None
        if request == SET_CURRENT:
            if self.refuses:
                return None
            self.negotiate(data)
            if value >> 8 == COMMIT:
                tell(light=True, at=time.monotonic())
            return b""
        return {0x85: struct.pack("<H", len(self.probe)), 0x86: b"\3"}.get(request, self.probe)

    def toggle_refusal(self, *_: object) -> None:
        self.refuses = not self.refuses

    def standard(self, request: int, value: int) -> bytes | None:
        if request == 6:  # GET_DESCRIPTOR
            kind, index = value >> 8, value & 0xFF
            if kind == 3:
                text = b"\x09\x04" if index == 0 else self.texts.get(index, "").encode("utf-16le")
                return bytes([len(text) + 2, 3]) + text
            return {1: self.device(), 2: self.configuration()}.get(kind)
        if request == CLEAR_FEATURE:  # how Linux ends the streaming of a bulk endpoint
            tell(light=False, at=time.monotonic())
        return {0: b"\0\0", 10: b"\0"}.get(request, b"" if request in (CLEAR_FEATURE, 3, 5, 9, 11) else None)

    # -- USB/IP

    def receive(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def reply(self, sequence: int, status: int, count: int = 0, data: bytes = b"", kind: int = SUBMITTED) -> None:
        with self.sending:
            self.socket.sendall(struct.pack(">IIIIIiiiii8x", kind, sequence, 0, 0, 0, status, count, 0, 0, 0) + data)

    def serve(self) -> None:
        while True:
            command, sequence, _, inward, endpoint = struct.unpack(">IIIII", self.receive(20))
            rest = self.receive(28)
            if command == SUBMIT:
                (length,) = struct.unpack_from(">i", rest, 4)
                data = self.receive(length) if not inward and length else b""
                self.submit(sequence, endpoint, length, rest[20:], data)
            elif command == UNLINK:
                self.unlink(sequence, struct.unpack_from(">I", rest)[0])

    def submit(self, sequence: int, endpoint: int, length: int, setup: bytes, data: bytes) -> None:
        self.newest = max(self.newest, sequence)
        if sequence in self.taken_back:
            return
        if endpoint:
            with self.asked:
                self.wanted.append((sequence, length))
                self.asked.notify()
            return
        answer = self.answer(setup, data)
        if answer is None:
            self.reply(sequence, STALLED)
        elif setup[0] & 0x80:
            self.reply(sequence, 0, min(length, len(answer)), answer[:length])
        else:
            self.reply(sequence, 0, length)

    def unlink(self, sequence: int, victim: int) -> None:
        with self.asked:
            before = len(self.wanted)
            self.wanted = collections.deque(each for each in self.wanted if each[0] != victim)
            found = len(self.wanted) < before
        if victim > self.newest:  # vhci-hcd may take a request back before it makes it
            self.taken_back.add(victim)
        self.reply(sequence, CONNECTION_RESET if found else 0, kind=UNLINKED)

    # -- pictures

    def stream(self) -> None:
        count, due = 0, time.monotonic()
        while True:
            with self.asked:
                if not self.wanted:
                    self.asked.wait_for(lambda: self.wanted)
                    due = max(due, time.monotonic())
                mode = self.mode
            time.sleep(max(0.0, due - time.monotonic()))
            due = max(due + self.interval / INTERVALS_PER_S, time.monotonic() - 0.1)
            self.send(bytes([2, 0x82 | (count & 1)]) + mode.frames[count % len(mode.frames)])
            count += 1
            tell(frames=count, at=time.monotonic())

    def send(self, payload: bytes) -> None:
        """One frame in as many transfers as it takes; a short one ends it."""
        view = memoryview(payload)
        while True:
            with self.asked:
                if not self.asked.wait_for(lambda: self.wanted, timeout=2.0):
                    return
                sequence, length = self.wanted.popleft()
                # Before `unlink` may say of it that it was given back: the kernel hangs up on who speaks of it later.
                self.reply(sequence, 0, len(view[:length]), bytes(view[:length]))
            if len(view) < length:
                return
            view = view[length:]


def tell(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def sized(rest: bytes) -> bytes:
    """A descriptor: its own length goes before the rest."""
    return bytes([len(rest) + 1]) + rest


if __name__ == "__main__":
    webcam = Webcam(json.loads(Path(sys.argv[1]).read_text()))
    signal.signal(signal.SIGUSR1, webcam.toggle_refusal)
    threading.Thread(target=webcam.stream, daemon=True).start()
    webcam.serve()
