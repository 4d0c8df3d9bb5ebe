// alpha: the matte at the resolution of its picture, for previews and tests.
#include "edge.cuh"

namespace vcam::cuda {

VCAM_KERNEL(4) alpha(VCAM_ARGUMENT AlphaArguments p) {
    const int quad = thread_x(), begin = thread_y() * p.rows;
    if (quad >= quads_of(p.source) || begin >= p.source.height) return;
    const int end = begin + p.rows < p.source.height ? begin + p.rows : p.source.height;
    const Columns<4> columns(nodes_x(p.matte), 4 * quad, p.source.width);
    const AlphaMatte planes{p.matte};
    Walk<AlphaMatte, 4> walk(planes, columns, p.matte.height);
#pragma unroll 1
    for (int y = begin; y < end; ++y) {
        Words words = {};
        load_luma<kAny>(p.source, quad, y, true, words);
        load_chroma<kAny>(p.source, quad, y, words);
        const pixel::Tap row = tap(nodes_y(p.matte), y);
        walk.seek<kAny>(row.first);
        const Quad levels = unpack<kAny>(p.source, words);
        float alphas[4];
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const pixel::Vec3<float> rgb = pixel::decode(p.decode, levels.c[0][i], levels.c[1][i], levels.c[2][i]);
            Foreground over = {pixel::alpha(walk.at(0, i, row.weight), walk.at(1, i, row.weight), pixel::gray(rgb)),
                               {0.0f, 0.0f, 0.0f}};
            correct(p.edge, p.matte, 4 * quad + i, y, p.source.width, rgb, over);
            alphas[i] = 255.0f * over.alpha;
        }
        store_bytes(p.out + static_cast<ptrdiff_t>(y) * p.source.width, 4 * quad, 4, p.source.width, pack_four(alphas));
    }
}

}  // namespace vcam::cuda
