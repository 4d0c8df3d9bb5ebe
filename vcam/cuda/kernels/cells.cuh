// Grids of cells (r, g, b, weight each) and their blur by boxes.
#pragma once

#include "picture.cuh"

namespace vcam::cuda {

VCAM_D float4 operator+(float4 a, float4 b) { return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w); }
VCAM_D float4 operator-(float4 a, float4 b) { return make_float4(a.x - b.x, a.y - b.y, a.z - b.z, a.w - b.w); }
VCAM_D float4 operator*(float s, float4 a) { return make_float4(s * a.x, s * a.y, s * a.z, s * a.w); }
VCAM_D float4 operator/(float4 a, float s) { return make_float4(a.x / s, a.y / s, a.z / s, a.w / s); }
VCAM_D float4 zero() { return make_float4(0.0f, 0.0f, 0.0f, 0.0f); }

// Cells along one line, `step` apart; none before the first or after the last.
VCAM_D float4 box_at(const blur::Box& box, const float4* line, int step, int i, int count) {
    const int first = i - box.radius > 0 ? i - box.radius : 0;
    const int last = i + box.radius < count - 1 ? i + box.radius : count - 1;
    float4 sum = zero(), ends = zero();
#pragma unroll 4
    for (int j = first; j <= last; ++j) sum = sum + load<float4>(line + j * step);
    const int before = i - box.radius - 1, after = i + box.radius + 1;
    if (after < count) ends = load<float4>(line + after * step);
    if (before >= 0) ends = ends + load<float4>(line + before * step);
    return box.norm() * (sum + box.share * ends);
}

VCAM_D void box_pass(const blur::Box& box, const float4* from, float4* to, int x, int y, int columns, int rows,
                     bool along_rows) {
    to[y * columns + x] = along_rows ? box_at(box, from + y * columns, 1, x, columns)
                                     : box_at(box, from + x, columns, y, rows);
}

// Six passes: three along rows, then three along columns.
constexpr int kPasses = 6;

}  // namespace vcam::cuda
