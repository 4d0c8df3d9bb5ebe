// Runs of pixel pairs: between the bytes of a layout and rows of floats, one array per component.
//
// A pair is two neighbouring pixels, because chroma is shared by pairs: with even and odd pixels in arrays of their
// own, chroma is read once, averaged lane by lane, and no shuffle stands in the arithmetic.
#pragma once

#include "loops.h"
#include "simd.h"

namespace vcam::VCAM_ISA {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "pairs are read and written as little-endian words");

constexpr int kPairs = 128;  // of a tile: its coefficients stay in the first-level cache

typedef uint16_t Word16 __attribute__((aligned(1), may_alias));
typedef uint32_t Word32 __attribute__((aligned(1), may_alias));

// Three components (Y, U, V or R, G, B) of up to kPairs pairs, as levels. Shared chroma stands in the even array.
struct Row {
    alignas(64) float even[3][kPairs];
    alignas(64) float odd[3][kPairs];
};

// A row from one pair on. Passed by value: stores of bytes could otherwise alias the pointers.
struct Run {
    float* even[3];
    float* odd[3];
};

inline Run run_from(Row& row, int pair) {
    return {{row.even[0] + pair, row.even[1] + pair, row.even[2] + pair},
            {row.odd[0] + pair, row.odd[1] + pair, row.odd[2] + pair}};
}

inline int pairs_of(const Picture& p) { return (p.width + 1) / 2; }

inline uint8_t* line(const Picture& p, int plane, int row) { return p.plane[plane] + row * p.stride[plane]; }

inline int chroma_row(const Picture& p, int y) { return halves_rows(p.layout) ? y / 2 : y; }

// One byte per pixel. An odd last pixel stands for both of its pair.
inline void unpack_bytes(const uint8_t* row, int width, int first, int n, float* even, float* odd) {
    const int whole = first + n <= width / 2 ? n : width / 2 - first;
    const Word16* words = reinterpret_cast<const Word16*>(row + 2 * first);
#pragma GCC ivdep
    for (int i = 0; i < whole; ++i) {
        const int32_t w = words[i];
        even[i] = static_cast<float>(w & 0xff);
        odd[i] = static_cast<float>(w >> 8);
    }
    for (int i = whole; i < n; ++i) even[i] = odd[i] = row[width - 1];
}

inline void unpack_yuyv_luma(const Picture& p, int y, int first, int n, Run out) {
    const Word32* words = reinterpret_cast<const Word32*>(line(p, 0, y)) + first;
#pragma GCC ivdep
    for (int i = 0; i < n; ++i) {
        const int32_t w = static_cast<int32_t>(words[i]);
        out.even[0][i] = static_cast<float>(w & 0xff);
        out.odd[0][i] = static_cast<float>((w >> 16) & 0xff);
    }
}

inline void unpack_rgb(const Picture& p, int y, int first, int n, Run out) {
    const uint8_t* row = line(p, 0, y);
#pragma GCC ivdep
    for (int i = 0; i < n; ++i) {
        const int x = 2 * (first + i);
        const uint8_t* even = row + 3 * x;
        const uint8_t* odd = x + 1 < p.width ? even + 3 : even;
        for (int c = 0; c < 3; ++c) {
            out.even[c][i] = even[c];
            out.odd[c][i] = odd[c];
        }
    }
}

// Component 0, and all three where chroma is not shared.
inline void unpack_luma(const Picture& p, int y, int first, int n, Run out) {
    switch (p.layout) {
        case Layout::YUYV:
            return unpack_yuyv_luma(p, y, first, n, out);
        case Layout::RGB24:
            return unpack_rgb(p, y, first, n, out);
        case Layout::I444:
            for (int c = 1; c < 3; ++c) unpack_bytes(line(p, c, y), p.width, first, n, out.even[c], out.odd[c]);
            break;
        case Layout::GREY:  // its matrix ignores chroma
            for (int c = 1; c < 3; ++c)
#pragma GCC ivdep
                for (int i = 0; i < n; ++i) out.even[c][i] = out.odd[c][i] = 0.0f;
            break;
        default:
            break;
    }
    unpack_bytes(line(p, 0, y), p.width, first, n, out.even[0], out.odd[0]);
}

// Shared chroma of row y into the even arrays; nothing where it is not shared.
inline void unpack_chroma(const Picture& p, int y, int first, int n, Run out) {
    float* u = out.even[1];
    float* v = out.even[2];
    switch (p.layout) {
        case Layout::YUYV: {
            const Word32* words = reinterpret_cast<const Word32*>(line(p, 0, y)) + first;
#pragma GCC ivdep
            for (int i = 0; i < n; ++i) {
                const uint32_t w = words[i];
                u[i] = static_cast<float>(static_cast<int32_t>((w >> 8) & 0xff));
                v[i] = static_cast<float>(static_cast<int32_t>(w >> 24));
            }
            break;
        }
        case Layout::NV12: {
            const Word16* words = reinterpret_cast<const Word16*>(line(p, 1, y / 2)) + first;
#pragma GCC ivdep
            for (int i = 0; i < n; ++i) {
                const int32_t w = words[i];
                u[i] = static_cast<float>(w & 0xff);
                v[i] = static_cast<float>(w >> 8);
            }
            break;
        }
        case Layout::I420:
        case Layout::I422: {
            const uint8_t* us = line(p, 1, chroma_row(p, y)) + first;
            const uint8_t* vs = line(p, 2, chroma_row(p, y)) + first;
#pragma GCC ivdep
            for (int i = 0; i < n; ++i) {
                u[i] = us[i];
                v[i] = vs[i];
            }
            break;
        }
        default:
            break;
    }
}

