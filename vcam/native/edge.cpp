// edge_prepare: what a frame's small picture and matte tell of the person's edge, for compose and alpha.
#include "loops.h"
#include "post.h"
#include "simd.h"

namespace vcam::VCAM_ISA {
namespace {

constexpr int kNodes = 256;  // of a tile of a row of cells; at least the side of the largest cell
constexpr int kSums = 2 * post::kMoments;

static_assert(kMaxSide / post::kCellsPerSide < kNodes, "a tile holds a cell");

struct Nodes {
    const float *r, *g, *b;

    Nodes(const float* planes, ptrdiff_t plane, ptrdiff_t at)
        : r(planes + at), g(planes + plane + at), b(planes + 2 * plane + at) {}

    VCAM_HD pixel::Vec3<float> at(int i) const { return {r[i], g[i], b[i]}; }
};

ptrdiff_t nodes_of(const EdgeGrid& g) { return static_cast<ptrdiff_t>(g.width) * g.height; }

// ---- follow ----

void difference_row(const EdgePrepare& job, int y) {
    const EdgeGrid& g = job.grid;
    const ptrdiff_t row = static_cast<ptrdiff_t>(y) * g.width;
    const Nodes now(job.small, nodes_of(g), row), before(g.before + 2 * nodes_of(g), nodes_of(g), row);
    float* moved = g.moved + row;
#pragma GCC ivdep
    for (int x = 0; x < g.width; ++x) moved[x] = post::difference(now.at(x), before.at(x));
}

void follow_plane(const float* now, const float* before, const float* keep, float* after, int width) {
#pragma GCC ivdep
    for (int x = 0; x < width; ++x) after[x] = post::follow(now[x], before[x], keep[x]);
}

// moved: the differences of three rows, added up, with one more value, 0, at each end.
struct FollowRow {
    float moved[kMaxSide + 2];
    float keep[kMaxSide];
};

void follow_row(const EdgePrepare& job, int y, FollowRow& s) {
    const EdgeGrid& g = job.grid;
    const int first = y > 0 ? y - 1 : 0, last = y + 1 < g.height ? y + 1 : y;
    float* sum = s.moved + 1;
    memset(s.moved, 0, sizeof(float) * static_cast<size_t>(g.width + 2));
    for (int r = first; r <= last; ++r) {
        const float* moved = g.moved + static_cast<ptrdiff_t>(r) * g.width;
#pragma GCC ivdep
        for (int x = 0; x < g.width; ++x) sum[x] += moved[x];
    }
    const float rows = static_cast<float>(last - first + 1);
    const auto keep = [&](int x, float columns) {
        s.keep[x] = post::keep((sum[x - 1] + sum[x] + sum[x + 1]) / (rows * columns), job.smoothing);
    };
    const float border = g.width > 1 ? 2.0f : 1.0f;
    keep(0, border);
    for (int x = 1; x + 1 < g.width; ++x) keep(x, 3.0f);
    keep(g.width - 1, border);
    const ptrdiff_t plane = nodes_of(g), row = static_cast<ptrdiff_t>(y) * g.width;
    const float* now[post::kStatePlanes] = {job.matte.a + 3 * plane, job.matte.b + 3 * plane, job.small,
                                            job.small + plane, job.small + 2 * plane};
    for (int n = 0; n < post::kStatePlanes; ++n)
        follow_plane(now[n] + row, g.before + n * plane + row, s.keep, g.after + n * plane + row, g.width);
}

// ---- gather ----

// Sums over the rows of a cell, per column of nodes.
struct GatherTile {
    alignas(64) float sums[kSums][kNodes];
};

void gather_nodes(const EdgePrepare& job, ptrdiff_t at, int n, GatherTile& tile) {
    const ptrdiff_t plane = nodes_of(job.grid);
    const Nodes rgb(job.small, plane, at);
    const float *a = job.matte.a + 3 * plane + at, *b = job.matte.b + 3 * plane + at;
    const float gain = job.matte.gain, offset = job.matte.offset;
#pragma GCC ivdep
    for (int i = 0; i < n; ++i) {
        const pixel::Vec3<float> c = rgb.at(i);
        const float alpha = pixel::alpha(gain * a[i], gain * b[i] + offset, pixel::gray(c));
        const post::Moments<float> room = post::moments(c, post::room_weight(alpha));
        const post::Moments<float> person = post::moments(c, post::person_weight(alpha));
        tile.sums[0][i] += room.r;
        tile.sums[1][i] += room.g;
        tile.sums[2][i] += room.b;
        tile.sums[3][i] += room.square;
        tile.sums[4][i] += room.weight;
        tile.sums[5][i] += person.r;
        tile.sums[6][i] += person.g;
        tile.sums[7][i] += person.b;
        tile.sums[8][i] += person.square;
        tile.sums[9][i] += person.weight;
    }
}

void gather_row(const EdgePrepare& job, int row, GatherTile& tile) {
    const EdgeGrid& g = job.grid;
    const int end = (row + 1) * g.side < g.height ? (row + 1) * g.side : g.height;
    const int step = kNodes / g.side * g.side;
    for (int first = 0; first < g.width; first += step) {
        const int n = g.width - first < step ? g.width - first : step;
        memset(tile.sums, 0, sizeof tile.sums);
        for (int y = row * g.side; y < end; ++y)
            gather_nodes(job, static_cast<ptrdiff_t>(y) * g.width + first, n, tile);
        float* out = g.moments + kSums * (static_cast<ptrdiff_t>(row) * g.columns + first / g.side);
        for (int i = 0; i < n; i += g.side, out += kSums)
            for (int k = 0; k < kSums; ++k) {
                float sum = 0.0f;
                for (int j = i; j < i + g.side && j < n; ++j) sum += tile.sums[k][j];
                out[k] = sum;
            }
    }
}

// ---- solve: a tent over the cells, along rows and then along columns ----

void add_cell(float (&sum)[kSums], const float* cell, float weight) {
    for (int k = 0; k < kSums; ++k) sum[k] += weight * cell[k];
}

void mix_row(const EdgeGrid& g, int y) {
    const float* in = g.moments + kSums * static_cast<ptrdiff_t>(y) * g.columns;
    float* out = g.mixed + kSums * static_cast<ptrdiff_t>(y) * g.columns;
    for (int x = 0; x < g.columns; ++x, out += kSums) {
        float sum[kSums] = {};
        for (int d = -post::kReach; d <= post::kReach; ++d)
            if (x + d >= 0 && x + d < g.columns) add_cell(sum, in + kSums * (x + d), post::tent(d));
        memcpy(out, sum, sizeof sum);
    }
}

void solve_row(const EdgePrepare& job, int y) {
    const EdgeGrid& g = job.grid;
    const ptrdiff_t row = static_cast<ptrdiff_t>(y) * g.columns, plane = static_cast<ptrdiff_t>(g.rows) * g.columns;
    const float full = post::full_weight(g.side);
    for (int x = 0; x < g.columns; ++x) {
        float s[kSums] = {};
        for (int d = -post::kReach; d <= post::kReach; ++d)
            if (y + d >= 0 && y + d < g.rows) add_cell(s, g.mixed + kSums * (row + d * g.columns + x), post::tent(d));
        const post::Colour room = post::colour({s[0], s[1], s[2], s[3], s[4]}, full);
        const post::Colour person = post::colour({s[5], s[6], s[7], s[8], s[9]}, full);
        const post::Line line = post::line(room, person, job.refine);
        const post::Room under = post::room(room, job.despill);
        const float values[] = {line.x,  line.y,  line.z,  line.offset, line.trust,
                                under.r, under.g, under.b, under.weight};
        for (int n = 0; n < post::kLinePlanes + post::kRoomPlanes; ++n) g.planes[n * plane + row + x] = values[n];
    }
}

}  // namespace

void edge_prepare(const EdgePrepare& job, int threads) {
    const EdgeGrid& g = job.grid;
    const bool cells = job.refine > 0.0f || job.despill > 0.0f, smooth = job.smoothing > 0.0f;
#pragma omp parallel num_threads(threads)
    {
        if (smooth) {
            FollowRow scratch;
#pragma omp for
            for (int y = 0; y < g.height; ++y) difference_row(job, y);
#pragma omp for
            for (int y = 0; y < g.height; ++y) follow_row(job, y, scratch);
        }
        if (cells) {
            GatherTile tile;
#pragma omp for schedule(dynamic)
            for (int y = 0; y < g.rows; ++y) gather_row(job, y, tile);
#pragma omp for
            for (int y = 0; y < g.rows; ++y) mix_row(g, y);
#pragma omp for
            for (int y = 0; y < g.rows; ++y) solve_row(job, y);
        }
    }
    (void)threads;
}

}  // namespace vcam::VCAM_ISA
