// Low-resolution values at the pixels of a quad, for a thread that walks down the rows of a picture.
//
// Across columns they are interpolated once per low-resolution row; between two of those, each picture row costs one
// multiply-add per value: top + weight * delta.
#pragma once

#include "picture.cuh"

namespace vcam::cuda {

// pixel::tap without its division: with the reciprocal at hand, one step of correction rounds as a division does
// (Markstein 1990).
VCAM_D pixel::Tap tap(const Axis& axis, int i) {
    const float x = static_cast<float>(i) + 0.5f;
    const float near = x * axis.reciprocal;
    return pixel::tap_at(fmaf(fmaf(-near, axis.scale, x), axis.reciprocal, near) - 0.5f + axis.origin, axis.size);
}

// An axis that lies in the block, with the size that is known beforehand.
VCAM_D Axis axis(const Axis* at, int size) {
    const float4 values = load<float4>(at);
    return {values.x, values.y, values.z, size};
}

VCAM_D Axis nodes_x(const Matte& m) { return axis(&m.view->nodes_x, m.width); }
VCAM_D Axis nodes_y(const Matte& m) { return axis(&m.view->nodes_y, m.height); }

struct Levels {
    float gain, offset;

    VCAM_D explicit Levels(const Live* live) : gain(load<float>(&live->gain)), offset(load<float>(&live->offset)) {}
};

// kPixels neighbouring pixels on the columns of a grid: the nodes they read, and how far to the right of the first one
// each lies. In either direction.
template <int kPixels>
struct Columns {
    int first, nodes, size;
    float distance[kPixels];

    VCAM_D Columns(const Axis& x, int pixel, int width) : size(x.size) {
        const auto at = [&](int i) { return tap(x, pixel + i < width ? pixel + i : width - 1); };
        const pixel::Tap left = at(x.scale < 0.0f ? kPixels - 1 : 0), right = at(x.scale < 0.0f ? 0 : kPixels - 1);
        first = left.first;
        nodes = right.second - first + 1;
#pragma unroll
        for (int i = 0; i < kPixels; ++i) distance[i] = static_cast<float>(at(i).first - first) + at(i).weight;
    }

    VCAM_D int node(int n) const { return first + n < size ? first + n : size - 1; }
};

VCAM_D float value_at(const void* values, int index, bool half) {
    return half ? half_to_float(load<uint16_t>(static_cast<const uint16_t*>(values) + index))
                : load<float>(static_cast<const float*>(values) + index);
}

// kHalf is 1 or 0 where a kernel is made for one precision, or kAny.
template <int kHalf>
VCAM_D bool is_half(const Matte& m) {
    return kHalf == kAny ? m.half != 0 : kHalf != 0;
}

// What is interpolated of a matte, with the folds: levels into alpha, 1 + A for the foreground.
// All eight: A of R, G, B, alpha, then b of the same.
struct WholeMatte {
    static constexpr int kCount = 8;
    const Matte& m;
    const Levels levels;

    VCAM_D explicit WholeMatte(const Matte& matte) : m(matte), levels(matte.live) {}

    template <int kHalf>
    VCAM_D float value(int n, int index) const {
        const float x = value_at(n < 4 ? m.a : m.b, (n & 3) * (m.width * m.height) + index, is_half<kHalf>(m));
        return n < 3 ? x + 1.0f : n == 3 ? levels.gain * x : n == 7 ? levels.gain * x + levels.offset : x;
    }
};

// Those of alpha only: A, then b.
struct AlphaMatte {
    static constexpr int kCount = 2;
    const Matte& m;
    const Levels levels;

    VCAM_D explicit AlphaMatte(const Matte& matte) : m(matte), levels(matte.live) {}

    template <int kHalf>
    VCAM_D float value(int n, int index) const {
        const float x = value_at(n ? m.b : m.a, 3 * (m.width * m.height) + index, is_half<kHalf>(m));
        return n ? levels.gain * x + levels.offset : levels.gain * x;
    }
};

// The values at the pixels of one row after the other.
template <class Planes, int kPixels>
struct Walk {
    static constexpr int kCount = Planes::kCount;

