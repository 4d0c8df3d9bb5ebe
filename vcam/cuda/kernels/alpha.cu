// alpha: the matte at the resolution of its picture, for previews and tests.
#include "matte.cuh"

namespace vcam::cuda {

template <bool kHalf>
VCAM_D void alpha_band(const AlphaArguments& p) {
    const int quad = thread_x(), begin = thread_y() * p.rows;
    if (quad >= quads_of(p.source) || begin >= p.source.height) return;
    const int end = begin + p.rows < p.source.height ? begin + p.rows : p.source.height;
    const Columns<4> columns(p.matte.x, 4 * quad, p.source.width);
    const AlphaMatte planes{p.matte};
    Walk<AlphaMatte, 4> walk(planes, columns, p.matte.y.size);
#pragma unroll 1
    for (int y = begin; y < end; ++y) {
        Words words = {};
        load_luma<kAny>(p.source, quad, y, true, words);
        load_chroma<kAny>(p.source, quad, y, words);
        const pixel::Tap row = tap(p.matte.y, y);
        walk.template seek<kHalf>(row.first);
        const Quad quad_levels = unpack<kAny>(p.source, words);
        float levels[4];
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const float gray = pixel::gray(
                pixel::decode(p.decode, quad_levels.c[0][i], quad_levels.c[1][i], quad_levels.c[2][i]));
            levels[i] = 255.0f * pixel::alpha(walk.at(0, i, row.weight), walk.at(1, i, row.weight), gray);
        }
        store_bytes(p.out + static_cast<ptrdiff_t>(y) * p.source.width, 4 * quad, 4, p.source.width, pack_four(levels));
    }
}

VCAM_KERNEL(8) alpha(VCAM_ARGUMENT AlphaArguments p) {
    if (p.matte.half)
        alpha_band<true>(p);
    else
        alpha_band<false>(p);
}

}  // namespace vcam::cuda
