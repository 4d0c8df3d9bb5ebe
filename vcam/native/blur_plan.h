// What the loops of blur.cpp and the CUDA kernels of the blur must agree on: its constants, its boxes, its widths.
// Sigmas are in cells, unless they say wide cells.
#pragma once

#include <math.h>

#include "loops.h"

namespace vcam::blur {

constexpr float kSteepness = 32.0f;  // a pixel's weight is 0 from alpha 1/32 on
constexpr float kPersonSteepness = 8.0f;  // and of the person from 1 - 1/8 on
constexpr float kWider = 1e-2f;      // how much a wider blur counts beside the next nearer one
constexpr int kWideFactor = 4;       // side of a cell of the wider blurs, in cells
constexpr float kMiddleSigma = 1.5f, kFarShare = 1.0f / 8.0f;  // least sigma in wide cells; of the wide columns
constexpr int kMaxRadius = kMaxBlurCells / 4;                  // of a box

// A box of 2 * radius + 1 samples with two more at the ends that count less, so that any variance can be had:
// [radius (radius + 1) (2 radius + 1) / 3 + 2 share (radius + 1)^2] / (2 radius + 1 + 2 share).
struct Box {
    int radius;
    float share;

    explicit VCAM_HD Box(float variance) {
        radius = static_cast<int>((sqrtf(1.0f + 12.0f * variance) - 1.0f) / 2.0f);
        radius = radius < kMaxRadius ? radius : kMaxRadius;
        const float r = static_cast<float>(radius);
        share = (2.0f * r + 1.0f) * (variance - r * (r + 1.0f) / 3.0f) / (2.0f * ((r + 1.0f) * (r + 1.0f) - variance));
        share = pixel::unit(share);
    }

    // 1 / the sum of its weights.
    VCAM_HD float norm() const { return 1.0f / (2.0f * static_cast<float>(radius) + 1.0f + 2.0f * share); }
};

VCAM_HD int wide_side(int cells) { return (cells + kWideFactor - 1) / kWideFactor; }

// Of three boxes in a row. A cell is a mean over its width and is shown by linear interpolation: a variance of 1/4 by
// itself.
VCAM_HD Box near_box(float sigma) {
    const float variance = sigma * sigma - 0.25f;
    return Box(variance > 0.0f ? variance / 3.0f : 0.0f);
}

// In wide cells.
VCAM_HD float middle_sigma(float sigma) { return fmaxf(3.0f * sigma / kWideFactor, kMiddleSigma); }

VCAM_HD Box middle_box(float sigma) {
    const float middle = middle_sigma(sigma);
    return Box(middle * middle / 3.0f);
}

// What makes the far blur of the middle one.
VCAM_HD Box far_box(float sigma, int wide_columns) {
    const float middle = middle_sigma(sigma);
    const float far = fmaxf(2.0f * middle, kFarShare * static_cast<float>(wide_columns));
    return Box((far * far - middle * middle) / 3.0f);
}

// By which light spreads over a grid of its own; see look.h.
VCAM_HD Box light_box(int columns, int rows) {
    const float sigma = look::kLightSpread * static_cast<float>(columns > rows ? columns : rows);
    return Box(sigma * sigma / 3.0f);
}

}  // namespace vcam::blur
