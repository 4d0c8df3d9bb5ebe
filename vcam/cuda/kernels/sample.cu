// sample: camera planes to the small normalised RGB tensor of the network. check: whether what comes back is finite.
#include "matte.cuh"

namespace vcam::cuda {

VCAM_D pixel::Vec3<float> mix(const pixel::Vec3<float>& a, const pixel::Vec3<float>& b, float weight) {
    return {pixel::lerp(a.x, b.x, weight), pixel::lerp(a.y, b.y, weight), pixel::lerp(a.z, b.z, weight)};
}

// Two neighbours, as one word where that is whole.
VCAM_D void store_pair(void* out, int index, float first, float second, bool half, bool both) {
    if (half) {
        uint16_t* to = static_cast<uint16_t*>(out) + index;
        const uint16_t low = half_from_float(first), high = half_from_float(second);
        if (both && aligned(to, 4)) return store<uint32_t>(to, low | static_cast<uint32_t>(high) << 16);
        to[0] = low;
        if (both) to[1] = high;
    } else {
        float* to = static_cast<float*>(out) + index;
        to[0] = first;
        if (both) to[1] = second;
    }
}

// Two output pixels per thread. Their taps lie apart, so no load could be wider.
VCAM_KERNEL(8) sample(VCAM_ARGUMENT SampleArguments p) {
    const int i = 2 * thread_x(), j = thread_y();
    if (i >= p.width || j >= p.height) return;
    const bool both = i + 1 < p.width;
    const pixel::Tap y = tap(p.y, j);
    const Pixels source(p.source, p.decode);
    pixel::Vec3<float> rgb[2];
#pragma unroll
    for (int k = 0; k < 2; ++k) {
        const pixel::Tap x = tap(p.x, both ? i + k : i);
        rgb[k] = mix(mix(source.at(x.first, y.first), source.at(x.second, y.first), x.weight),
                     mix(source.at(x.first, y.second), source.at(x.second, y.second), x.weight), y.weight);
    }
    const int index = j * p.width + i, plane = p.width * p.height;
    store_pair(p.out, index, rgb[0].x, rgb[1].x, p.half != 0, both);
    store_pair(p.out, plane + index, rgb[0].y, rgb[1].y, p.half != 0, both);
    store_pair(p.out, 2 * plane + index, rgb[0].z, rgb[1].z, p.half != 0, both);
}

// An exponent of all ones is an infinity or not a number (IEEE 754-2019, 3.4).
VCAM_D bool finite(uint32_t word, bool half) {
    if (!half) return (word & 0x7f800000u) != 0x7f800000u;
    return (word & 0x7c00u) != 0x7c00u && (word & 0x7c000000u) != 0x7c000000u;
}

VCAM_D bool finite(const void* values, int begin, int count, bool half) {
    const int per_load = half ? 8 : 4;
    if (begin + per_load <= count && aligned(values, 16)) {
        const uint4 words = load<uint4>(static_cast<const char*>(values) + static_cast<ptrdiff_t>(begin) * (half ? 2 : 4));
        return finite(words.x, half) && finite(words.y, half) && finite(words.z, half) && finite(words.w, half);
    }
    for (int i = begin; i < begin + per_load && i < count; ++i) {
        const uint32_t word = half ? load<uint16_t>(static_cast<const uint16_t*>(values) + i)
                                   : load<uint32_t>(static_cast<const uint32_t*>(values) + i);
        if (!finite(word, half)) return false;
    }
    return true;
}

// Sixteen bytes of a and of b per thread. Whoever finds fault stores the same 1.
VCAM_KERNEL(8) check(VCAM_ARGUMENT CheckArguments p) {
    const bool half = p.half != 0;
    const int begin = thread_x() * (half ? 8 : 4);
    if (begin >= p.count) return;
    if (!finite(p.a, begin, p.count, half) || !finite(p.b, begin, p.count, half)) *p.flag = 1;
}

}  // namespace vcam::cuda
