// convert: any layout and colour to any other, at the same size.
#include "rows.h"

namespace vcam::VCAM_ISA {
namespace {

constexpr int kBandRows = 32;  // even, for layouts whose chroma spans two rows

struct Scratch {
    Row row;
    alignas(64) float chroma[2][kPairs];
};

// Levels of the source to levels of the target, in place, chroma of every pixel in its own place.
void recolour(const Convert& job, Row& row, int n, bool shared) {
    const pixel::Matrix34 to_rgb = job.decode;
    const pixel::Matrix34 to_levels = job.encode;
    for (int i = 0; i < n; i += kLanes) {
        const Floats u = load(row.even[1] + i), v = load(row.even[2] + i);
        const Floats odd_u = shared ? u : load(row.odd[1] + i), odd_v = shared ? v : load(row.odd[2] + i);
        const auto even = pixel::encode(to_levels, pixel::decode(to_rgb, load(row.even[0] + i), u, v));
        const auto odd = pixel::encode(to_levels, pixel::decode(to_rgb, load(row.odd[0] + i), odd_u, odd_v));
        store(row.even[0] + i, even.x);
        store(row.even[1] + i, even.y);
        store(row.even[2] + i, even.z);
        store(row.odd[0] + i, odd.x);
        store(row.odd[1] + i, odd.y);
        store(row.odd[2] + i, odd.z);
    }
}

void spread_chroma(Row& row, int n) {
    for (int c = 1; c < 3; ++c) memcpy(row.odd[c], row.even[c], static_cast<size_t>(n) * sizeof(float));
}

void source_row(const Convert& job, int y, int first, int n, Row& row) {
    const bool shared = shares_chroma(job.source.layout);
    unpack_source(job.source, y, first, n, run_from(row, 0));
    if (!job.same_colour)
        recolour(job, row, n, shared);
    else if (shared)
        spread_chroma(row, n);
}

void convert_rows(const Convert& job, int y, int rows, int first, int n, Scratch& s) {
    memset(s.chroma, 0, sizeof s.chroma);
    const float mean = 0.5f / static_cast<float>(rows);
    for (int r = 0; r < rows; ++r) {
        source_row(job, y + r, first, n, s.row);
        for (int c = 0; c < 2; ++c)
            for (int i = 0; i < n; ++i) s.chroma[c][i] += mean * (s.row.even[1 + c][i] + s.row.odd[1 + c][i]);
        pack_luma(job.target, y + r, first, n, run_from(s.row, 0));
    }
    Run out = run_from(s.row, 0);
    out.even[1] = s.chroma[0];
    out.even[2] = s.chroma[1];
    if (shares_chroma(job.target.layout)) pack_chroma(job.target, y, first, n, out);
}

void run_task(const Convert& job, int tile, int band, Scratch& s) {
    const int total = pairs_of(job.source);
    const int first = tile * kPairs;
    const int n = total - first < kPairs ? total - first : kPairs;
    const int end = (band + 1) * kBandRows < job.source.height ? (band + 1) * kBandRows : job.source.height;
    const int step = halves_rows(job.target.layout) ? 2 : 1;
    for (int y = band * kBandRows; y < end; y += step)
        convert_rows(job, y, end - y < step ? end - y : step, first, n, s);
}

void copy_picture(const Convert& job) {
    for (int plane = 0; plane < 3; ++plane) {
        const PlaneSize size = plane_size(job.source.layout, job.source.width, job.source.height, plane);
        for (int y = 0; y < size.rows; ++y)
            memcpy(line(job.target, plane, y), line(job.source, plane, y), static_cast<size_t>(size.bytes));
    }
}

}  // namespace

void convert(const Convert& job, int threads) {
    if (job.same_colour && job.source.layout == job.target.layout) return copy_picture(job);
    over_tiles<Scratch>(job, kBandRows, threads, run_task);
}

}  // namespace vcam::VCAM_ISA
