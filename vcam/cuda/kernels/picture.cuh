// Quads of neighbouring pixels between the bytes of a layout and floats. A quad is four pixels of one row: what a thread
// handles at once, and in most planes a word.
//
// kLayout is a Layout known when the kernel is compiled, for pictures whose planes allow whole words (kernels.py checks
// that), or kAny: the layout stands in the picture, every access is a byte, and any width is allowed.
#pragma once

#include "arguments.cuh"

namespace vcam::cuda {

constexpr int kAny = -1;

template <int kLayout>
VCAM_D Layout layout_of(const Picture& p) {
    return kLayout == kAny ? p.layout : static_cast<Layout>(kLayout);
}

VCAM_D int quads_of(const Picture& p) { return (p.width + 3) / 4; }
VCAM_D int pairs_of(const Picture& p) { return (p.width + 1) / 2; }

VCAM_D uint8_t* at(const Picture& p, int plane, int row, int byte) {
    return p.plane[plane] + (static_cast<ptrdiff_t>(row) * p.stride[plane] + byte);
}

template <int kLayout>
VCAM_D int chroma_row(const Picture& p, int y) {
    return halves_rows(layout_of<kLayout>(p)) ? y / 2 : y;
}

// One of the three components of a picture, pixel by pixel. GREY has no chroma: luma stands in, and its matrix ignores
// it.
struct Component {
    const uint8_t* first;
    int stride, step, shift_x, shift_y;

    VCAM_D Component(const Picture& p, int c) {
        const bool chroma = c > 0, shared = shares_chroma(p.layout), packed = p.layout == Layout::YUYV;
        const bool interleaved = p.layout == Layout::NV12, rgb = p.layout == Layout::RGB24;
        const int plane = packed || rgb || p.layout == Layout::GREY ? 0 : interleaved && chroma ? 1 : c;
        const int offset = !chroma ? 0 : packed ? 2 * c - 1 : rgb ? c : interleaved ? c - 1 : 0;
        first = p.plane[plane] + offset;
        stride = p.stride[plane];
        shift_x = chroma && shared;
        shift_y = chroma && halves_rows(p.layout);
        step = packed ? 2 << shift_x : rgb ? 3 : interleaved && chroma ? 2 : 1;
    }

    VCAM_D float at(int x, int y) const {
        return byte_of<0>(load<uint8_t>(first + (y >> shift_y) * static_cast<ptrdiff_t>(stride) + (x >> shift_x) * step));
    }
};

// RGB of single pixels.
struct Pixels {
    const Component x, y, z;
    const Matrix34& decode;

    VCAM_D Pixels(const Picture& p, const Matrix34& decode_) : x(p, 0), y(p, 1), z(p, 2), decode(decode_) {}

