// grow: a matte with the person larger or smaller, at its own size.
#include "grow.h"

#include "loops.h"
#include "simd.h"

namespace vcam::VCAM_ISA {
namespace {

struct Own {
    grow::Coefficients c;
    float alpha;
};

VCAM_HD Own own_of(const Grow& job, ptrdiff_t i) {
    const ptrdiff_t plane = static_cast<ptrdiff_t>(job.matte.width) * job.matte.height;
    const Matte& m = job.matte;
    const grow::Coefficients c = {m.gain * m.a[3 * plane + i], m.gain * m.b[3 * plane + i] + m.offset};
    const float gray =
        pixel::gray(pixel::Vec3<float>{job.small[i], job.small[plane + i], job.small[2 * plane + i]});
    return {c, pixel::alpha(c.a, c.b, gray)};
}

struct Scratch {
    float seeds[kMaxSide];
};

void reach_row(const Grow& job, int y, float radius, Scratch& s) {
    const int width = job.matte.width, span = grow::span(radius);
    const ptrdiff_t row = static_cast<ptrdiff_t>(y) * width;
    float* out = job.rows + row;
    for (int x = 0; x < width; ++x) out[x] = s.seeds[x] = grow::seed(own_of(job, row + x).alpha, job.strength < 0.0f);
    for (int d = 1; d <= span; ++d) {
        const float fall = grow::fall(d, radius);
        for (int side = -1; side <= 1; side += 2) {
            const int begin = side < 0 ? d : 0, end = side < 0 ? width : width - d;
            const float* from = s.seeds + side * d;
#pragma GCC ivdep
            for (int x = begin; x < end; ++x) {
                const float v = from[x] - fall;
                out[x] = v > out[x] ? v : out[x];
            }
        }
    }
}

void finish_row(const Grow& job, int y, float radius, Scratch& s) {
    const int width = job.matte.width, height = job.matte.height, span = grow::span(radius);
    const ptrdiff_t row = static_cast<ptrdiff_t>(y) * width, plane = static_cast<ptrdiff_t>(width) * height;
    memcpy(s.seeds, job.rows + row, sizeof(float) * static_cast<size_t>(width));
    for (int r = y - span > 0 ? y - span : 0; r <= y + span && r < height; ++r) {
        const float fall = grow::fall(r - y, radius);
        const float* from = job.rows + static_cast<ptrdiff_t>(r) * width;
#pragma GCC ivdep
        for (int x = 0; x < width; ++x) {
            const float v = from[x] - fall;
            s.seeds[x] = v > s.seeds[x] ? v : s.seeds[x];
        }
    }
    const bool shrinks = job.strength < 0.0f;
    for (int x = 0; x < width; ++x) {
        const Own own = own_of(job, row + x);
        const float moved = grow::moved(own.alpha, s.seeds[x], radius, shrinks);
        const grow::Coefficients c = grow::coefficients(own.c, own.alpha, moved, shrinks);
        job.a[3 * plane + row + x] = c.a;
        job.b[3 * plane + row + x] = c.b;
    }
    for (int n = 0; n < 3; ++n) {
        const size_t bytes = sizeof(float) * static_cast<size_t>(width);
        memcpy(job.a + n * plane + row, job.matte.a + n * plane + row, bytes);
        memcpy(job.b + n * plane + row, job.matte.b + n * plane + row, bytes);
    }
}

}  // namespace

void grow_matte(const Grow& job, int threads) {
    const float radius = grow::radius(job.strength, job.matte.width, job.matte.height);
#pragma omp parallel num_threads(threads)
    {
        Scratch scratch;
#pragma omp for
        for (int y = 0; y < job.matte.height; ++y) reach_row(job, y, radius, scratch);
#pragma omp for
        for (int y = 0; y < job.matte.height; ++y) finish_row(job, y, radius, scratch);
    }
    (void)threads;
}

}  // namespace vcam::VCAM_ISA
