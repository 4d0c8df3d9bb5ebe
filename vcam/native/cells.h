// Grids of cells (r, g, b, weight each) and their blur by boxes.
#pragma once

#include "blur_plan.h"
#include "simd.h"

namespace vcam::VCAM_ISA {

typedef float Cell __attribute__((vector_size(16)));  // r * w, g * w, b * w, w
typedef double Sum __attribute__((vector_size(32)));  // of cells: in float a running sum would drift

using blur::Box;

constexpr int kMargin = blur::kMaxRadius + 1;

VCAM_HD Cell cell_at(const float* cells, ptrdiff_t index) {
    Cell c;
    memcpy(&c, cells + 4 * index, sizeof c);
    return c;
}

VCAM_HD void set_cell(float* cells, ptrdiff_t index, Cell c) { memcpy(cells + 4 * index, &c, sizeof c); }

// A line of cells with room for the empty ones that a box sees before and behind it.
struct Line {
    Cell cells[kMargin + kMaxBlurCells + kMargin];
    Cell* first() { return cells + kMargin; }
    void empty_margins(int n, int width) {
        for (int i = 1; i <= width; ++i) first()[-i] = first()[n - 1 + i] = Cell{};
    }
};

inline void box_pass(const Box& box, const Cell* in, Cell* out, int n) {
    const auto wide = [](Cell c) { return __builtin_convertvector(c, Sum); };
    const float norm = box.norm();
    const int r = box.radius;
    Sum sum = {};
    for (int i = 0; i < r && i < n; ++i) sum += wide(in[i]);
    for (int i = 0; i < n; ++i) {
        sum += wide(in[i + r]) - wide(in[i - r - 1]);
        out[i] = norm * (__builtin_convertvector(sum, Cell) + box.share * (in[i + r + 1] + in[i - r - 1]));
    }
}

// Three boxes are a Gaussian to the eye. n cells, `step` cells apart, in place.
inline void smooth_line(const Box& box, float* cells, int n, ptrdiff_t step) {
    Line a, b;
    a.empty_margins(n, box.radius + 1);
    b.empty_margins(n, box.radius + 1);
    for (int i = 0; i < n; ++i) a.first()[i] = cell_at(cells, i * step);
    box_pass(box, a.first(), b.first(), n);
    box_pass(box, b.first(), a.first(), n);
    box_pass(box, a.first(), b.first(), n);
    for (int i = 0; i < n; ++i) set_cell(cells, i * step, b.first()[i]);
}

}  // namespace vcam::VCAM_ISA
