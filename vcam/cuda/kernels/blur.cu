// blur: the room behind the person, blurred without the person in it; what each step means is told in native/blur.cpp.
//
// gather, shrink and widen make the cells; smooth runs a box once along rows or columns, six times over the cells and,
// in the same launches, over the middle blur, and six times more for the far one; divide makes colours of them, and
// render brings these to the size of the picture. A box is summed directly by each cell: radii are 20 or so, and a
// running sum would leave the GPU to a few hundred threads.
#include "cells.cuh"
#include "matte.cuh"

namespace vcam::cuda {

using blur::wide_side;

// The pixels of one pair of columns of a cell, each as (r, g, b, 1) by how surely it is room, or person.
VCAM_D float4 room_of_pair(const GatherArguments& p, const Pixels& source, int x, int begin, int end) {
    const AlphaMatte planes{p.matte};
    const Columns<2> columns(nodes_x(p.matte), x, p.grid.width);
    Walk<AlphaMatte, 2> walk(planes, columns, p.matte.height);
    float4 sum = zero();
#pragma unroll 1
    for (int y = begin; y < end; ++y) {
        const pixel::Vec3<float> rgb[2] = {source.at(x, y), source.at(x + 1 < p.grid.width ? x + 1 : x, y)};
        const pixel::Tap row = tap(nodes_y(p.matte), y);
        walk.seek<kAny>(row.first);
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            const float alpha =
                pixel::alpha(walk.at(0, i, row.weight), walk.at(1, i, row.weight), pixel::gray(rgb[i]));
            const float weight = p.person ? pixel::room_weight(1.0f - alpha, blur::kPersonSteepness)
                                          : pixel::room_weight(alpha, blur::kSteepness);
            sum = sum + make_float4(weight * rgb[i].x, weight * rgb[i].y, weight * rgb[i].z, weight);
        }
    }
    return sum;
}

// One cell: the mean of its pixels.
VCAM_KERNEL(8) blur_gather(VCAM_ARGUMENT GatherArguments p) {
    const Grid& g = p.grid;
    const int column = thread_x(), row = thread_y();
    if (column >= g.columns || row >= g.rows) return;
    const Pixels source(p.source, p.decode);
    const int left = column * g.cell, right = left + g.cell < g.width ? left + g.cell : g.width;
    const int begin = row * g.cell, end = begin + g.cell < g.height ? begin + g.cell : g.height;
    float4 sum = zero();
#pragma unroll 1
    for (int x = left; x < right; x += 2) sum = sum + room_of_pair(p, source, x, begin, end);
    const int pairs = (right - left + 1) / 2;
    g.scratch[row * g.columns + column] = sum / static_cast<float>(2 * pairs * (end - begin));
}

// Weakens each cell by the least weight among its neighbours: the person's outline grows by one cell.
VCAM_KERNEL(8) blur_shrink(VCAM_ARGUMENT StepArguments p) {
    const Grid& g = p.grid;
    const int x = thread_x(), y = thread_y();
    if (x >= g.columns || y >= g.rows) return;
    float least = 1.0f;
    for (int j = y > 0 ? y - 1 : 0; j <= y + 1 && j < g.rows; ++j)
        for (int i = x > 0 ? x - 1 : 0; i <= x + 1 && i < g.columns; ++i)
            least = fminf(load<float>(&g.scratch[j * g.columns + i].w), least);
    g.cells[y * g.columns + x] = least * load<float4>(g.scratch + y * g.columns + x);
}

VCAM_KERNEL(8) blur_widen(VCAM_ARGUMENT StepArguments p) {
    const Grid& g = p.grid;
    const int x = thread_x(), y = thread_y(), columns = wide_side(g.columns);
    if (x >= columns || y >= wide_side(g.rows)) return;
    constexpr int kFactor = blur::kWideFactor;
    float4 sum = zero();
    for (int j = kFactor * y; j < kFactor * (y + 1) && j < g.rows; ++j)
        for (int i = kFactor * x; i < kFactor * (x + 1) && i < g.columns; ++i)
            sum = sum + load<float4>(g.cells + j * g.columns + i);
    g.middle[y * columns + x] = sum / static_cast<float>(kFactor * kFactor);
}

// In cells.
VCAM_D float sigma_of(const StepArguments& p) {
    return load<float>(p.person ? &p.view->person_sigma : &p.view->sigma) / static_cast<float>(p.grid.cell);
}

// The middle and the far blur. Back and forth through the scratch; the far one begins with the middle one.
VCAM_D void smooth_wide(const StepArguments& p, int x, int y) {
    const Grid& g = p.grid;
    const int columns = wide_side(g.columns), rows = wide_side(g.rows);
    if (x >= columns || y >= rows) return;
    const float sigma = sigma_of(p);
    const bool is_middle = p.number < kPasses, away = p.number % 2 == 0;
    const blur::Box box = is_middle ? blur::middle_box(sigma) : blur::far_box(sigma, columns);
    float4* home = is_middle ? g.middle : g.far;
    const float4* from = !away ? g.wide_scratch : p.number == kPasses ? g.middle : home;
    box_pass(box, from, away ? g.wide_scratch : home, x, y, columns, rows, p.number % kPasses < kPasses / 2);
    if (p.number > 0 || x > 0) return;
    float4 sum = zero();
    for (int i = 0; i < columns; ++i) sum = sum + load<float4>(g.middle + y * columns + i);
    g.sums[y] = sum;
}