// Everything of one row of a source. The padding of an odd YUYV row is not a pixel: its last pair shows one pixel.
inline void unpack_source(const Picture& p, int y, int first, int n, Run out) {
    unpack_luma(p, y, first, n, out);
    unpack_chroma(p, y, first, n, out);
    if (p.layout == Layout::YUYV && p.width % 2 && first + n == pairs_of(p)) out.odd[0][n - 1] = out.even[0][n - 1];
}

inline void pack_bytes(uint8_t* row, int width, int first, int n, const float* even, const float* odd) {
    const int whole = first + n <= width / 2 ? n : width / 2 - first;
    Word16* words = reinterpret_cast<Word16*>(row + 2 * first);
#pragma GCC ivdep
    for (int i = 0; i < whole; ++i)
        words[i] = static_cast<uint16_t>(pixel::level(even[i]) | (pixel::level(odd[i]) << 8));
    if (whole < n) row[width - 1] = static_cast<uint8_t>(pixel::level(even[n - 1]));
}

inline void pack_rgb(const Picture& p, int y, int first, int n, Run in) {
    uint8_t* row = line(p, 0, y) + 6 * first;
    const int pixels = 2 * (first + n) <= p.width ? 2 * n : p.width - 2 * first;
#pragma GCC ivdep
    for (int i = 0; i < pixels / 2; ++i)
        for (int c = 0; c < 3; ++c) {
            row[6 * i + c] = static_cast<uint8_t>(pixel::level(in.even[c][i]));
            row[6 * i + 3 + c] = static_cast<uint8_t>(pixel::level(in.odd[c][i]));
        }
    if (pixels % 2)
        for (int c = 0; c < 3; ++c) row[3 * (pixels - 1) + c] = static_cast<uint8_t>(pixel::level(in.even[c][n - 1]));
}

// The counterpart of unpack_luma; YUYV is written whole by pack_chroma.
inline void pack_luma(const Picture& p, int y, int first, int n, Run in) {
    switch (p.layout) {
        case Layout::YUYV:
            return;
        case Layout::RGB24:
            return pack_rgb(p, y, first, n, in);
        case Layout::I444:
            for (int c = 1; c < 3; ++c) pack_bytes(line(p, c, y), p.width, first, n, in.even[c], in.odd[c]);
            break;
        default:
            break;
    }
    pack_bytes(line(p, 0, y), p.width, first, n, in.even[0], in.odd[0]);
}

// Shared chroma from the even arrays.
inline void pack_chroma(const Picture& p, int y, int first, int n, Run in) {
    const float* u = in.even[1];
    const float* v = in.even[2];
    switch (p.layout) {
        case Layout::YUYV: {
            Word32* words = reinterpret_cast<Word32*>(line(p, 0, y)) + first;
#pragma GCC ivdep
            for (int i = 0; i < n; ++i)
                words[i] = static_cast<uint32_t>(pixel::level(in.even[0][i]) | (pixel::level(u[i]) << 8) |
                                                 (pixel::level(in.odd[0][i]) << 16)) |
                           (static_cast<uint32_t>(pixel::level(v[i])) << 24);
            break;
        }
        case Layout::NV12: {
            Word16* words = reinterpret_cast<Word16*>(line(p, 1, y / 2)) + first;
#pragma GCC ivdep
            for (int i = 0; i < n; ++i)
                words[i] = static_cast<uint16_t>(pixel::level(u[i]) | (pixel::level(v[i]) << 8));
            break;
        }
        case Layout::I420:
        case Layout::I422: {
            uint8_t* us = line(p, 1, chroma_row(p, y)) + first;
            uint8_t* vs = line(p, 2, chroma_row(p, y)) + first;
#pragma GCC ivdep
            for (int i = 0; i < n; ++i) {
                us[i] = static_cast<uint8_t>(pixel::level(u[i]));
                vs[i] = static_cast<uint8_t>(pixel::level(v[i]));
            }
            break;
        }
        default:
            break;
    }
}

// Calls task(job, tile, band, scratch) for each tile of kPairs pairs and band of rows of the source; each thread has its
// own scratch.
template <class Scratch, class Job, class Task>
void over_tiles(const Job& job, int band_rows, int threads, Task task) {
    const int tiles = (pairs_of(job.source) + kPairs - 1) / kPairs;
    const int bands = (job.source.height + band_rows - 1) / band_rows;
#pragma omp parallel num_threads(threads)
    {
        Scratch scratch;
#pragma omp for schedule(dynamic)
        for (int i = 0; i < tiles * bands; ++i) task(job, i % tiles, i / tiles, scratch);
    }
    (void)threads;
}

}  // namespace vcam::VCAM_ISA
