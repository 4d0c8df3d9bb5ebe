// Corrections of single pixels along the person's edge (native/post.h): few pixels need them, so each reads its own taps.
#pragma once

#include "matte.cuh"

namespace vcam::cuda {

// A pixel of the person, straight alpha.
struct Foreground {
    float alpha;
    pixel::Vec3<float> rgb;
};

// Planes of values of one size, read between them.
struct Between {
    int upper_left, upper_right, lower_left, lower_right, plane;
    float x, y;

    VCAM_D Between(const Axis& axis_x, const Axis& axis_y, int column, int row) : plane(axis_x.size * axis_y.size) {
        const pixel::Tap across = tap(axis_x, column), down = tap(axis_y, row);
        upper_left = down.first * axis_x.size + across.first;
        upper_right = down.first * axis_x.size + across.second;
        lower_left = down.second * axis_x.size + across.first;
        lower_right = down.second * axis_x.size + across.second;
        x = across.weight;
        y = down.weight;
    }

    VCAM_D float at(const float* planes, int n) const {
        const float* values = planes + n * plane;
        return pixel::lerp(pixel::lerp(load<float>(values + upper_left), load<float>(values + upper_right), x),
                           pixel::lerp(load<float>(values + lower_left), load<float>(values + lower_right), x), y);
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
