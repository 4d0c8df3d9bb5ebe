// The pixel arithmetic of vcam, once: the C++ loops of this folder and the CUDA kernels are thin loops around it.
//
// T is float, or on the CPU a vector of floats (simd.h). No colour constant stands here: matrices come from
// vcam/color.py as (3, 4) floats. Every clamp sends NaN to its lower bound, so that a matte that is not a number is
// alpha 0, the background: it fails closed in the arithmetic. Plain C++17 without std::, because nvcc compiles it for
// the device too.
#pragma once

#ifdef __CUDACC__
#define VCAM_HD __host__ __device__ __forceinline__
#else
// Always inlined: the loops are compiled once per instruction set, and a shared out-of-line copy might be the wrong
// one.
#define VCAM_HD inline __attribute__((always_inline))
#endif

namespace vcam::pixel {

template <class T>
struct Vec3 {
    T x, y, z;
};

// Rows of a (3, 4) matrix, as color.py lays them out.
struct Matrix34 {
    float m[12];
};

// Two neighbours on a line of samples and the weight of the second one.
struct Tap {
    int first, second;
    float weight;
};

// The larger, the smaller of x and a bound; the bound where x is NaN. A vector type has one instruction for each.
template <class T>
struct Bound {
    static VCAM_HD T above(T x, float lo) { return x > lo ? x : lo; }
    static VCAM_HD T below(T x, float hi) { return x < hi ? x : hi; }
};

// x > lo ? (x < hi ? x : hi) : lo. NaN becomes lo.
template <class T>
VCAM_HD T clamp(T x, float lo, float hi) {
    return Bound<T>::below(Bound<T>::above(x, lo), hi);
}

template <class T>
VCAM_HD T unit(T x) {
    return clamp(x, 0.0f, 1.0f);
}

template <class T>
VCAM_HD Vec3<T> transform(const Matrix34& t, T x, T y, T z) {
    return {t.m[0] * x + (t.m[1] * y + (t.m[2] * z + t.m[3])), t.m[4] * x + (t.m[5] * y + (t.m[6] * z + t.m[7])),
            t.m[8] * x + (t.m[9] * y + (t.m[10] * z + t.m[11]))};
}

// 8-bit levels of (Y, U, V) to RGB clipped to [0, 1].
template <class T>
VCAM_HD Vec3<T> decode(const Matrix34& t, T y, T u, T v) {
    const Vec3<T> c = transform(t, y, u, v);
    return {unit(c.x), unit(c.y), unit(c.z)};
}

// RGB in [0, 1] to 8-bit levels, not yet rounded.
template <class T>
VCAM_HD Vec3<T> encode(const Matrix34& t, Vec3<T> c) {
    return transform(t, c.x, c.y, c.z);
}

template <class T, class Weight>
VCAM_HD T lerp(T a, T b, Weight t) {
    return a + t * (b - a);
}

// The samples first..last that make one output sample, with the weights of the ends and of each one between; a single
// sample counts with first_weight.
struct Span {
    int first, last;
    float first_weight, middle_weight, last_weight;
};

// Output sample i when step input samples make one: bilinear up to a step of 2, from there the mean of the area.
//
// origin is the input coordinate of the left edge of output sample 0. Below 0, step goes to the left: mirrored. Sums of
// weights are 1 within rounding.
VCAM_HD Span span(int i, float step, float origin, int size) {
    const float last = static_cast<float>(size - 1);
    if (step <= 2.0f && step >= -2.0f) {
        const float position = clamp(origin + (static_cast<float>(i) + 0.5f) * step - 0.5f, 0.0f, last);
        const int first = static_cast<int>(position);
        const float t = position - static_cast<float>(first);
        if (t <= 0.0f) return {first, first, 1.0f, 0.0f, 0.0f};
        return {first, first + 1, 1.0f - t, 0.0f, t};
    }
    const float extent = step < 0.0f ? -step : step;
    const float begin = clamp(origin + static_cast<float>(step < 0.0f ? i + 1 : i) * step, 0.0f, last);
    const float end = clamp(begin + extent, begin + 1.0f, static_cast<float>(size));
    const int first = static_cast<int>(begin);
    const int ceiling = static_cast<int>(end) < end ? static_cast<int>(end) + 1 : static_cast<int>(end);
    const int final = ceiling - 1 > first ? ceiling - 1 : first;
    const float share = 1.0f / (end - begin);
    const float head = static_cast<float>(first + 1) - begin;
    if (final == first) return {first, first, 1.0f, 0.0f, 0.0f};
    return {first, final, head * share, share, (end - static_cast<float>(final)) * share};
}

// The taps around a position between samples, clamped at the border.
VCAM_HD Tap tap_at(float position, int size) {
    const float inside = clamp(position, 0.0f, static_cast<float>(size - 1));
    const int first = static_cast<int>(inside);
    return {first, first + 1 < size ? first + 1 : size - 1, inside - static_cast<float>(first)};
}

// Where output sample i of a linear resize reads: half-pixel centres, taps clamped at the border.
//
// scale is output size / input extent and origin the first input coordinate of that extent (0 without a crop). A
// negative scale reads to the left from there: mirrored. The expression is that of ONNX Resize
// (coordinate_transformation_mode half_pixel), in float as ONNX Runtime computes it.
VCAM_HD Tap tap(int i, float scale, float origin, int size) {
    return tap_at((static_cast<float>(i) + 0.5f) / scale - 0.5f + origin, size);
}

template <class T>
VCAM_HD T gray(Vec3<T> rgb) {
    return (rgb.x + rgb.y + rgb.z) * (1.0f / 3.0f);
}

// The affine model of vcam.frame.AffineMatte for alpha.
template <class T>
VCAM_HD T alpha(T a3, T b3, T gray) {
    return unit(a3 * gray + b3);
}

// The affine model for one channel of the foreground; gain is 1 + A of that channel.
template <class T>
VCAM_HD T foreground(T gain, T b, T c) {
    return unit(gain * c + b);
}

// Straight alpha over; alpha 0 is bit-exactly the background.
template <class T>
VCAM_HD T blend(T alpha, T over, T under) {
    return under + alpha * (over - under);
}

// How much a pixel counts as room: 1 at alpha 0, 0 from alpha 1 / steepness on.
template <class T>
VCAM_HD T room_weight(T alpha, float steepness) {
    return unit(1.0f - steepness * alpha);
}

// Nearest 8-bit level, halves up. x is some hundreds at most: what was encoded from RGB in [0, 1].
VCAM_HD int level(float x) {
    const int rounded = static_cast<int>(x + 0.5f);
    return rounded > 0 ? (rounded < 255 ? rounded : 255) : 0;
}

}  // namespace vcam::pixel
