// Vectors of floats for one instruction set, so that pixel.h computes several pixels at once.
#pragma once

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "pixel.h"

#ifndef VCAM_ISA
#define VCAM_ISA baseline
#endif

namespace vcam::VCAM_ISA {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
typedef float Floats __attribute__((vector_size(kLanes * sizeof(float))));
typedef int32_t Ints __attribute__((vector_size(kLanes * sizeof(int32_t))));

VCAM_HD Floats load(const float* from) {
    Floats v;
    memcpy(&v, from, sizeof v);
    return v;
}

VCAM_HD Ints load(const int32_t* from) {
    Ints v;
    memcpy(&v, from, sizeof v);
    return v;
}

VCAM_HD void store(float* to, Floats v) { memcpy(to, &v, sizeof v); }

VCAM_HD Floats all(float x) { return Floats{} + x; }

VCAM_HD Floats to_floats(Ints v) { return __builtin_convertvector(v, Floats); }

// Whether any lane is above a bound.
VCAM_HD bool any_above(Floats v, float bound) {
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask(v, _mm512_set1_ps(bound), _CMP_GT_OQ) != 0;
#elif defined(__AVX2__)
    return _mm256_movemask_ps(_mm256_cmp_ps(v, _mm256_set1_ps(bound), _CMP_GT_OQ)) != 0;
#elif defined(__SSE2__)
    return _mm_movemask_ps(_mm_cmpgt_ps(v, _mm_set1_ps(bound))) != 0;
#else
    bool any = false;
    for (int i = 0; i < kLanes; ++i) any |= v[i] > bound;
    return any;
#endif
}

// Lane i of the result is lane index[i] of v.
VCAM_HD Floats shuffle(Floats v, Ints index) {
#ifdef __clang__
    Floats result;
    for (int i = 0; i < kLanes; ++i) result[i] = v[index[i]];
    return result;
#else
    return __builtin_shuffle(v, index);
#endif
}

// table[index[i]] in lane i.
VCAM_HD Floats gather(const float* table, Ints index) {
#if defined(__AVX512F__)
    return _mm512_i32gather_ps((__m512i)index, table, sizeof(float));
#elif defined(__AVX2__)
    return _mm256_i32gather_ps(table, (__m256i)index, sizeof(float));
#else
    Floats v = {};
    for (int i = 0; i < kLanes; ++i) v[i] = table[index[i]];
    return v;
#endif
}

// The first operand where it is greater (less), else the second, also for NaN: what these instructions do.
#if defined(__AVX512F__)
VCAM_HD Floats larger(Floats x, Floats bound) { return _mm512_max_ps(x, bound); }
VCAM_HD Floats smaller(Floats x, Floats bound) { return _mm512_min_ps(x, bound); }
#elif defined(__AVX2__)
VCAM_HD Floats larger(Floats x, Floats bound) { return _mm256_max_ps(x, bound); }
VCAM_HD Floats smaller(Floats x, Floats bound) { return _mm256_min_ps(x, bound); }
#elif defined(__SSE2__)
VCAM_HD Floats larger(Floats x, Floats bound) { return _mm_max_ps(x, bound); }
VCAM_HD Floats smaller(Floats x, Floats bound) { return _mm_min_ps(x, bound); }
#else
VCAM_HD Floats larger(Floats x, Floats bound) { return x > bound ? x : bound; }
VCAM_HD Floats smaller(Floats x, Floats bound) { return x < bound ? x : bound; }
#endif

}  // namespace vcam::VCAM_ISA

template <>
struct vcam::pixel::Bound<vcam::VCAM_ISA::Floats> {
    using T = vcam::VCAM_ISA::Floats;
    static VCAM_HD T above(T x, float lo) { return vcam::VCAM_ISA::larger(x, T{} + lo); }
    static VCAM_HD T below(T x, float hi) { return vcam::VCAM_ISA::smaller(x, T{} + hi); }
};
