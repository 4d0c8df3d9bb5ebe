// convert: any layout and colour to any other, at the same size. copy: the bytes as they are.
#include "picture.cuh"

namespace vcam::cuda {

// Levels of the source to levels of the target, in place, chroma of every pixel in its own place.
VCAM_D void recolour(const ConvertArguments& p, Quad& quad) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        const pixel::Vec3<float> levels =
            pixel::encode(p.encode, pixel::decode(p.decode, quad.c[0][i], quad.c[1][i], quad.c[2][i]));
        quad.c[0][i] = levels.x;
        quad.c[1][i] = levels.y;
        quad.c[2][i] = levels.z;
    }
}

// A quad of one row, or of the two rows that share chroma.
VCAM_KERNEL(8) convert(VCAM_ARGUMENT ConvertArguments p) {
    const int step = halves_rows(p.target.layout) ? 2 : 1;
    const int quad = thread_x(), begin = thread_y() * step;
    if (quad >= quads_of(p.target) || begin >= p.target.height) return;
    const int end = begin + step < p.target.height ? begin + step : p.target.height;
    const float mean = 0.5f / static_cast<float>(end - begin);
    Chroma chroma = {};
    for (int y = begin; y < end; ++y) {
        Words words = {};
        load_luma<kAny>(p.source, quad, y, true, words);
        load_chroma<kAny>(p.source, quad, y, words);
        Quad levels = unpack<kAny>(p.source, words);
        if (!p.same_colour) recolour(p, levels);
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            chroma.u[i] += mean * (levels.c[1][2 * i] + levels.c[1][2 * i + 1]);
            chroma.v[i] += mean * (levels.c[2][2 * i] + levels.c[2][2 * i + 1]);
        }
        pack_luma<kAny>(p.target, levels, words);
        if (shares_chroma(p.target.layout) && y + 1 == end) {
            pack_chroma<kAny>(p.target, chroma, words);
            store_chroma<kAny>(p.target, quad, y, words);
        }
        store_luma<kAny>(p.target, quad, y, words);
    }
}

// Sixteen bytes of a row of one plane.
VCAM_KERNEL(8) copy(VCAM_ARGUMENT CopyArguments p) {
    const int plane = thread_z(), y = thread_y(), begin = 16 * thread_x();
    const PlaneSize size = plane_size(p.target.layout, p.target.width, p.target.height, plane);
    if (y >= size.rows || begin >= size.bytes) return;
    const uint8_t* from = at(p.source, plane, y, begin);
    uint8_t* to = at(p.target, plane, y, begin);
    if (begin + 16 <= size.bytes && aligned(from, 16) && aligned(to, 16))
        store<uint4>(to, load<uint4>(from));
    else
        for (int i = 0; i < 16 && begin + i < size.bytes; ++i) to[i] = load<uint8_t>(from + i);
}

}  // namespace vcam::cuda
