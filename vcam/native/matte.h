// Low-resolution planes expanded over one tile: horizontally once per low-resolution row, vertically by the caller.
//
// Between two low-resolution rows every output row reads the same two expanded rows, so the horizontal taps, which need
// shuffles, cost little; what is left per pixel and channel is one multiply-add over arrays in the first-level cache.
#pragma once

#include "rows.h"

namespace vcam::VCAM_ISA {

constexpr int kChunk = 16;  // pairs: what is skipped or worked on as a whole
constexpr int kChunks = kPairs / kChunk;

// One plane of height x width low-resolution values; what is expanded is gain * value + offset.
struct LowPlane {
    const float* values;
    float gain, offset;
};

// Horizontal taps of the pairs of a tile, [0] even pixels, [1] odd ones.
struct Columns {
    alignas(64) int32_t first[2][kPairs];
    alignas(64) float weight[2][kPairs];
    int low_width;

    void place(int first_pixel, int width, float scale, float origin, int low) {
        low_width = low;
        for (int parity = 0; parity < 2; ++parity)
            for (int i = 0; i < kPairs; ++i) {
                const int x = first_pixel + 2 * i + parity;
                const pixel::Tap t = pixel::tap(x < width ? x : width - 1, scale, origin, low);
                first[parity][i] = t.first;
                weight[parity][i] = t.weight;
            }
    }

    // The least and the greatest first tap of pairs [begin, end); they rise, or fall where the view is mirrored.
    int low(int parity, int begin, int end) const {
        const int32_t* taps = first[parity];
        return taps[begin] < taps[end - 1] ? taps[begin] : taps[end - 1];
    }

    int high(int parity, int begin, int end) const {
        const int32_t* taps = first[parity];
        return taps[begin] < taps[end - 1] ? taps[end - 1] : taps[begin];
    }
};

// Taps of kLanes neighbouring pixels of one parity: by a shuffle of one vector where all lie within it.
struct LaneTaps {
    const int32_t* first;
    int width, base;
    bool near;
    Ints left, right;
    Floats weight;

    LaneTaps(const Columns& columns, int parity, int i) {
        first = columns.first[parity] + i;
        width = columns.low_width;
        const int low = columns.low(parity, i, i + kLanes), high = columns.high(parity, i, i + kLanes);
        base = low < width - kLanes ? low : width - kLanes;
        const int last = high + 1 < width ? high + 1 : width - 1;
        near = base >= 0 && last - base < kLanes;
        left = load(first) - base;
        const Ints next = left + 1;
        right = next < kLanes ? next : Ints{} + (kLanes - 1);
        weight = load(columns.weight[parity] + i);
    }

    VCAM_HD Floats of(const float* row) const {
        if (near) {
            const Floats low = load(row + base);
            return pixel::lerp(shuffle(low, left), shuffle(low, right), weight);
        }
        alignas(64) float a[kLanes], b[kLanes];
        for (int j = 0; j < kLanes; ++j) {
            a[j] = row[first[j]];
            b[j] = row[first[j] + 1 < width ? first[j] + 1 : width - 1];
        }
        return pixel::lerp(load(a), load(b), weight);
    }
};

// The two expanded rows around the output row: value = top + weight * delta, per chunk, for N planes.
template <int N>
struct Expanded {
    alignas(64) float top[N][2][kPairs];
    alignas(64) float delta[N][2][kPairs];
    alignas(64) float rows[2][N][2][kPairs];  // low-resolution rows of even and odd number
    int held[2][kChunks];                     // which ones
    int current[kChunks];                     // first row of the interval that top and delta hold

    void forget() {
        for (int c = 0; c < kChunks; ++c) held[0][c] = held[1][c] = current[c] = -1;
    }

    // Make top and delta of chunks [begin, end) those of the interval from low row k to k1 (k + 1, or k at the border).
    void seek(const LowPlane* planes, const Columns& columns, int k, int k1, int begin, int end) {
        for (int c = begin; c < end; ++c) {
            if (current[c] == k) continue;
            fill(planes, columns, k, c);
            fill(planes, columns, k1, c);
            const int at = c * kChunk;
            for (int n = 0; n < N; ++n)
                for (int parity = 0; parity < 2; ++parity)
                    for (int i = at; i < at + kChunk; i += kLanes) {
                        const Floats first = load(rows[k & 1][n][parity] + i);
                        store(top[n][parity] + i, first);
                        store(delta[n][parity] + i, load(rows[k1 & 1][n][parity] + i) - first);
                    }
            current[c] = k;
        }
    }