    VCAM_D Walk(const Planes& planes, const Columns<kPixels>& columns, int height)
        : planes_(planes), columns_(columns), height_(height) {
#pragma unroll
        for (int n = 0; n < kCount; ++n)
#pragma unroll
            for (int i = 0; i < kPixels; ++i) top_[n][i] = delta_[n][i] = 0.0f;
    }

    // Makes at() that between low-resolution row `wanted` and the next.
    template <int kHalf>
    VCAM_D void seek(int wanted) {
        if (current_ == kNone) current_ = wanted - 2;  // from nothing two steps: the first one only reads
#pragma unroll 1
        while (current_ != wanted) {
            const bool down = current_ < wanted;
            if (down) {
                ++current_;
                add_delta();
            } else {
                --current_;
            }
            read<kHalf>(down && current_ + 1 < height_ ? current_ + 1 : current_);
            if (down) continue;
            add_delta();
#pragma unroll
            for (int n = 0; n < kCount; ++n)
#pragma unroll
                for (int i = 0; i < kPixels; ++i) delta_[n][i] = -delta_[n][i];
        }
    }

    VCAM_D float at(int n, int pixel, float weight) const { return top_[n][pixel] + weight * delta_[n][pixel]; }

private:
    static constexpr int kNone = -3;

    VCAM_D void add_delta() {
#pragma unroll
        for (int n = 0; n < kCount; ++n)
#pragma unroll
            for (int i = 0; i < kPixels; ++i) top_[n][i] += delta_[n][i];
    }

    // delta, to the values of a low-resolution row: node 0, then for each interval its step by the distance within it.
    template <int kHalf>
    VCAM_D void read(int row) {
        const int start = row * columns_.size;
        float left[kCount];
#pragma unroll
        for (int n = 0; n < kCount; ++n) {
            left[n] = planes_.template value<kHalf>(n, start + columns_.first);
#pragma unroll
            for (int i = 0; i < kPixels; ++i) delta_[n][i] = left[n] - top_[n][i];
        }
#pragma unroll 1
        for (int node = 1; node < columns_.nodes; ++node) {
            const int index = start + columns_.node(node);
            float weight[kPixels];
#pragma unroll
            for (int i = 0; i < kPixels; ++i)
                weight[i] = pixel::unit(columns_.distance[i] - static_cast<float>(node - 1));
#pragma unroll
            for (int n = 0; n < kCount; ++n) {
                const float right = planes_.template value<kHalf>(n, index), step = right - left[n];
                left[n] = right;
#pragma unroll
                for (int i = 0; i < kPixels; ++i) delta_[n][i] += weight[i] * step;
            }
        }
    }

    const Planes& planes_;
    const Columns<kPixels>& columns_;
    int height_;
    int current_ = kNone;
    float top_[kCount][kPixels], delta_[kCount][kPixels];
};

// Whether alpha can be above 0 at the pixels in rows [begin, end): alpha = a * gray + b with gray in [0, 1] is at most
// max(b, a + b), and interpolation cannot exceed its nodes. Where that is not above 0 at all of them, alpha is exactly
// 0 whatever the camera shows. NaN counts as above.
template <int kHalf, int kPixels>
VCAM_D bool any_alpha(const Matte& m, const Columns<kPixels>& columns, int begin, int end) {
    if (columns.nodes > kPixels) return true;  // the matte is finer than the picture: look at every pixel
    const AlphaMatte planes{m};
    const Axis y = nodes_y(m);
    const int bottom = tap(y, y.scale < 0.0f ? begin : end - 1).second;
    bool above = false;
#pragma unroll 2
    for (int row = tap(y, y.scale < 0.0f ? end - 1 : begin).first; row <= bottom; ++row)
#pragma unroll
        for (int n = 0; n < kPixels; ++n) {
            const int index = row * m.width + columns.node(n < columns.nodes ? n : 0);
            const float low = planes.value<kHalf>(1, index);
            above |= !(low <= 0.0f) | !(planes.value<kHalf>(0, index) + low <= 0.0f);
        }
    return above;
}

}  // namespace vcam::cuda
