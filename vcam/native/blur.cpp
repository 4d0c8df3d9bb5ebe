// blur: the room behind the person, blurred without the person in it.
//
// gather averages the picture over cells, each pixel weighted by how surely it is room: the weight is 0 from a few
// percent of alpha on, and cells beside such a pixel lose theirs too, so no colour of the person enters, not even
// through a soft edge. Colour times weight and weight are then blurred alike and divided (normalised convolution),
// which needs no border treatment either. Where no room is near, wider and wider blurs of the same cells answer, and at
// last their mean. blur_render.cpp brings the cells to the size of the picture.
#include "cells.h"
#include "matte.h"

namespace vcam::VCAM_ISA {
namespace {

using namespace blur;

void smooth_wide(float* cells, int rows, int columns, const Box& box) {
    for (int y = 0; y < rows; ++y) smooth_line(box, cells + 4 * static_cast<ptrdiff_t>(y) * columns, columns, 1);
    for (int x = 0; x < columns; ++x) smooth_line(box, cells + 4 * x, rows, columns);
}

struct Scratch {
    Columns columns;
    Expanded<2> coefficients;
    Row source;
    alignas(64) float sums[4][kPairs];
};

template <bool kSourceShares, bool kPerson>
void add_row(const pixel::Matrix34 to_rgb, Scratch& s, float t, int n) {
    for (int i = 0; i < n; i += kLanes)
        for (int parity = 0; parity < 2; ++parity) {
            const auto& luma = parity ? s.source.odd : s.source.even;
            const auto& chroma = kSourceShares ? s.source.even : luma;
            const auto rgb = pixel::decode(to_rgb, load(luma[0] + i), load(chroma[1] + i), load(chroma[2] + i));
            const Floats alpha =
                pixel::alpha(s.coefficients.at(0, parity, t, i), s.coefficients.at(1, parity, t, i), pixel::gray(rgb));
            const Floats weight = kPerson ? pixel::room_weight(1.0f - alpha, kPersonSteepness)
                                          : pixel::room_weight(alpha, kSteepness);
            store(s.sums[0] + i, load(s.sums[0] + i) + weight * rgb.x);
            store(s.sums[1] + i, load(s.sums[1] + i) + weight * rgb.y);
            store(s.sums[2] + i, load(s.sums[2] + i) + weight * rgb.z);
            store(s.sums[3] + i, load(s.sums[3] + i) + weight);
        }
}

using AddRow = void (*)(const pixel::Matrix34, Scratch&, float, int);

AddRow choose_row(const BlurGather& job) {
    if (shares_chroma(job.source.layout)) return job.person ? add_row<true, true> : add_row<true, false>;
    return job.person ? add_row<false, true> : add_row<false, false>;
}

// Cells of one tile of one row of cells, from their pixels. first is a multiple of the pairs of a cell.
void gather_cells(const BlurGather& job, int cell_row, int first, int n, Scratch& s) {
    const Matte& m = job.matte;
    const BlurGrid& grid = job.grid;
    const LowPlane used[2] = {{m.a + 3 * static_cast<ptrdiff_t>(m.width) * m.height, m.gain, 0.0f},
                              {m.b + 3 * static_cast<ptrdiff_t>(m.width) * m.height, m.gain, m.offset}};
    const float scale_y = static_cast<float>(grid.height) / m.window.height;
    const int begin = cell_row * grid.cell;
    const int end = begin + grid.cell < grid.height ? begin + grid.cell : grid.height;
    const AddRow add = choose_row(job);
    memset(s.sums, 0, sizeof s.sums);
    for (int y = begin; y < end; ++y) {
        const pixel::Tap tap = pixel::tap(y, scale_y, m.window.y, m.height);
        s.coefficients.seek(used, s.columns, tap.first, tap.second, 0, (n + kChunk - 1) / kChunk);
        unpack_source(job.source, y, first, n, run_from(s.source, 0));
        add(job.decode, s, tap.weight, n);
    }
    const int pairs = grid.cell / 2;
    for (int i = 0; i < n; i += pairs) {
        const int last = i + pairs < n ? i + pairs : n;
        Cell sum = {};
        for (int j = i; j < last; ++j) sum += Cell{s.sums[0][j], s.sums[1][j], s.sums[2][j], s.sums[3][j]};
        const float pixels = static_cast<float>(2 * (last - i) * (end - begin));
        set_cell(grid.scratch, static_cast<ptrdiff_t>(cell_row) * grid.columns + (first + i) / pairs, sum / pixels);
    }
}

void gather_tile(const BlurGather& job, int tile, int band, int band_rows, Scratch& s) {
    const BlurGrid& grid = job.grid;
    const int pairs = grid.cell / 2;
    const int tile_pairs = kPairs / pairs * pairs;
    const int first = tile * tile_pairs;
    const int total = pairs_of(job.source);
    const int n = total - first < tile_pairs ? total - first : tile_pairs;
    s.columns.place(2 * first, grid.width, static_cast<float>(grid.width) / job.matte.window.width, job.matte.window.x,
                    job.matte.width);
    s.coefficients.forget();
    const int end = (band + 1) * band_rows < grid.rows ? (band + 1) * band_rows : grid.rows;
    for (int row = band * band_rows; row < end; ++row) gather_cells(job, row, first, n, s);
}

// Weakens each cell by the least weight among its neighbours: the person's outline grows by one cell.
void shrink_row(const BlurGrid& g, int y) {
    for (int x = 0; x < g.columns; ++x) {
        float least = 1.0f;
        for (int j = y > 0 ? y - 1 : 0; j <= y + 1 && j < g.rows; ++j)
            for (int i = x > 0 ? x - 1 : 0; i <= x + 1 && i < g.columns; ++i) {
                const float weight = g.scratch[4 * (static_cast<ptrdiff_t>(j) * g.columns + i) + 3];
                least = weight < least ? weight : least;
            }
        const ptrdiff_t at = static_cast<ptrdiff_t>(y) * g.columns + x;
        set_cell(g.cells, at, least * cell_at(g.scratch, at));
    }
}

void widen_row(const BlurGrid& g, int y) {
    const int columns = wide_side(g.columns);
    for (int x = 0; x < columns; ++x) {
        Cell sum = {};
        for (int j = kWideFactor * y; j < kWideFactor * (y + 1) && j < g.rows; ++j)
            for (int i = kWideFactor * x; i < kWideFactor * (x + 1) && i < g.columns; ++i)
                sum += cell_at(g.cells, static_cast<ptrdiff_t>(j) * g.columns + i);
        set_cell(g.middle, static_cast<ptrdiff_t>(y) * columns + x,
                 sum / static_cast<float>(kWideFactor * kWideFactor));
    }
}

Cell mean_of(const float* cells, ptrdiff_t count) {
    Sum sum = {};
    for (ptrdiff_t i = 0; i < count; ++i) sum += __builtin_convertvector(cell_at(cells, i), Sum);
    return __builtin_convertvector(sum / static_cast<double>(count), Cell);
}

// The middle and the far blur, and the mean, from the cells before they are blurred. Small: one thread does it.
Cell blur_wide(const BlurGrid& g, float sigma) {
    const int rows = wide_side(g.rows), columns = wide_side(g.columns);
    const ptrdiff_t count = static_cast<ptrdiff_t>(rows) * columns;
    for (int y = 0; y < rows; ++y) widen_row(g, y);
    const Cell mean = mean_of(g.middle, count);
    smooth_wide(g.middle, rows, columns, middle_box(sigma));
    memcpy(g.far, g.middle, 4 * sizeof(float) * static_cast<size_t>(count));
    smooth_wide(g.far, rows, columns, far_box(sigma, columns));
    return mean;
}

// One row of a grid of wide cells, read between its cells.
struct WideRow {
    const float *upper, *lower;
    float weight;
    int columns;

