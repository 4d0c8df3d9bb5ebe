// Corrections of single pixels along the person's edge (native/post.h): few pixels need them, so each reads its own taps.
#pragma once

#include "matte.cuh"

namespace vcam::cuda {

// A pixel of the person, straight alpha.
struct Foreground {
    float alpha;
    pixel::Vec3<float> rgb;
};

// Where a pixel lies between the values of a plane.
struct Taps {
    int upper_left, upper_right, lower_left, lower_right;
    float x, y;

    VCAM_D Taps(const Axis& axis_x, const Axis& axis_y, int column, int row) {
        const pixel::Tap across = tap(axis_x, column), down = tap(axis_y, row);
        upper_left = down.first * axis_x.size + across.first;
        upper_right = down.first * axis_x.size + across.second;
        lower_left = down.second * axis_x.size + across.first;
        lower_right = down.second * axis_x.size + across.second;
        x = across.weight;
        y = down.weight;
    }

    // value: of an index.
    template <class Value>
    VCAM_D float between(Value value) const {
        return pixel::lerp(pixel::lerp(value(upper_left), value(upper_right), x),
                           pixel::lerp(value(lower_left), value(lower_right), x), y);
    }
};

// Planes of floats of one size, read between them.
struct Between {
    Taps taps;
    int plane;

    VCAM_D Between(const Axis& x, const Axis& y, int column, int row)
        : taps(x, y, column, row), plane(x.size * y.size) {}

    VCAM_D float at(const float* planes, int n) const {
        return taps.between([&](int index) { return load<float>(planes + n * plane + index); });
    }
};

VCAM_D float smooth_alpha(const Edge& edge, const Matte& m, int column, int row, float gray) {
    const Between nodes(nodes_x(m), nodes_y(m), column, row);
    const Levels levels(m.live);
    return pixel::alpha(levels.gain * nodes.at(edge.smooth, 0), levels.gain * nodes.at(edge.smooth, 1) + levels.offset,
                        gray);
}

// Corrects what the matte itself made of the pixel of colour rgb, where that is uncertain.
VCAM_D void correct(const Edge& edge, const Matte& m, int x, int row, int width, const pixel::Vec3<float>& rgb,
                    Foreground& over) {
    if (!edge.smooth && !edge.line && !edge.room) return;
    const int column = x < width ? x : width - 1;  // beyond the right border the last pixel stands again
    const float doubt = post::doubt(over.alpha);
    if (!(doubt > 0.0f)) return;
    if (edge.smooth)
        over.alpha = post::smoothed(over.alpha, doubt, smooth_alpha(edge, m, column, row, pixel::gray(rgb)));
    if (!edge.line && !edge.room) return;
    const Between cells(axis(&m.view->cells_x, edge.columns), axis(&m.view->cells_y, edge.rows), column, row);
    if (edge.line) {
        const pixel::Vec3<float> slope = {cells.at(edge.line, 0), cells.at(edge.line, 1), cells.at(edge.line, 2)};
        over.alpha = post::refined(over.alpha, doubt, rgb, slope, cells.at(edge.line, 3), cells.at(edge.line, 4));
    }
    if (!edge.room) return;
    const float mixture = post::mixture(over.alpha), weight = cells.at(edge.room, 3);
    over.rgb = {post::despilled(over.rgb.x, doubt, mixture, rgb.x, cells.at(edge.room, 0), weight),
                post::despilled(over.rgb.y, doubt, mixture, rgb.y, cells.at(edge.room, 1), weight),
                post::despilled(over.rgb.z, doubt, mixture, rgb.z, cells.at(edge.room, 2), weight)};
}

}  // namespace vcam::cuda
