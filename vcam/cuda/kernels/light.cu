// light: what the background around the person sheds on them, on a coarse grid over a view; see native/look.h.
#include "cells.cuh"
#include "edge.cuh"

namespace vcam::cuda {

VCAM_KERNEL(8) light_cells(VCAM_ARGUMENT LightArguments p) {
    const int x = thread_x(), y = thread_y();
    if (x >= p.columns || y >= p.rows) return;
    const int index = y * p.columns + x, plane = p.columns * p.rows;
    const Taps nodes(axis(&p.matte.view->light_x, p.matte.width), axis(&p.matte.view->light_y, p.matte.height), x, y);
    const AlphaMatte planes(p.matte);
    const auto at = [&](int n) { return nodes.between([&](int node) { return planes.value<kAny>(n, node); }); };
    const auto colour = [&](const float* rgb) {
        return pixel::Vec3<float>{load<float>(rgb + index), load<float>(rgb + plane + index),
                                  load<float>(rgb + 2 * plane + index)};
    };
    const float alpha = pixel::alpha(at(0), at(1), pixel::gray(colour(p.camera)));
    const pixel::Vec3<float> light = look::light(alpha, colour(p.background));
    p.cells[index] = make_float4(light.x, light.y, light.z, 0.0f);
}

// Six passes, three along rows and three along columns, back and forth through the scratch.
VCAM_KERNEL(8) light_smooth(VCAM_ARGUMENT LightArguments p) {
    const int x = thread_x(), y = thread_y();
    if (x >= p.columns || y >= p.rows) return;
    const bool away = p.number % 2 == 0;
    box_pass(blur::light_box(p.columns, p.rows), away ? p.cells : p.scratch, away ? p.scratch : p.cells, x, y,
             p.columns, p.rows, p.number < kPasses / 2);
}

VCAM_KERNEL(8) light_finish(VCAM_ARGUMENT LightArguments p) {
    const int x = thread_x(), y = thread_y();
    if (x >= p.columns || y >= p.rows) return;
    const int index = y * p.columns + x, plane = p.columns * p.rows;
    const float4 cell = load<float4>(p.cells + index);
    p.rgb[index] = pixel::unit(cell.x);
    p.rgb[plane + index] = pixel::unit(cell.y);
    p.rgb[2 * plane + index] = pixel::unit(cell.z);
}

}  // namespace vcam::cuda