VCAM_KERNEL(8) blur_smooth(VCAM_ARGUMENT StepArguments p) {
    const Grid& g = p.grid;
    const int x = thread_x(), y = thread_y();
    if (p.number >= kPasses) return smooth_wide(p, x, y);
    if (y >= g.rows) return smooth_wide(p, x, y - g.rows);
    if (x >= g.columns) return;
    const bool away = p.number % 2 == 0;
    box_pass(blur::near_box(sigma_of(p)), away ? g.cells : g.scratch,
             away ? g.scratch : g.cells, x, y, g.columns, g.rows, p.number < kPasses / 2);
}

// Wide cells, read between them.
VCAM_D float4 wide_at(const Grid& g, const float4* cells, const pixel::Tap& x, const pixel::Tap& y) {
    const int columns = wide_side(g.columns);
    const float4 *upper = cells + y.first * columns, *lower = cells + y.second * columns;
    const auto between = [](float4 a, float4 b, float weight) { return a + weight * (b - a); };
    return between(between(load<float4>(upper + x.first), load<float4>(upper + x.second), x.weight),
                   between(load<float4>(lower + x.first), load<float4>(lower + x.second), x.weight), y.weight);
}

VCAM_D float4 mean_of_room(const Grid& g) {
    const int rows = wide_side(g.rows);
    float4 sum = zero();
    for (int y = 0; y < rows; ++y) sum = sum + load<float4>(g.sums + y);
    return sum / static_cast<float>(rows * wide_side(g.columns));
}

// Colour of each cell: the nearest blur that holds room, at last the mean of the room, else black.
VCAM_KERNEL(8) blur_divide(VCAM_ARGUMENT StepArguments p) {
    const Grid& g = p.grid;
    const int column = thread_x(), row = thread_y();
    if (column >= g.columns || row >= g.rows) return;
    const pixel::Tap x = pixel::tap(column, blur::kWideFactor, 0.0f, wide_side(g.columns));
    const pixel::Tap y = pixel::tap(row, blur::kWideFactor, 0.0f, wide_side(g.rows));
    const int index = row * g.columns + column, plane = g.rows * g.columns;
    const float4 wider = wide_at(g, g.far, x, y) + blur::kWider * mean_of_room(g);
    const float4 all = load<float4>(g.cells + index) + blur::kWider * (wide_at(g, g.middle, x, y) + blur::kWider * wider);
    const bool room = all.w > 0.0f;
    g.rgb[index] = room ? pixel::unit(all.x / all.w) : 0.0f;
    g.rgb[plane + index] = room ? pixel::unit(all.y / all.w) : 0.0f;
    g.rgb[2 * plane + index] = room ? pixel::unit(all.z / all.w) : 0.0f;
}

// The colours of the cells.
struct Colours {
    static constexpr int kCount = 3;
    const float* rgb;
    int plane;

    template <int kHalf>
    VCAM_D float value(int n, int index) const {
        return load<float>(rgb + n * plane + index);
    }
};

VCAM_KERNEL(6) blur_render(VCAM_ARGUMENT RenderArguments p) {
    const int quad = thread_x(), begin = thread_y() * p.rows;
    if (quad >= quads_of(p.target) || begin >= p.target.height) return;
    const int end = begin + p.rows < p.target.height ? begin + p.rows : p.target.height;
    const bool shares = shares_chroma(p.target.layout), halved = halves_rows(p.target.layout);
    const Columns<4> columns(p.x, 4 * quad, p.target.width);
    const Colours colours{p.grid.rgb, p.grid.rows * p.grid.columns};
    Walk<Colours, 4> walk(colours, columns, p.y.size);
    Chroma sum = {};
#pragma unroll 1
    for (int y = begin; y < end; ++y) {
        const pixel::Tap row = tap(p.y, y);
        walk.seek<0>(row.first);
        Quad levels;
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            pixel::Vec3<float> rgb = {walk.at(0, i, row.weight), walk.at(1, i, row.weight), walk.at(2, i, row.weight)};
            if (p.looked) rgb = pixel::decode(p.live->room, rgb.x, rgb.y, rgb.z);
            const pixel::Vec3<float> c = pixel::encode(p.encode, rgb);
            levels.c[0][i] = c.x;
            levels.c[1][i] = c.y;
            levels.c[2][i] = c.z;
        }
        const float mean = halved && (y % 2 || y + 1 < end) ? 0.25f : 0.5f;
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            sum.u[i] += mean * (levels.c[1][2 * i] + levels.c[1][2 * i + 1]);
            sum.v[i] += mean * (levels.c[2][2 * i] + levels.c[2][2 * i + 1]);
        }
        Words words = {};
        pack_luma<kAny>(p.target, levels, words);
        if (shares && (!halved || y % 2 || y + 1 == end)) {
            pack_chroma<kAny>(p.target, sum, words);
            store_chroma<kAny>(p.target, quad, y, words);
            sum = {};
        }
        store_luma<kAny>(p.target, quad, y, words);
    }
}

}  // namespace vcam::cuda
