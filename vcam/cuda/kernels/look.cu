// compose_look: compose, where the person is shown as native/look.h says; also its ghosts, one launch each, in place.
//
// A thread owns a quad of columns in the rows that share chroma. Each pixel reads its own taps of everything: it may come
// from anywhere in its row, and a walk down the rows would leave no registers for the look.
#include "edge.cuh"

namespace vcam::cuda {

VCAM_D pixel::Vec3<float> wash_at(const Wash& wash, int column, int row) {
    const Between cells(wash.x, wash.y, column, row);
    return {cells.at(wash.rgb, 0), cells.at(wash.rgb, 1), cells.at(wash.rgb, 2)};
}

// The person at pixel (x, y) of the camera, as the matte has it and as its edge is corrected.
VCAM_D Foreground person_at(const ComposeArguments& p, const pixel::Vec3<float>& rgb, int x, int y) {
    const Taps nodes(nodes_x(p.matte), nodes_y(p.matte), x, y);
    const WholeMatte planes(p.matte);
    const auto at = [&](int n) { return nodes.between([&](int index) { return planes.value<kAny>(n, index); }); };
    Foreground over = {pixel::alpha(at(3), at(7), pixel::gray(rgb)),
                       {pixel::foreground(at(0), at(4), rgb.x), pixel::foreground(at(1), at(5), rgb.y),
                        pixel::foreground(at(2), at(6), rgb.z)}};
    correct(p.edge, p.matte, x, y, p.source.width, rgb, over);
    return over;
}

VCAM_D Foreground looked_at(const LookArguments& p, const Pixels& source, const look::RowLook& row, int x, int y) {
    const look::Look& look = p.figure->look;
    const Foreground person = person_at(p.compose, source.at(x, y), x, y);
    const pixel::Vec3<float> own = p.blurred.rgb ? wash_at(p.blurred, x, y) : person.rgb;
    const pixel::Vec3<float> graded = look::graded(look, own);
    return {look::cover(look, row, person.alpha),
            look::shown(look, row, p.light.rgb ? look::lit(look, graded, wash_at(p.light, x, y)) : graded)};
}

// Blends a row over `under`, with the pixels of the camera from `first` on; see blend_row for `sum`.
VCAM_D void blend_look(const LookArguments& p, int first, int y, bool shares, Quad& under, Chroma& sum) {
    const ComposeArguments& c = p.compose;
    const Pixels source(c.source, c.decode);
    const look::RowLook row = look::row_look(p.figure->look, y);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        if (first + i < 0 || (first + i) / 2 >= pairs_of(c.source)) continue;  // nothing was moved here
        const int x = first + i < c.source.width ? first + i : c.source.width - 1;
        const Foreground over = looked_at(p, source, row, x, y);
        blend_pixel(over.alpha, pixel::encode(c.encode, over.rgb), i, shares, under, sum);
    }
}

VCAM_KERNEL(4) compose_look(VCAM_ARGUMENT LookArguments p) {
    const ComposeArguments& c = p.compose;
    const bool shares = shares_chroma(c.target.layout), halved = halves_rows(c.target.layout);
    const int quad = thread_x(), begin = thread_y() * (halved ? 2 : 1);
    if (quad >= quads_of(c.target) || begin >= c.target.height) return;
    const int end = halved && begin + 2 < c.target.height ? begin + 2 : halved ? c.target.height : begin + 1;
    const int first = 4 * quad - 2 * load<int32_t>(&p.figure->pairs);
    const Columns<4> columns(nodes_x(c.matte), first, c.source.width);
    if (!any_alpha<kAny>(c.matte, columns, begin, end) || load<uint32_t>(c.flag)) {
        if (!p.in_place) copy_background<kAny>(c, quad, begin, end);
        return;
    }
    const float mean = 0.5f / static_cast<float>(end - begin);
    Words under = {};
    Chroma sum = {};
#pragma unroll 1
    for (int y = begin; y < end; ++y) {
        load_luma<kAny>(c.background, quad, y, false, under);
        if (y == begin) load_chroma<kAny>(c.background, quad, y, under);
        Quad to = unpack<kAny>(c.background, under);
        blend_look(p, first, y, shares, to, sum);
        Words words = {};
        pack_luma<kAny>(c.target, to, words);
        if (shares && y + 1 == end) {
            pack_chroma<kAny>(c.target, mean_chroma(to, sum, mean), words);
            store_chroma<kAny>(c.target, quad, y, words);
        }
        store_luma<kAny>(c.target, quad, y, words);
    }
}

}  // namespace vcam::cuda
