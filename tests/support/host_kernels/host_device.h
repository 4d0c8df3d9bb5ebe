// What nvcc declares by itself, for a C++ compiler: one thread at a time, device memory is host memory.
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#define __global__ __attribute__((visibility("hidden")))
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__

struct Dim3 {
    unsigned x, y, z;
};
static thread_local Dim3 threadIdx, blockIdx, blockDim;

struct alignas(8) uint2 {
    uint32_t x, y;
};
struct alignas(16) uint4 {
    uint32_t x, y, z, w;
};
struct alignas(16) float4 {
    float x, y, z, w;
};

inline uint2 make_uint2(uint32_t x, uint32_t y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

template <class T>
inline T __ldg(const T* from) {
    return *from;
}

template <class To, class From>
inline To same_bits(From from) {
    static_assert(sizeof(To) == sizeof(From), "");
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}

inline float __uint_as_float(uint32_t bits) { return same_bits<float>(bits); }
inline uint32_t __float_as_uint(float x) { return same_bits<uint32_t>(x); }

inline float __saturatef(float x) { return x > 0.0f ? (x < 1.0f ? x : 1.0f) : 0.0f; }

// Rounded towards minus infinity: the sum of two floats is exact in double where their exponents are near.
inline float __fadd_rd(float a, float b) {
    const double exact = static_cast<double>(a) + static_cast<double>(b);
    const float near = static_cast<float>(exact);
    return static_cast<double>(near) > exact ? nextafterf(near, -INFINITY) : near;
}

inline uint32_t __byte_perm(uint32_t x, uint32_t y, uint32_t selector) {
    const uint64_t both = static_cast<uint64_t>(y) << 32 | x;
    uint32_t result = 0;
    for (int i = 0; i < 4; ++i) {
        const unsigned from = selector >> 4 * i & 0xf;
        uint32_t byte = static_cast<uint32_t>(both >> 8 * (from & 7)) & 0xff;
        if (from & 8) byte = byte & 0x80 ? 0xff : 0;
        result |= byte << 8 * i;
    }
    return result;
}

namespace vcam::cuda {

// IEEE 754 binary16 to and from binary32, to nearest even as cvt.rn does.
inline float half_to_float(uint16_t bits) {
    const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
    const int exponent = bits >> 10 & 0x1f;
    const uint32_t fraction = bits & 0x3ffu;
    if (exponent == 0x1f) return same_bits<float>(sign | 0x7f800000u | fraction << 13);
    const float magnitude = exponent ? ldexpf(static_cast<float>(fraction | 0x400u), exponent - 25)
                                     : ldexpf(static_cast<float>(fraction), -24);
    return sign ? -magnitude : magnitude;
}

inline uint16_t half_from_float(float x) {
    const uint16_t sign = static_cast<uint16_t>(same_bits<uint32_t>(x) >> 16 & 0x8000u);
    const float magnitude = fabsf(x);
    if (isnan(x)) return 0x7fffu;
    if (magnitude >= 65520.0f) return sign | 0x7c00u;
    const int exponent = magnitude < 6.103515625e-05f ? -14 : ilogbf(magnitude);
    const long steps = lrint(ldexp(static_cast<double>(magnitude), 10 - exponent));  // of 2^(exponent - 10)
    return static_cast<uint16_t>(sign | (steps < 0x400 ? steps : (exponent + 14) * 0x400 + steps));
}

}  // namespace vcam::cuda
