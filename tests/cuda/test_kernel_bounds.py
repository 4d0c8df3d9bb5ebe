"""No kernel touches a byte that is not its own, nor does what C++ leaves undefined: run under AddressSanitizer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.host_kernels import SANITIZE, compiler

ROOT = Path(__file__).parents[2]

SHORT = """
from tests.cuda.kernel_rig import KernelRig
from tests.native.pictures import noise
from tests.support.host_kernels import host_kernels
from vcam.fakes import FakeDriver
from vcam.frame import PixelFormat, Size, VideoFormat
with KernelRig(FakeDriver(host_kernels()), b"") as rig:
    picture = rig.picture(noise(VideoFormat(PixelFormat.GREY, 40, 24)))
    taller = type(picture)(picture.format.resized(Size(40, {rows})), picture.planes)
    out = rig.memory(noise(VideoFormat(PixelFormat.GREY, 4 * 3 * 32, 32)).planes[0])
    rig.kernels.sample(taller, out, Size(32, 32), half=False, cuda_stream=rig.stream)
    rig.read(out, (1,), "u1")
"""


def sanitizer() -> str:
    """Its library. Skips where the compiler has none."""
    cxx = compiler()
    assert cxx is not None
    told = subprocess.run([cxx, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    path = Path(told.stdout.strip())
    if not path.is_absolute():
        pytest.skip(f"{cxx} has no AddressSanitizer. Remedy: GCC's libasan (Debian: libasan8)")
    return str(path.resolve())


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """This Python, with kernels that are watched."""
    watched = {**os.environ, "LD_PRELOAD": sanitizer(), "ASAN_OPTIONS": "detect_leaks=0", SANITIZE: "1"}
    return subprocess.run([sys.executable, *command], env=watched, capture_output=True, text=True, cwd=ROOT)


@pytest.mark.timeout(900)
def test_the_kernels_stay_within_their_memory() -> None:
    tests = [
        f"tests/cuda/test_{name}.py"
        for name in ("kernels", "kernel_blur", "kernel_edge", "kernel_look", "kernel_grow", "kernel_light")
    ]
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=800", *tests)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(300)
def test_reading_one_row_too_many_is_found() -> None:
    assert run("-c", SHORT.format(rows=24)).returncode == 0
    done = run("-c", SHORT.format(rows=25))
    assert done.returncode != 0
    assert "AddressSanitizer: use-after-poison" in done.stderr