    // The value of plane n at kLanes pixels.
    VCAM_HD Floats at(int n, int parity, float t, int i) const {
        return load(top[n][parity] + i) + t * load(delta[n][parity] + i);
    }

private:
    void fill(const LowPlane* planes, const Columns& columns, int row, int chunk) {
        int& held_row = held[row & 1][chunk];
        if (held_row == row) return;
        held_row = row;
        const ptrdiff_t start = static_cast<ptrdiff_t>(row) * columns.low_width;
        for (int parity = 0; parity < 2; ++parity)
            for (int i = chunk * kChunk; i < (chunk + 1) * kChunk; i += kLanes) {
                const LaneTaps taps(columns, parity, i);
                for (int n = 0; n < N; ++n)
                    store(rows[row & 1][n][parity] + i,
                          planes[n].gain * taps.of(planes[n].values + start) + planes[n].offset);
            }
    }
};

// Which chunks of a tile can have alpha above 0, per low-resolution row.
//
// alpha = a * gray + b with gray in [0, 1] is at most max(b, a + b), and bilinear interpolation cannot exceed its
// nodes: where that is not above 0 at all of them, alpha is exactly 0 whatever the camera shows. NaN counts as active.
struct Activity {
    LowPlane a, b;
    const Columns* columns;
    int held[2];
    unsigned mask[2];

    void forget() { held[0] = held[1] = -1; }

    unsigned interval(int k, int k1) { return row(k) | row(k1); }

private:
    unsigned row(int k) {
        const int slot = k & 1;
        if (held[slot] == k) return mask[slot];
        held[slot] = k;
        mask[slot] = 0;
        const float* as = a.values + static_cast<ptrdiff_t>(k) * columns->low_width;
        const float* bs = b.values + static_cast<ptrdiff_t>(k) * columns->low_width;
        for (int c = 0; c < kChunks; ++c)
            if (any_above_zero(as, bs, c * kChunk, (c + 1) * kChunk)) mask[slot] |= 1u << c;
        return mask[slot];
    }

    bool any_above_zero(const float* as, const float* bs, int begin, int end) const {
        const int even = columns->low(0, begin, end), odd = columns->low(1, begin, end);
        const int even_end = columns->high(0, begin, end) + 1, odd_end = columns->high(1, begin, end) + 1;
        int last = even_end > odd_end ? even_end : odd_end;
        if (last >= columns->low_width) last = columns->low_width - 1;
        bool above = false;
        for (int j = even < odd ? even : odd; j <= last; ++j) {
            const float low = b.gain * bs[j] + b.offset;
            above |= !(low <= 0.0f) | !(a.gain * as[j] + low <= 0.0f);
        }
        return above;
    }
};

// The planes of a matte, with the folds: levels into alpha, 1 + A for the foreground.
inline void matte_planes(const Matte& m, LowPlane (&planes)[8]) {
    const ptrdiff_t plane = static_cast<ptrdiff_t>(m.width) * m.height;
    for (int c = 0; c < 3; ++c) {
        planes[c] = {m.a + c * plane, 1.0f, 1.0f};
        planes[4 + c] = {m.b + c * plane, 1.0f, 0.0f};
    }
    planes[3] = {m.a + 3 * plane, m.gain, 0.0f};
    planes[7] = {m.b + 3 * plane, m.gain, m.offset};
}

// Calls work(begin, end, active) for each run of equal chunks; begin and end are pairs.
template <class Work>
inline void for_runs(unsigned mask, int pairs, Work work) {
    const int chunks = (pairs + kChunk - 1) / kChunk;
    for (int begin = 0; begin < chunks;) {
        const unsigned active = (mask >> begin) & 1u;
        int end = begin + 1;
        while (end < chunks && ((mask >> end) & 1u) == active) ++end;
        work(begin * kChunk, end * kChunk < pairs ? end * kChunk : pairs, active != 0);
        begin = end;
    }
}

}  // namespace vcam::VCAM_ISA
