// grow: the person made larger or smaller, at the matte's size; what the steps are is told in native/grow.h.
#include "matte.cuh"

namespace vcam::cuda {

struct OwnAlpha {
    grow::Coefficients c;
    float alpha;
};

VCAM_D OwnAlpha own_alpha(const GrowArguments& p, int node) {
    const int plane = p.width * p.height;
    const Levels levels(p.live);
    const bool half = p.small_half != 0;
    const grow::Coefficients c = {levels.gain * value_at(p.a, 3 * plane + node, p.half != 0),
                                  levels.gain * value_at(p.b, 3 * plane + node, p.half != 0) + levels.offset};
    const pixel::Vec3<float> rgb = {value_at(p.small, node, half), value_at(p.small, plane + node, half),
                                    value_at(p.small, 2 * plane + node, half)};
    return {c, pixel::alpha(c.a, c.b, pixel::gray(rgb))};
}

VCAM_D float strength_of(const GrowArguments& p) { return load<float>(&p.live->grow); }

// The greatest of `count` values `step` apart, each less what its way from number i takes.
VCAM_D float reach_along(const float* line, int step, int i, int count, float radius) {
    const int span = grow::span(radius), last = i + span < count - 1 ? i + span : count - 1;
    float most = load<float>(line + i * step);
    for (int j = i - span > 0 ? i - span : 0; j <= last; ++j) {
        const float v = load<float>(line + j * step) - grow::fall(j - i, radius);
        most = v > most ? v : most;
    }
    return most;
}

VCAM_KERNEL(8) grow_seed(VCAM_ARGUMENT GrowArguments p) {
    const int x = thread_x(), y = thread_y();
    if (x >= p.width || y >= p.height) return;
    const int node = y * p.width + x;
    p.seeds[node] = grow::seed(own_alpha(p, node).alpha, strength_of(p) < 0.0f);
}

VCAM_KERNEL(8) grow_reach(VCAM_ARGUMENT GrowArguments p) {
    const int x = thread_x(), y = thread_y();
    if (x >= p.width || y >= p.height) return;
    const float radius = grow::radius(strength_of(p), p.width, p.height);
    p.reach[y * p.width + x] = reach_along(p.seeds + y * p.width, 1, x, p.width, radius);
}

VCAM_KERNEL(8) grow_finish(VCAM_ARGUMENT GrowArguments p) {
    const int x = thread_x(), y = thread_y();
    if (x >= p.width || y >= p.height) return;
    const int node = y * p.width + x, plane = p.width * p.height;
    const float strength = strength_of(p), radius = grow::radius(strength, p.width, p.height);
    const float reach = reach_along(p.reach + x, p.width, y, p.height, radius);
    const OwnAlpha own = own_alpha(p, node);
    const bool shrinks = strength < 0.0f;
    const float moved = grow::moved(own.alpha, reach, radius, shrinks);
    const grow::Coefficients c = grow::coefficients(own.c, own.alpha, moved, shrinks);
    p.grown_a[3 * plane + node] = c.a;
    p.grown_b[3 * plane + node] = c.b;
#pragma unroll
    for (int n = 0; n < 3; ++n) {
        p.grown_a[n * plane + node] = value_at(p.a, n * plane + node, p.half != 0);
        p.grown_b[n * plane + node] = value_at(p.b, n * plane + node, p.half != 0);
    }
}

}  // namespace vcam::cuda
