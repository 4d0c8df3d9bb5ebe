"""pixel.h and look.h are the one definition of the arithmetic: nvcc must take them too."""

import shutil
import subprocess
from pathlib import Path

import pytest

NATIVE = Path(__file__).parents[2] / "vcam" / "native"

KERNEL = r"""
#include "look.h"

using namespace vcam;
using namespace vcam::pixel;

extern "C" __global__ void everything(const float* in, float* out, Matrix34 to_rgb, Matrix34 to_levels, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const Tap t = tap(i, 0.2f, 0.0f, n);
    const Span s = span(i, 2.5f, 0.0f, n);
    const Vec3<float> rgb = decode(to_rgb, in[t.first], in[t.second], lerp(in[s.first], in[s.last], t.weight));
    const float a = alpha(in[0], in[1], gray(rgb));
    const Vec3<float> fg = {foreground(in[2], in[3], rgb.x), foreground(in[4], in[5], rgb.y), rgb.z};
    out[i] = level(blend(a, encode(to_levels, fg).x, in[i])) + room_weight(a, 32.0f) + s.middle_weight;
}

extern "C" __global__ void person(const float* in, float* out, const look::Look* l) {
    const look::RowLook row = look::row_look(*l, threadIdx.x);
    const Vec3<float> light = look::light(in[0], Vec3<float>{in[1], in[2], in[3]});
    const Vec3<float> c = look::shown(*l, row, look::lit(*l, look::graded(*l, light), light));
    out[threadIdx.x] = look::cover(*l, row, in[4]) * (c.x + c.y + c.z);
}
"""


@pytest.mark.parametrize("architecture", ["sm_75", "sm_90"])
def test_nvcc_compiles_the_header_for_the_device(architecture: str, tmp_path: Path) -> None:
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        pytest.skip("nvcc is not on PATH")
    source = tmp_path / "everything.cu"
    source.write_text(KERNEL)
    command = [nvcc, "-cubin", "-std=c++17", f"-arch={architecture}", "-Werror", "all-warnings", f"-I{NATIVE}"]
    done = subprocess.run([*command, "-o", str(tmp_path / "out.cubin"), str(source)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