    WideRow(const BlurGrid& g, const float* cells, int y) : columns(wide_side(g.columns)) {
        const pixel::Tap tap = pixel::tap(y, kWideFactor, 0.0f, wide_side(g.rows));
        upper = cells + 4 * static_cast<ptrdiff_t>(tap.first) * columns;
        lower = cells + 4 * static_cast<ptrdiff_t>(tap.second) * columns;
        weight = tap.weight;
    }

    VCAM_HD Cell at(const pixel::Tap& x) const {
        const Cell above = pixel::lerp(cell_at(upper, x.first), cell_at(upper, x.second), x.weight);
        const Cell below = pixel::lerp(cell_at(lower, x.first), cell_at(lower, x.second), x.weight);
        return pixel::lerp(above, below, weight);
    }
};

// Colour of each cell: the nearest blur that holds room, at last the mean of the room, else black.
void divide_row(const BlurGrid& g, int y, Cell mean) {
    const WideRow middle(g, g.middle, y), far(g, g.far, y);
    const ptrdiff_t plane = static_cast<ptrdiff_t>(g.rows) * g.columns;
    for (int x = 0; x < g.columns; ++x) {
        const pixel::Tap tap = pixel::tap(x, kWideFactor, 0.0f, middle.columns);
        const ptrdiff_t at = static_cast<ptrdiff_t>(y) * g.columns + x;
        const Cell all = cell_at(g.cells, at) + kWider * (middle.at(tap) + kWider * (far.at(tap) + kWider * mean));
        const float weight = all[3];
        for (int c = 0; c < 3; ++c) g.rgb[c * plane + at] = weight > 0.0f ? pixel::unit(all[c] / weight) : 0.0f;
    }
}

}  // namespace

void blur_gather(const BlurGather& job, int threads) {
    constexpr int band_rows = 8;  // of cells
    const BlurGrid& g = job.grid;
    const int tile_pairs = kPairs / (g.cell / 2) * (g.cell / 2);
    const int tiles = (pairs_of(job.source) + tile_pairs - 1) / tile_pairs;
    const int bands = (g.rows + band_rows - 1) / band_rows;
    const float sigma = job.sigma / static_cast<float>(g.cell);
    const Box box = near_box(sigma);
    Cell mean;
#pragma omp parallel num_threads(threads)
    {
        Scratch scratch;
#pragma omp for schedule(dynamic)
        for (int i = 0; i < tiles * bands; ++i) gather_tile(job, i % tiles, i / tiles, band_rows, scratch);
#pragma omp for schedule(dynamic, 8)
        for (int y = 0; y < g.rows; ++y) shrink_row(g, y);
#pragma omp single
        mean = blur_wide(g, sigma);
#pragma omp for schedule(dynamic, 8)
        for (int y = 0; y < g.rows; ++y)
            smooth_line(box, g.cells + 4 * static_cast<ptrdiff_t>(y) * g.columns, g.columns, 1);
#pragma omp for schedule(dynamic, 8)
        for (int x = 0; x < g.columns; ++x) smooth_line(box, g.cells + 4 * x, g.rows, g.columns);
#pragma omp for schedule(dynamic, 8)
        for (int y = 0; y < g.rows; ++y) divide_row(g, y, mean);
    }
    (void)threads;
}

}  // namespace vcam::VCAM_ISA
