// compose: the person, coloured by the matte's foreground model, over the background, in the target's own space.
#include "edge_rows.h"
#include "look_rows.h"

namespace vcam::VCAM_ISA {
namespace {

constexpr int kBandRows = 48;  // of one task: even, for layouts whose chroma spans two rows

struct Scratch {
    Columns columns;
    Expanded<8> coefficients;
    Activity activity;
    LowPlane planes[8];
    EdgeTile edge;
    LookTile look;
    Row source;
    Row under;                            // background, then the result
    alignas(64) float chroma[2][kPairs];  // sum over the pixels of a chroma sample of alpha * (over - under)
};

struct Matrices {
    pixel::Matrix34 to_rgb, to_levels;
};

struct ChromaSum {
    Floats u, v;
};

// Blends the even (0) or odd (1) pixels of pairs i, i + 1, .. over s.under; what they add to shared chroma is returned.
template <bool kSourceShares, bool kTargetShares, bool kEdge, bool kLook, int kParity>
VCAM_HD ChromaSum blend_pixels(const Matrices& m, Scratch& s, float t, int i) {
    const auto coefficient = [&](int c) { return s.coefficients.at(c, kParity, t, i); };
    auto& source = kParity ? s.source.odd : s.source.even;
    auto& chroma = kSourceShares ? s.source.even : source;
    auto& under = kParity ? s.under.odd : s.under.even;
    const pixel::Vec3<Floats> rgb =
        pixel::decode(m.to_rgb, load(source[0] + i), load(chroma[1] + i), load(chroma[2] + i));
    Floats alpha = pixel::alpha(coefficient(3), coefficient(7), pixel::gray(rgb));
    pixel::Vec3<Floats> fg = {pixel::foreground(coefficient(0), coefficient(4), rgb.x),
                              pixel::foreground(coefficient(1), coefficient(5), rgb.y),
                              pixel::foreground(coefficient(2), coefficient(6), rgb.z)};
    if (kEdge) {
        const Floats doubt = post::doubt(alpha);
        if (any_above(doubt, 0.0f)) {
            alpha = s.edge.alpha(alpha, doubt, rgb, kParity, i);
            fg = s.edge.foreground(fg, alpha, doubt, rgb, kParity, i);
        }
    }
    if (kLook) {
        alpha = look::cover(*s.look.look, s.look.row, alpha);
        fg = s.look.colour(fg, kParity, i);
    }
    const pixel::Vec3<Floats> over = pixel::encode(m.to_levels, fg);
    store(under[0] + i, pixel::blend(alpha, over.x, load(under[0] + i)));
    if (kTargetShares)
        return {alpha * (over.y - load(s.under.even[1] + i)), alpha * (over.z - load(s.under.even[2] + i))};
    store(under[1] + i, pixel::blend(alpha, over.y, load(under[1] + i)));
    store(under[2] + i, pixel::blend(alpha, over.z, load(under[2] + i)));
    return {Floats{}, Floats{}};
}

// One row of pairs [begin, end) and up to the next whole vector. Writes the blended levels over s.under; shared chroma
// is summed into s.chroma.
template <bool kSourceShares, bool kTargetShares, bool kEdge, bool kLook>
void blend_row(const Compose& job, Scratch& s, float t, int begin, int end) {
    const Matrices m = {job.decode, job.encode};
    for (int i = begin; i < end; i += kLanes) {
        const ChromaSum even = blend_pixels<kSourceShares, kTargetShares, kEdge, kLook, 0>(m, s, t, i);
        const ChromaSum odd = blend_pixels<kSourceShares, kTargetShares, kEdge, kLook, 1>(m, s, t, i);
        if (kTargetShares) {
            store(s.chroma[0] + i, load(s.chroma[0] + i) + (even.u + odd.u));
            store(s.chroma[1] + i, load(s.chroma[1] + i) + (even.v + odd.v));
        }
    }
}

using BlendRow = void (*)(const Compose&, Scratch&, float, int, int);

template <bool kEdge, bool kLook>
BlendRow choose_blend(const Compose& job) {
    const bool source = shares_chroma(job.source.layout);
    if (shares_chroma(job.target.layout))
        return source ? blend_row<true, true, kEdge, kLook> : blend_row<false, true, kEdge, kLook>;
    return source ? blend_row<true, false, kEdge, kLook> : blend_row<false, false, kEdge, kLook>;
}

BlendRow choose_blend(const Compose& job) {
    if (job.edge.on()) return job.look ? choose_blend<true, true>(job) : choose_blend<true, false>(job);
    return job.look ? choose_blend<false, true>(job) : choose_blend<false, false>(job);
}

void copy_bytes(const Picture& from, const Picture& to, int plane, int row, ptrdiff_t begin, ptrdiff_t end) {
    memcpy(line(to, plane, row) + begin, line(from, plane, row) + begin, static_cast<size_t>(end - begin));
}

// Rows [y, y + rows) of pairs [begin, end): the background as it is.
void copy_background(const Compose& job, int y, int rows, int begin, int end) {
    if (job.in_place) return;
    const Picture& from = job.background;
    const int last = 2 * end < from.width ? 2 * end : from.width;
    for (int r = y; r < y + rows; ++r) switch (from.layout) {
            case Layout::YUYV:
                copy_bytes(from, job.target, 0, r, 4 * begin, 4 * end);
                break;
            case Layout::RGB24:
                copy_bytes(from, job.target, 0, r, 6 * begin, 3 * last);
                break;
            case Layout::I444:
                for (int c = 0; c < 3; ++c) copy_bytes(from, job.target, c, r, 2 * begin, last);
                break;
            case Layout::I422:
                for (int c = 1; c < 3; ++c) copy_bytes(from, job.target, c, r, begin, end);
                [[fallthrough]];
            default:
                copy_bytes(from, job.target, 0, r, 2 * begin, last);
        }
    if (from.layout == Layout::NV12) copy_bytes(from, job.target, 1, y / 2, 2 * begin, 2 * end);
    if (from.layout == Layout::I420)
        for (int c = 1; c < 3; ++c) copy_bytes(from, job.target, c, y / 2, begin, end);
}

struct Task {
    const Compose& job;
    Scratch& s;
    BlendRow blend;
    int first_pair, pairs;
    float scale_y;