    VCAM_D pixel::Vec3<float> at(int column, int row) const {
        return pixel::decode(decode, x.at(column, row), y.at(column, row), z.at(column, row));
    }
};

// The bytes of a quad in one row, in the order of memory. luma: of four pixels; YUYV: of the first pair; RGB24: the first
// four bytes. u, v: planar chroma (two bytes each, of I444 four); NV12: u only; YUYV: the second pair in u; RGB24: the
// bytes after luma.
struct Words {
    uint32_t luma, u, v;
};

// Levels of Y, U, V or R, G, B; shared chroma stands at each pixel.
struct Quad {
    float c[3][4];
};

// `count` bytes, `step` apart from `first` on; where the row ends at `size`, its last one again.
VCAM_D uint32_t load_bytes(const uint8_t* row, int first, int count, int size) {
    uint32_t word = 0;
#pragma unroll
    for (int i = 0; i < count; ++i)
        word |= static_cast<uint32_t>(load<uint8_t>(row + (first + i < size ? first + i : size - 1))) << 8 * i;
    return word;
}

// The same for pieces of `unit` bytes: the last one again where there is no other.
VCAM_D uint32_t load_pieces(const uint8_t* row, int first, int unit, int byte, int pieces) {
    uint32_t word = 0;
#pragma unroll
    for (int i = byte; i < byte + 4; ++i) {
        const int piece = first + i / unit < pieces ? first + i / unit : pieces - 1;
        word |= static_cast<uint32_t>(load<uint8_t>(row + unit * piece + i % unit)) << 8 * (i - byte);
    }
    return word;
}

// Bytewise, for every layout and width.
VCAM_D void load_luma_bytes(const Picture& p, int quad, int y, bool is_source, Words& words) {
    const uint8_t* row = at(p, 0, y, 0);
    if (p.layout == Layout::YUYV) {
        words.luma = load_pieces(row, 2 * quad, 4, 0, pairs_of(p));
        words.u = load_pieces(row, 2 * quad, 4, 4, pairs_of(p));
        // An odd last pair shows one pixel; a background's second one is kept, so that copies are whole.
        if (is_source && 4 * quad + 1 == p.width) words.luma = __byte_perm(words.luma, 0, 0x3010);
        if (is_source && 4 * quad + 3 >= p.width) words.u = __byte_perm(words.u, 0, 0x3010);
    } else if (p.layout == Layout::RGB24) {
        words.luma = load_pieces(row, 4 * quad, 3, 0, p.width);
        words.u = load_pieces(row, 4 * quad, 3, 4, p.width);
        words.v = load_pieces(row, 4 * quad, 3, 8, p.width);
    } else {
        words.luma = load_bytes(row, 4 * quad, 4, p.width);
        if (p.layout != Layout::I444) return;
        words.u = load_bytes(at(p, 1, y, 0), 4 * quad, 4, p.width);
        words.v = load_bytes(at(p, 2, y, 0), 4 * quad, 4, p.width);
    }
}

// Luma, and all of a layout whose chroma is not shared or not apart.
template <int kLayout>
VCAM_D void load_luma(const Picture& p, int quad, int y, bool is_source, Words& words) {
    if (kLayout == kAny) return load_luma_bytes(p, quad, y, is_source, words);
    if (kLayout == static_cast<int>(Layout::YUYV)) {
        const uint2 both = load<uint2>(at(p, 0, y, 8 * quad));
        words.luma = both.x;
        words.u = both.y;
        return;
    }
    words.luma = load<uint32_t>(at(p, 0, y, 4 * quad));
    if (kLayout != static_cast<int>(Layout::I444)) return;
    words.u = load<uint32_t>(at(p, 1, y, 4 * quad));
    words.v = load<uint32_t>(at(p, 2, y, 4 * quad));
}

// Shared chroma in planes of its own.
template <int kLayout>
VCAM_D void load_chroma(const Picture& p, int quad, int y, Words& words) {
    const Layout layout = layout_of<kLayout>(p);
    const int row = chroma_row<kLayout>(p, y);
    if (layout == Layout::NV12)
        words.u = kLayout == kAny ? load_pieces(at(p, 1, row, 0), 2 * quad, 2, 0, pairs_of(p))
                                  : load<uint32_t>(at(p, 1, row, 4 * quad));
    if (layout == Layout::I420 || layout == Layout::I422) {
        words.u = kLayout == kAny ? load_bytes(at(p, 1, row, 0), 2 * quad, 2, pairs_of(p))
                                  : load<uint16_t>(at(p, 1, row, 2 * quad));
        words.v = kLayout == kAny ? load_bytes(at(p, 2, row, 0), 2 * quad, 2, pairs_of(p))
                                  : load<uint16_t>(at(p, 2, row, 2 * quad));
    }
}

VCAM_D void spread(float (&c)[4], float first, float second) {
    c[0] = c[1] = first;
    c[2] = c[3] = second;
}

VCAM_D void unpack_four(float (&c)[4], uint32_t word) {
    c[0] = byte_of<0>(word);
    c[1] = byte_of<1>(word);
    c[2] = byte_of<2>(word);
    c[3] = byte_of<3>(word);
}

VCAM_D Quad unpack_yuyv(const Words& words) {
    Quad quad;
    quad.c[0][0] = byte_of<0>(words.luma);
    quad.c[0][1] = byte_of<2>(words.luma);
    quad.c[0][2] = byte_of<0>(words.u);
    quad.c[0][3] = byte_of<2>(words.u);
    spread(quad.c[1], byte_of<1>(words.luma), byte_of<1>(words.u));
    spread(quad.c[2], byte_of<3>(words.luma), byte_of<3>(words.u));
    return quad;
}

VCAM_D Quad unpack_rgb(const Words& words) {
    const uint32_t all[3] = {words.luma, words.u, words.v};
    Quad quad;
#pragma unroll
    for (int i = 0; i < 12; ++i) quad.c[i % 3][i / 3] = byte_of<0>(all[i / 4] >> 8 * (i % 4));
    return quad;
}

// GREY has no chroma, and its matrix ignores what stands there.
template <int kLayout>
VCAM_D Quad unpack(const Picture& p, const Words& words) {
    const Layout layout = layout_of<kLayout>(p);
    if (layout == Layout::YUYV) return unpack_yuyv(words);
    if (layout == Layout::RGB24) return unpack_rgb(words);
    Quad quad = {};
    unpack_four(quad.c[0], words.luma);
    if (layout == Layout::I444) {
        unpack_four(quad.c[1], words.u);
        unpack_four(quad.c[2], words.v);
    } else if (layout == Layout::NV12) {
        spread(quad.c[1], byte_of<0>(words.u), byte_of<2>(words.u));
        spread(quad.c[2], byte_of<1>(words.u), byte_of<3>(words.u));
    } else if (layout != Layout::GREY) {
        spread(quad.c[1], byte_of<0>(words.u), byte_of<1>(words.u));
        spread(quad.c[2], byte_of<0>(words.v), byte_of<1>(words.v));
    }
    return quad;
}

VCAM_D void store_bytes(uint8_t* row, int first, int count, int size, uint32_t word) {
#pragma unroll
    for (int i = 0; i < count; ++i)
        if (first + i < size) row[first + i] = static_cast<uint8_t>(word >> 8 * i);
}

VCAM_D void store_luma_bytes(const Picture& p, int quad, int y, const Words& words) {
    uint8_t* row = at(p, 0, y, 0);
    if (p.layout == Layout::YUYV) {
        store_bytes(row, 8 * quad, 4, 4 * pairs_of(p), words.luma);
        store_bytes(row, 8 * quad + 4, 4, 4 * pairs_of(p), words.u);
    } else if (p.layout == Layout::RGB24) {
        store_bytes(row, 12 * quad, 4, 3 * p.width, words.luma);
        store_bytes(row, 12 * quad + 4, 4, 3 * p.width, words.u);
        store_bytes(row, 12 * quad + 8, 4, 3 * p.width, words.v);
    } else {
        store_bytes(row, 4 * quad, 4, p.width, words.luma);
        if (p.layout != Layout::I444) return;
        store_bytes(at(p, 1, y, 0), 4 * quad, 4, p.width, words.u);
        store_bytes(at(p, 2, y, 0), 4 * quad, 4, p.width, words.v);
    }
}

// The counterparts of load_luma and load_chroma.
template <int kLayout>
VCAM_D void store_luma(const Picture& p, int quad, int y, const Words& words) {
    if (kLayout == kAny) return store_luma_bytes(p, quad, y, words);
    if (kLayout == static_cast<int>(Layout::YUYV))
        return store<uint2>(at(p, 0, y, 8 * quad), make_uint2(words.luma, words.u));
    store<uint32_t>(at(p, 0, y, 4 * quad), words.luma);
    if (kLayout != static_cast<int>(Layout::I444)) return;
    store<uint32_t>(at(p, 1, y, 4 * quad), words.u);
    store<uint32_t>(at(p, 2, y, 4 * quad), words.v);
}

template <int kLayout>
VCAM_D void store_chroma(const Picture& p, int quad, int y, const Words& words) {
    const Layout layout = layout_of<kLayout>(p);
    const int row = chroma_row<kLayout>(p, y);
    if (layout == Layout::NV12) {
        if (kLayout == kAny) return store_bytes(at(p, 1, row, 0), 4 * quad, 4, 2 * pairs_of(p), words.u);
        store<uint32_t>(at(p, 1, row, 4 * quad), words.u);
    }
    if (layout == Layout::I420 || layout == Layout::I422)
        for (int c = 1; c < 3; ++c) {
            const uint32_t word = c == 1 ? words.u : words.v;
            if (kLayout == kAny)
                store_bytes(at(p, c, row, 0), 2 * quad, 2, pairs_of(p), word);
            else
                store<uint16_t>(at(p, c, row, 2 * quad), static_cast<uint16_t>(word));
        }
}

VCAM_D uint32_t pack_four(const float (&c)[4]) { return pack4(level(c[0]), level(c[1]), level(c[2]), level(c[3])); }

// Levels rounded into words. Luma, and all of a layout whose chroma is not shared; YUYV needs chroma, too.
template <int kLayout>
VCAM_D void pack_luma(const Picture& p, const Quad& quad, Words& words) {
    const Layout layout = layout_of<kLayout>(p);
    if (layout == Layout::RGB24) {
        uint32_t levels[12];
#pragma unroll
        for (int i = 0; i < 12; ++i) levels[i] = level(quad.c[i % 3][i / 3]);
        words.luma = pack4(levels[0], levels[1], levels[2], levels[3]);
        words.u = pack4(levels[4], levels[5], levels[6], levels[7]);
        words.v = pack4(levels[8], levels[9], levels[10], levels[11]);
        return;
    }
    words.luma = pack_four(quad.c[0]);
    if (layout != Layout::I444) return;
    words.u = pack_four(quad.c[1]);
    words.v = pack_four(quad.c[2]);
}

// Chroma of the two pairs of a quad, not yet rounded.
struct Chroma {
    float u[2], v[2];
};

// Shared chroma into words whose luma is packed already.
template <int kLayout>
VCAM_D void pack_chroma(const Picture& p, const Chroma& chroma, Words& words) {
    const Layout layout = layout_of<kLayout>(p);
    const uint32_t u = pack2(level(chroma.u[0]), level(chroma.u[1]));
    const uint32_t v = pack2(level(chroma.v[0]), level(chroma.v[1]));
    if (layout == Layout::YUYV) {
        const uint32_t luma = words.luma;
        const uint32_t uv = __byte_perm(u, v, 0x5140);  // U0 V0 U1 V1
        words.luma = __byte_perm(luma, uv, 0x5140);
        words.u = __byte_perm(luma, uv, 0x7362);
    } else if (layout == Layout::NV12) {
        words.u = __byte_perm(u, v, 0x5140);
    } else {
        words.u = u;
        words.v = v;
    }
}

}  // namespace vcam::cuda
