// What the kernels use of CUDA beyond C++, in one place. Each thread of every kernel is independent (no shared memory,
// no barrier, no shuffle), so that the tests compile the same files with a C++ compiler and run them on the CPU.
#pragma once

#include <stdint.h>

#ifdef __CUDACC__
namespace vcam::cuda {
__device__ __forceinline__ float half_to_float(uint16_t bits) {
    float x;
    asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits));
    return x;
}
__device__ __forceinline__ uint16_t half_from_float(float x) {
    uint16_t bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
    return bits;
}
}  // namespace vcam::cuda
#else
#include "host_device.h"  // the tests' stand-in for what nvcc declares
#endif

#include "../../native/pixel.h"

#define VCAM_D __device__ __forceinline__

// A kernel of blocks of 128 threads, with its name unmangled; at least `blocks` of them must fit one multiprocessor.
#define VCAM_KERNEL(blocks) extern "C" __global__ void __launch_bounds__(128, blocks)

// By value, and read where it lies: a copy of an indexed argument would go through local memory.
#define VCAM_ARGUMENT const __grid_constant__

namespace vcam::pixel {

// One modifier of the instruction that made x, instead of two comparisons. NaN becomes 0 here, too.
template <>
VCAM_HD float unit<float>(float x) {
#if defined(__CUDA_ARCH__) || !defined(__CUDACC__)
    return __saturatef(x);
#else
    return clamp(x, 0.0f, 1.0f);
#endif
}

}  // namespace vcam::pixel

// After unit: they call it.
#include "../../native/blur_plan.h"
#include "../../native/grow.h"
#include "../../native/look.h"
#include "../../native/post.h"

namespace vcam::cuda {

constexpr float kTwo23 = 8388608.0f;  // from here on a float has no fraction: its last bits are the integer
constexpr uint32_t kTwo23Bits = 0x4b000000u;

// Byte k of a word as a float: exact, and at four times the rate of a conversion.
template <int k>
VCAM_D float byte_of(uint32_t word) {
    return __uint_as_float(__byte_perm(word, kTwo23Bits, 0x7440 | k)) - kTwo23;
}

// pixel::level in the lowest byte; the others hold no meaning. NaN becomes 0.
VCAM_D uint32_t level(float x) {
    return __float_as_uint(__fadd_rd(fminf(fmaxf(x + 0.5f, 0.0f), 255.0f), kTwo23));
}

VCAM_D uint32_t pack2(uint32_t a, uint32_t b) { return __byte_perm(a, b, 0x0040); }
VCAM_D uint32_t pack4(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    return __byte_perm(pack2(a, b), pack2(c, d), 0x5410);
}

// Through the read-only cache: what a kernel reads is never written by it.
template <class T>
VCAM_D T load(const void* from) {
    return __ldg(static_cast<const T*>(from));
}

template <class T>
VCAM_D void store(void* to, T value) {
    *static_cast<T*>(to) = value;
}

VCAM_D bool aligned(const void* address, unsigned bytes) {
    return (reinterpret_cast<uintptr_t>(address) & (bytes - 1)) == 0;
}

VCAM_D int thread_x() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }
VCAM_D int thread_y() { return static_cast<int>(blockIdx.y * blockDim.y + threadIdx.y); }
VCAM_D int thread_z() { return static_cast<int>(blockIdx.z); }

}  // namespace vcam::cuda
