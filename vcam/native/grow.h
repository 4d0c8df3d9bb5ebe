// The person made larger or smaller, at the matte's size, before anything else is done with a matte; once for the C++
// loops and the CUDA kernels.
//
// Per node, with levels folded into the coefficients (a, b of alpha) and u = a * gray + b, alpha = unit(u):
//
//   v = alpha to grow, 1 - alpha to shrink
//   reach = max over all nodes d away of v(d) - |d|^2 / (2 radius^2)      along rows, then along columns
//   moved = unit(1/2 + steepness * (reach - 1/2))                         alpha 1/2 moves by the radius
//
// The parabola is the one function whose maximum can be found along rows and columns separately and still is round
// (van den Boomgaard and Smeulders, 1994). Then the coefficients give `moved` where it differs from v. To shrink, only
// b is made less, so that alpha of no pixel, whatever its gray, becomes more than the matte's own. To grow, a rim of
// the real room appears: that is what is asked for.
#pragma once

#include "pixel.h"

namespace vcam::grow {

// The radius at full strength, as a share of the matte's longer side.
constexpr float kMostRadius = 0.03f;

// Nodes over which the moved edge is soft.
constexpr float kSoftness = 1.5f;

// Coefficients change fully where alpha loses 1 / kHaste of what it is, or gains that of what it is not.
constexpr float kHaste = 4.0f;

// So much below 0 ends up what shall be 0: a rounding must not make it more.
constexpr float kBelow = 1.0f / 512.0f;

struct Coefficients {
    float a, b;
};

// In nodes; strength in [-1, 1].
VCAM_HD float radius(float strength, int width, int height) {
    const float most = kMostRadius * static_cast<float>(width > height ? width : height);
    return (strength < 0.0f ? -strength : strength) * most;
}

// How many nodes away something can still count: d^2 / (2 radius^2) < 1.
VCAM_HD int span(float radius) { return static_cast<int>(1.4142135f * radius); }

// What d nodes take away. radius > 0.
VCAM_HD float fall(int d, float radius) {
    const float part = static_cast<float>(d) / radius;
    return 0.5f * part * part;
}

VCAM_HD float seed(float alpha, bool shrinks) { return shrinks ? 1.0f - alpha : alpha; }

// alpha after the move.
VCAM_HD float moved(float alpha, float reach, float radius, bool shrinks) {
    const float steepness = radius > kSoftness ? radius / kSoftness : 1.0f;
    const float to = pixel::unit(0.5f + steepness * (reach - 0.5f));
    if (shrinks) return alpha < 1.0f - to ? alpha : 1.0f - to;
    return alpha > to ? alpha : to;
}

// NaN stays NaN: alpha 0.
VCAM_HD Coefficients coefficients(Coefficients own, float alpha, float moved, bool shrinks) {
    const float most_change = shrinks ? alpha : 1.0f - alpha;
    if (!(most_change > 0.0f)) return own;
    const float change = pixel::unit(kHaste * (shrinks ? alpha - moved : moved - alpha) / most_change);
    if (!shrinks) return {own.a - change * own.a, own.b + change * (moved - own.b)};
    const float most = own.a > 0.0f ? own.a + own.b : own.b;  // whatever the gray
    const float less = most - moved + kBelow * (1.0f - moved);
    return {own.a, own.b - change * (less > 0.0f ? less : 0.0f)};
}

}  // namespace vcam::grow
