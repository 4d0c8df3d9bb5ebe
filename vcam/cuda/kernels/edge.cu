// edge: what a frame's small picture and matte tell of the person's edge, for compose and alpha. What the steps are is
// told in native/post.h, their order in native/edge.cpp.
//
// difference and follow work on nodes of the matte; gather, mix and solve on cells of them, a few thousand.
#include "matte.cuh"

namespace vcam::cuda {

constexpr int kSums = 2 * post::kMoments;

VCAM_D pixel::Vec3<float> colour_at(const EdgeArguments& p, int node) {
    const int plane = p.width * p.height;
    const bool half = p.small_half != 0;
    return {value_at(p.small, node, half), value_at(p.small, plane + node, half),
            value_at(p.small, 2 * plane + node, half)};
}

// A and b of alpha at a node, without the levels.
VCAM_D float alpha_plane(const EdgeArguments& p, const void* values, int node) {
    return value_at(values, 3 * p.width * p.height + node, p.half != 0);
}

VCAM_KERNEL(8) edge_difference(VCAM_ARGUMENT EdgeArguments p) {
    const int x = thread_x(), y = thread_y();
    if (x >= p.width || y >= p.height) return;
    const int plane = p.width * p.height, node = y * p.width + x;
    const float* before = p.before + 2 * plane + node;
    const pixel::Vec3<float> then = {load<float>(before), load<float>(before + plane), load<float>(before + 2 * plane)};
    p.moved[node] = post::difference(colour_at(p, node), then);
}

// The mean over 3 x 3 nodes, fewer at the border: rows first, as on the CPU.
VCAM_D float mean_moved(const EdgeArguments& p, int x, int y) {
    const int top = y > 0 ? y - 1 : 0, bottom = y + 1 < p.height ? y + 1 : y;
    const int left = x > 0 ? x - 1 : 0, right = x + 1 < p.width ? x + 1 : x;
    float sum = 0.0f;
    for (int i = left; i <= right; ++i) {
        float column = 0.0f;
        for (int j = top; j <= bottom; ++j) column += load<float>(p.moved + j * p.width + i);
        sum += column;
    }
    return sum / static_cast<float>((bottom - top + 1) * (right - left + 1));
}

VCAM_KERNEL(8) edge_follow(VCAM_ARGUMENT EdgeArguments p) {
    const int x = thread_x(), y = thread_y();
    if (x >= p.width || y >= p.height) return;
    const int plane = p.width * p.height, node = y * p.width + x;
    const float keep = post::keep(mean_moved(p, x, y), load<float>(&p.live->smoothing));
    const pixel::Vec3<float> rgb = colour_at(p, node);
    const float now[post::kStatePlanes] = {alpha_plane(p, p.a, node), alpha_plane(p, p.b, node), rgb.x, rgb.y, rgb.z};
#pragma unroll
    for (int n = 0; n < post::kStatePlanes; ++n)
        p.after[n * plane + node] = post::follow(now[n], load<float>(p.before + n * plane + node), keep);
}

struct Cell {
    post::Moments<float> room, person;
};

VCAM_D void add_node(const EdgeArguments& p, int node, Cell& cell) {
    const pixel::Vec3<float> rgb = colour_at(p, node);
    const Levels levels(p.live);
    const float alpha = pixel::alpha(levels.gain * alpha_plane(p, p.a, node),
                                     levels.gain * alpha_plane(p, p.b, node) + levels.offset, pixel::gray(rgb));
    post::add(cell.room, post::moments(rgb, post::room_weight(alpha)));
    post::add(cell.person, post::moments(rgb, post::person_weight(alpha)));
}

VCAM_D void store_moments(float* to, const post::Moments<float>& m) {
    to[0] = m.r;
    to[1] = m.g;
    to[2] = m.b;
    to[3] = m.square;
    to[4] = m.weight;
}

VCAM_D post::Moments<float> load_moments(const float* from) {
    return {load<float>(from), load<float>(from + 1), load<float>(from + 2), load<float>(from + 3),
            load<float>(from + 4)};
}

VCAM_D void store_cell(float* cells, int index, const Cell& cell) {
    store_moments(cells + kSums * index, cell.room);
    store_moments(cells + kSums * index + post::kMoments, cell.person);
}

VCAM_KERNEL(8) edge_gather(VCAM_ARGUMENT EdgeArguments p) {
    const int column = thread_x(), row = thread_y();
    if (column >= p.columns || row >= p.rows) return;
    const int right = (column + 1) * p.side < p.width ? (column + 1) * p.side : p.width;
    const int bottom = (row + 1) * p.side < p.height ? (row + 1) * p.side : p.height;
    Cell cell = {};
    for (int x = column * p.side; x < right; ++x) {
        Cell line = {};
        for (int y = row * p.side; y < bottom; ++y) add_node(p, y * p.width + x, line);
        post::add(cell.room, line.room);
        post::add(cell.person, line.person);
    }
    store_cell(p.moments, row * p.columns + column, cell);
}

VCAM_D post::Moments<float> weighted(const post::Moments<float>& m, float weight) {
    return {weight * m.r, weight * m.g, weight * m.b, weight * m.square, weight * m.weight};
}

// The tent along a line of cells, `step` apart; this is number i of `count`.
VCAM_D Cell tent_along(const float* cells, int index, int step, int i, int count) {
    Cell sum = {};
#pragma unroll
    for (int d = -post::kReach; d <= post::kReach; ++d) {
        if (i + d < 0 || i + d >= count) continue;
        const float* cell = cells + kSums * (index + d * step);
        post::add(sum.room, weighted(load_moments(cell), post::tent(d)));
        post::add(sum.person, weighted(load_moments(cell + post::kMoments), post::tent(d)));
    }
    return sum;
}

VCAM_KERNEL(8) edge_mix(VCAM_ARGUMENT EdgeArguments p) {
    const int column = thread_x(), row = thread_y();
    if (column >= p.columns || row >= p.rows) return;
    const int index = row * p.columns + column;
    store_cell(p.mixed, index, tent_along(p.moments, index, 1, column, p.columns));
}

VCAM_KERNEL(8) edge_solve(VCAM_ARGUMENT EdgeArguments p) {
    const int column = thread_x(), row = thread_y();
    if (column >= p.columns || row >= p.rows) return;
    const int index = row * p.columns + column, plane = p.rows * p.columns;
    const Cell cell = tent_along(p.mixed, index, p.columns, row, p.rows);
    const float full = post::full_weight(p.side);
    const post::Colour room = post::colour(cell.room, full);
    const post::Line line = post::line(room, post::colour(cell.person, full), load<float>(&p.live->refine));
    const post::Room under = post::room(room, load<float>(&p.live->despill));
    const float values[] = {line.x, line.y, line.z, line.offset, line.trust, under.r, under.g, under.b, under.weight};
#pragma unroll
    for (int n = 0; n < post::kLinePlanes + post::kRoomPlanes; ++n) p.planes[n * plane + index] = values[n];
}

}  // namespace vcam::cuda
