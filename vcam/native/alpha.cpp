// alpha: the matte at the resolution of its picture, for previews and tests.
#include "edge_rows.h"

namespace vcam::VCAM_ISA {
namespace {

constexpr int kBandRows = 48;

struct Scratch {
    Columns columns;
    Expanded<2> coefficients;
    EdgeTile edge;
    Row source;
    alignas(64) float even[kPairs];
    alignas(64) float odd[kPairs];
};

template <bool kSourceShares, bool kEdge>
void alpha_row(const pixel::Matrix34 to_rgb, Scratch& s, float t, int n) {
    for (int i = 0; i < n; i += kLanes)
        for (int parity = 0; parity < 2; ++parity) {
            const auto& luma = parity ? s.source.odd : s.source.even;
            const auto& chroma = kSourceShares ? s.source.even : luma;
            const auto rgb = pixel::decode(to_rgb, load(luma[0] + i), load(chroma[1] + i), load(chroma[2] + i));
            Floats alpha =
                pixel::alpha(s.coefficients.at(0, parity, t, i), s.coefficients.at(1, parity, t, i), pixel::gray(rgb));
            if (kEdge) alpha = s.edge.alpha(alpha, post::doubt(alpha), rgb, parity, i);
            store((parity ? s.odd : s.even) + i, alpha);
        }
}

template <bool kSourceShares>
void alpha_row(const Alpha& job, Scratch& s, float t, int n) {
    job.edge.on() ? alpha_row<kSourceShares, true>(job.decode, s, t, n)
                  : alpha_row<kSourceShares, false>(job.decode, s, t, n);
}

void store_row(const Alpha& job, int y, int first, int n, Scratch& s) {
    const int width = job.source.width;
    const ptrdiff_t row = static_cast<ptrdiff_t>(y) * width;
    if (job.out8) {
        for (int i = 0; i < n; ++i) s.even[i] *= 255.0f;
        for (int i = 0; i < n; ++i) s.odd[i] *= 255.0f;
        return pack_bytes(job.out8 + row, width, first, n, s.even, s.odd);
    }
    float* out = job.out32 + row + 2 * first;
    const int pixels = 2 * (first + n) <= width ? 2 * n : width - 2 * first;
    for (int i = 0; i < pixels / 2; ++i) {
        out[2 * i] = s.even[i];
        out[2 * i + 1] = s.odd[i];
    }
    if (pixels % 2) out[pixels - 1] = s.even[n - 1];
}

void run_task(const Alpha& job, int tile, int band, Scratch& s) {
    const Matte& m = job.matte;
    const int total = pairs_of(job.source);
    const int first = tile * kPairs;
    const int n = total - first < kPairs ? total - first : kPairs;
    const int chunks = (n + kChunk - 1) / kChunk;
    LowPlane planes[8];
    matte_planes(m, planes);
    const LowPlane used[2] = {planes[3], planes[7]};
    s.columns.place(2 * first, job.source.width, static_cast<float>(job.source.width) / m.window.width, m.window.x,
                    m.width);
    s.coefficients.forget();
    if (job.edge.on()) s.edge.place(job.edge, m, job.source, 2 * first, s.columns);
    const float scale_y = static_cast<float>(job.source.height) / m.window.height;
    const int end = (band + 1) * kBandRows < job.source.height ? (band + 1) * kBandRows : job.source.height;
    for (int y = band * kBandRows; y < end; ++y) {
        const pixel::Tap tap = pixel::tap(y, scale_y, m.window.y, m.height);
        s.coefficients.seek(used, s.columns, tap.first, tap.second, 0, chunks);
        if (job.edge.on()) s.edge.seek(y, tap, 0, chunks);
        unpack_source(job.source, y, first, n, run_from(s.source, 0));
        if (shares_chroma(job.source.layout))
            alpha_row<true>(job, s, tap.weight, n);
        else
            alpha_row<false>(job, s, tap.weight, n);
        store_row(job, y, first, n, s);
    }
}

}  // namespace

void alpha(const Alpha& job, int threads) {
    over_tiles<Scratch>(job, kBandRows, threads, run_task);
}

}  // namespace vcam::VCAM_ISA
