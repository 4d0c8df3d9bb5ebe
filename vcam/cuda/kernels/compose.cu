// compose: the person, coloured by the matte's foreground model, over the background, in the target's own space.
//
// A thread owns a quad of columns and walks down `rows` rows. Where no node of the matte allows alpha above 0, and where
// the matte is not finite, it copies the background and does not read the camera.
#include "edge.cuh"

namespace vcam::cuda {

using ComposeWalk = Walk<WholeMatte, 4>;

// Pixel i of a quad over `under`; unless the target shares chroma, which instead gets the sums of what each pair adds.
VCAM_D void blend_pixel(float alpha, const pixel::Vec3<float>& levels, int i, bool shares, Quad& under, Chroma& sum) {
    under.c[0][i] = pixel::blend(alpha, levels.x, under.c[0][i]);
    if (shares) {
        sum.u[i / 2] += alpha * (levels.y - under.c[1][i]);
        sum.v[i / 2] += alpha * (levels.z - under.c[2][i]);
    } else {
        under.c[1][i] = pixel::blend(alpha, levels.y, under.c[1][i]);
        under.c[2][i] = pixel::blend(alpha, levels.z, under.c[2][i]);
    }
}

// Shared chroma of a quad: what was under it, and of what the pixels add the mean over pairs and rows.
VCAM_D Chroma mean_chroma(const Quad& under, const Chroma& sum, float mean) {
    Chroma chroma;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        chroma.u[i] = under.c[1][2 * i] + mean * sum.u[i];
        chroma.v[i] = under.c[2][2 * i] + mean * sum.v[i];
    }
    return chroma;
}

// Blends row y over `under`.
template <bool kEdge>
VCAM_D void blend_row(const ComposeArguments& p, const ComposeWalk& walk, int quad, int y, float weight, bool shares,
                      const Quad& source, Quad& under, Chroma& sum) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        const auto coefficient = [&](int n) { return walk.at(n, i, weight); };
        const pixel::Vec3<float> rgb = pixel::decode(p.decode, source.c[0][i], source.c[1][i], source.c[2][i]);
        Foreground over = {pixel::alpha(coefficient(3), coefficient(7), pixel::gray(rgb)),
                           {pixel::foreground(coefficient(0), coefficient(4), rgb.x),
                            pixel::foreground(coefficient(1), coefficient(5), rgb.y),
                            pixel::foreground(coefficient(2), coefficient(6), rgb.z)}};
        if (kEdge) correct(p.edge, p.matte, 4 * quad + i, y, p.source.width, rgb, over);
        blend_pixel(over.alpha, pixel::encode(p.encode, over.rgb), i, shares, under, sum);
    }
}

template <int kLayout>
VCAM_D void copy_background(const ComposeArguments& p, int quad, int begin, int end) {
    const bool halved = halves_rows(layout_of<kLayout>(p.target));
#pragma unroll 4
    for (int y = begin; y < end; ++y) {
        Words words = {};
        load_luma<kLayout>(p.background, quad, y, false, words);
        store_luma<kLayout>(p.target, quad, y, words);
        if (halved && y % 2) continue;
        load_chroma<kLayout>(p.background, quad, y, words);
        store_chroma<kLayout>(p.target, quad, y, words);
    }
}

// One row more. Where two rows share chroma, `sum` and the words of chroma serve both.
template <int kSource, int kTarget, int kHalf, bool kEdge>
VCAM_D void blend_next(const ComposeArguments& p, ComposeWalk& walk, int quad, int y, bool last, Words& source,
                       Words& under, Chroma& sum) {
    const bool shares = shares_chroma(layout_of<kTarget>(p.target)), halved = halves_rows(layout_of<kTarget>(p.target));
    load_luma<kSource>(p.source, quad, y, true, source);
    load_luma<kTarget>(p.background, quad, y, false, under);
    if (y % 2 == 0 || !halves_rows(layout_of<kSource>(p.source))) load_chroma<kSource>(p.source, quad, y, source);
    if (y % 2 == 0 || !halved) load_chroma<kTarget>(p.background, quad, y, under);
    const pixel::Tap row = tap(nodes_y(p.matte), y);
    walk.seek<kHalf>(row.first);
    const Quad from = unpack<kSource>(p.source, source);
    Quad to = unpack<kTarget>(p.background, under);
    blend_row<kEdge>(p, walk, quad, y, row.weight, shares, from, to, sum);
    Words words = {};
    pack_luma<kTarget>(p.target, to, words);
    if (shares && (!halved || y % 2 || last)) {
        pack_chroma<kTarget>(p.target, mean_chroma(to, sum, halved && y % 2 ? 0.25f : 0.5f), words);
        store_chroma<kTarget>(p.target, quad, y, words);
        sum = {};
    }
    store_luma<kTarget>(p.target, quad, y, words);
}

template <int kSource, int kTarget, int kHalf, bool kEdge>
VCAM_D void compose_band(const ComposeArguments& p) {
    const int quad = thread_x(), begin = thread_y() * p.rows;
    if (quad >= quads_of(p.target) || begin >= p.target.height) return;
    const int end = begin + p.rows < p.target.height ? begin + p.rows : p.target.height;
    const uint32_t invalid = load<uint32_t>(p.flag);
    const Columns<4> columns(nodes_x(p.matte), 4 * quad, p.source.width);
    if (!any_alpha<kHalf>(p.matte, columns, begin, end) || invalid)
        return copy_background<kTarget>(p, quad, begin, end);
    const WholeMatte planes{p.matte};
    ComposeWalk walk(planes, columns, p.matte.height);
    Words source = {}, under = {};
    Chroma sum = {};
#pragma unroll 1
    for (int y = begin; y < end; ++y)
        blend_next<kSource, kTarget, kHalf, kEdge>(p, walk, quad, y, y + 1 == end, source, under, sum);
}

// For any layout, width and precision; then the same with corrections along the edge.
VCAM_KERNEL(3) compose(VCAM_ARGUMENT ComposeArguments p) { compose_band<kAny, kAny, kAny, false>(p); }
VCAM_KERNEL(2) compose_edge(VCAM_ARGUMENT ComposeArguments p) { compose_band<kAny, kAny, kAny, true>(p); }

// Layouts of cameras and JPEGs over those of outputs, in whole words, with a matte of half precision as it is.
#define VCAM_COMPOSE(source, target)                                                               \
    VCAM_KERNEL(4) compose_##source##_##target(VCAM_ARGUMENT ComposeArguments p) {                 \
        compose_band<static_cast<int>(Layout::source), static_cast<int>(Layout::target), 1, false>(p); \
    }
#define VCAM_COMPOSE_INTO(target) \
    VCAM_COMPOSE(I420, target)    \
    VCAM_COMPOSE(I422, target)    \
    VCAM_COMPOSE(I444, target)    \
    VCAM_COMPOSE(YUYV, target)    \
    VCAM_COMPOSE(NV12, target)
VCAM_COMPOSE_INTO(YUYV)
VCAM_COMPOSE_INTO(NV12)
VCAM_COMPOSE_INTO(I420)
#undef VCAM_COMPOSE_INTO
#undef VCAM_COMPOSE

}  // namespace vcam::cuda
