// blur_render: the blurred cells of blur.cpp as planes at the size of the picture.
#include "matte.h"

namespace vcam::VCAM_ISA {
namespace {

struct RenderScratch {
    Columns columns;
    Expanded<3> colours;
    LowPlane planes[3];
    Row row;
    alignas(64) float chroma[2][kPairs];
};

template <bool kLooked>
void encode_row(const BlurRender& job, RenderScratch& s, float t, int n, float mean) {
    const pixel::Matrix34 to_levels = job.encode, look = job.look;
    for (int i = 0; i < n; i += kLanes) {
        const auto levels = [&](int parity) {
            const Floats r = s.colours.at(0, parity, t, i), g = s.colours.at(1, parity, t, i),
                         b = s.colours.at(2, parity, t, i);
            if constexpr (kLooked) return pixel::encode(to_levels, pixel::decode(look, r, g, b));
            return pixel::encode(to_levels, pixel::Vec3<Floats>{r, g, b});
        };
        const auto even = levels(0), odd = levels(1);
        store(s.row.even[0] + i, even.x);
        store(s.row.odd[0] + i, odd.x);
        store(s.row.even[1] + i, even.y);
        store(s.row.odd[1] + i, odd.y);
        store(s.row.even[2] + i, even.z);
        store(s.row.odd[2] + i, odd.z);
        store(s.chroma[0] + i, load(s.chroma[0] + i) + mean * (even.y + odd.y));
        store(s.chroma[1] + i, load(s.chroma[1] + i) + mean * (even.z + odd.z));
    }
}

void render_rows(const BlurRender& job, int y, int rows, int first, int n, RenderScratch& s) {
    memset(s.chroma, 0, sizeof s.chroma);
    for (int r = 0; r < rows; ++r) {
        const pixel::Tap tap = pixel::tap(y + r, static_cast<float>(job.grid.cell), 0.0f, job.grid.rows);
        s.colours.seek(s.planes, s.columns, tap.first, tap.second, 0, (n + kChunk - 1) / kChunk);
        const auto encode = job.looked ? encode_row<true> : encode_row<false>;
        encode(job, s, tap.weight, n, 0.5f / static_cast<float>(rows));
        pack_luma(job.target, y + r, first, n, run_from(s.row, 0));
    }
    Run out = run_from(s.row, 0);
    out.even[1] = s.chroma[0];
    out.even[2] = s.chroma[1];
    if (shares_chroma(job.target.layout)) pack_chroma(job.target, y, first, n, out);
}

void render_task(const BlurRender& job, int tile, int band, int band_rows, RenderScratch& s) {
    const int total_pairs = pairs_of(job.target);
    const int first = tile * kPairs;
    const int n = total_pairs - first < kPairs ? total_pairs - first : kPairs;
    const ptrdiff_t plane = static_cast<ptrdiff_t>(job.grid.rows) * job.grid.columns;
    for (int c = 0; c < 3; ++c) s.planes[c] = {job.grid.rgb + c * plane, 1.0f, 0.0f};
    s.columns.place(2 * first, job.target.width, static_cast<float>(job.grid.cell), 0.0f, job.grid.columns);
    s.colours.forget();
    const int end = (band + 1) * band_rows < job.target.height ? (band + 1) * band_rows : job.target.height;
    const int step = halves_rows(job.target.layout) ? 2 : 1;
    for (int y = band * band_rows; y < end; y += step)
        render_rows(job, y, end - y < step ? end - y : step, first, n, s);
}

}  // namespace

void blur_render(const BlurRender& job, int threads) {
    constexpr int band_rows = 48;  // even, for layouts whose chroma spans two rows
    const int tiles = (pairs_of(job.target) + kPairs - 1) / kPairs;
    const int bands = (job.target.height + band_rows - 1) / band_rows;
#pragma omp parallel num_threads(threads)
    {
        RenderScratch scratch;
#pragma omp for schedule(dynamic)
        for (int i = 0; i < tiles * bands; ++i) render_task(job, i % tiles, i / tiles, band_rows, scratch);
    }
    (void)threads;
}

}  // namespace vcam::VCAM_ISA
