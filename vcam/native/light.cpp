// light: what the background around the person sheds on them, on a coarse grid over the view.
#include "cells.h"
#include "loops.h"

namespace vcam::VCAM_ISA {
namespace {

void light_row(const Light& job, int y) {
    const Matte& m = job.matte;
    const ptrdiff_t plane = static_cast<ptrdiff_t>(job.columns) * job.rows;
    const ptrdiff_t low = static_cast<ptrdiff_t>(m.width) * m.height;
    const pixel::Tap row = pixel::tap(y, static_cast<float>(job.rows) / m.window.height, m.window.y, m.height);
    const float scale = static_cast<float>(job.columns) / m.window.width;
    const auto node = [&](const float* values, const pixel::Tap& x) {
        const float *upper = values + 3 * low + static_cast<ptrdiff_t>(row.first) * m.width,
                    *lower = values + 3 * low + static_cast<ptrdiff_t>(row.second) * m.width;
        return pixel::lerp(pixel::lerp(upper[x.first], upper[x.second], x.weight),
                           pixel::lerp(lower[x.first], lower[x.second], x.weight), row.weight);
    };
    for (int x = 0; x < job.columns; ++x) {
        const pixel::Tap tap = pixel::tap(x, scale, m.window.x, m.width);
        const ptrdiff_t i = static_cast<ptrdiff_t>(y) * job.columns + x;
        const auto at = [&](const float* rgb) {
            return pixel::Vec3<float>{rgb[i], rgb[plane + i], rgb[2 * plane + i]};
        };
        const float alpha = pixel::alpha(m.gain * node(m.a, tap), m.gain * node(m.b, tap) + m.offset,
                                         pixel::gray(at(job.camera)));
        const pixel::Vec3<float> light = look::light(alpha, at(job.background));
        set_cell(job.cells, i, Cell{light.x, light.y, light.z, 0.0f});
    }
}

}  // namespace

void light(const Light& job, int threads) {
    const Box box = blur::light_box(job.columns, job.rows);
    const ptrdiff_t plane = static_cast<ptrdiff_t>(job.columns) * job.rows;
#pragma omp parallel num_threads(threads)
    {
#pragma omp for
        for (int y = 0; y < job.rows; ++y) {
            light_row(job, y);
            smooth_line(box, job.cells + 4 * static_cast<ptrdiff_t>(y) * job.columns, job.columns, 1);
        }
#pragma omp for
        for (int x = 0; x < job.columns; ++x) smooth_line(box, job.cells + 4 * x, job.rows, job.columns);
#pragma omp for
        for (ptrdiff_t i = 0; i < plane; ++i)
            for (int c = 0; c < 3; ++c) job.out[c * plane + i] = pixel::unit(job.cells[4 * i + c]);
    }
    (void)threads;
}

}  // namespace vcam::VCAM_ISA