    pixel::Tap row_tap(int y) const { return pixel::tap(y, scale_y, job.matte.window.y, job.matte.height); }

    void active_run(int y, int rows, int begin, int end) {
        const int n = end - begin;
        const int from = first_pair + begin, at = from + job.shift;
        const Run under = run_from(s.under, begin);
        unpack_chroma(job.background, y, at, n, under);
        for (int c = 0; c < 2; ++c) memset(s.chroma[c] + begin, 0, static_cast<size_t>(n) * sizeof(float));
        for (int r = 0; r < rows; ++r) {
            const pixel::Tap tap = row_tap(y + r);
            const int first_chunk = begin / kChunk, end_chunk = (end + kChunk - 1) / kChunk;
            s.coefficients.seek(s.planes, s.columns, tap.first, tap.second, first_chunk, end_chunk);
            if (job.edge.on()) s.edge.seek(y + r, tap, first_chunk, end_chunk);
            if (job.look) s.look.seek(y + r, first_chunk, end_chunk);
            unpack_source(job.source, y + r, from, n, run_from(s.source, begin));
            unpack_luma(job.background, y + r, at, n, under);
            blend(job, s, tap.weight, begin, end);
            pack_luma(job.target, y + r, at, n, under);
        }
        if (!shares_chroma(job.target.layout)) return;
        const float mean = 0.5f / static_cast<float>(rows);
        for (int c = 0; c < 2; ++c)
            for (int i = begin; i < end; ++i) s.under.even[1 + c][i] += mean * s.chroma[c][i];
        pack_chroma(job.target, y, at, n, under);
    }

    void rows(int y, int count) {
        unsigned mask = 0;
        for (int r = 0; r < count; ++r) {
            const pixel::Tap tap = row_tap(y + r);
            mask |= s.activity.interval(tap.first, tap.second);
        }
        for_runs(mask, pairs, [&](int begin, int end, bool active) {
            if (active)
                active_run(y, count, begin, end);
            else
                copy_background(job, y, count, first_pair + begin + job.shift, first_pair + end + job.shift);
        });
    }
};

void run_task(const Compose& job, int tile, int band, Scratch& s) {
    const Matte& m = job.matte;
    const int first = tile * kPairs + (job.shift < 0 ? -job.shift : 0);
    const int left = pairs_of(job.source) - (job.shift > 0 ? job.shift : 0) - first;
    if (left <= 0) return;
    Task task = {job,
                 s,
                 choose_blend(job),
                 first,
                 left < kPairs ? left : kPairs,
                 static_cast<float>(job.source.height) / m.window.height};
    s.columns.place(2 * first, job.source.width, static_cast<float>(job.source.width) / m.window.width, m.window.x,
                    m.width);
    matte_planes(m, s.planes);
    s.coefficients.forget();
    if (job.edge.on()) s.edge.place(job.edge, m, job.source, 2 * first, s.columns);
    if (job.look) s.look.place(job, 2 * first);
    s.activity = {s.planes[3], s.planes[7], &s.columns, {-1, -1}, {0, 0}};
    const int end = (band + 1) * kBandRows < job.source.height ? (band + 1) * kBandRows : job.source.height;
    const int step = halves_rows(job.target.layout) ? 2 : 1;
    for (int y = band * kBandRows; y < end; y += step) task.rows(y, end - y < step ? end - y : step);
}

}  // namespace

void compose(const Compose& job, int threads) {
    over_tiles<Scratch>(job, kBandRows, threads, run_task);
}

}  // namespace vcam::VCAM_ISA
