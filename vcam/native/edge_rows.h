// The corrections of post.h along one tile, for compose and alpha: only where a vector holds an uncertain pixel.
#pragma once

#include "matte.h"
#include "post.h"

namespace vcam::VCAM_ISA {

// Interpolated values of the cells and of the state, as Expanded does for the matte itself.
struct EdgeTile {
    Edge edge;
    const Columns* nodes;  // of the matte
    Columns cells;
    Expanded<2> smooth;
    Expanded<post::kLinePlanes> line;
    Expanded<post::kRoomPlanes> room;
    LowPlane smooth_planes[2];
    LowPlane line_planes[post::kLinePlanes];
    LowPlane room_planes[post::kRoomPlanes];
    float scale_y, origin_y;        // of cells
    float node_weight, cell_weight;  // of the current row

    // For a tile that begins at pixel `first` of a picture on columns `on` of the matte.
    void place(const Edge& e, const Matte& m, const Picture& picture, int first, const Columns& on) {
        edge = e;
        nodes = &on;
        const ptrdiff_t matte = static_cast<ptrdiff_t>(m.width) * m.height;
        const ptrdiff_t grid = static_cast<ptrdiff_t>(e.columns) * e.rows;
        if (e.smooth) {
            smooth_planes[0] = {e.smooth, m.gain, 0.0f};
            smooth_planes[1] = {e.smooth + matte, m.gain, m.offset};
        }
        for (int n = 0; e.line && n < post::kLinePlanes; ++n) line_planes[n] = {e.line + n * grid, 1.0f, 0.0f};
        for (int n = 0; e.room && n < post::kRoomPlanes; ++n) room_planes[n] = {e.room + n * grid, 1.0f, 0.0f};
        const float side = static_cast<float>(e.side);
        cells.place(first, picture.width, side * static_cast<float>(picture.width) / m.window.width, m.window.x / side,
                    e.columns);
        scale_y = side * static_cast<float>(picture.height) / m.window.height;
        origin_y = m.window.y / side;
        smooth.forget();
        line.forget();
        room.forget();
    }

    // Go to row y of the picture, for chunks [begin, end); node: the row's taps in the matte.
    void seek(int y, const pixel::Tap& node, int begin, int end) {
        const pixel::Tap cell = pixel::tap(y, scale_y, origin_y, edge.rows);
        node_weight = node.weight;
        cell_weight = cell.weight;
        if (edge.smooth) smooth.seek(smooth_planes, *nodes, node.first, node.second, begin, end);
        if (edge.line) line.seek(line_planes, cells, cell.first, cell.second, begin, end);
        if (edge.room) room.seek(room_planes, cells, cell.first, cell.second, begin, end);
    }

    VCAM_HD Floats alpha(Floats own, Floats doubt, const pixel::Vec3<Floats>& rgb, int parity, int i) const {
        Floats result = own;
        if (edge.smooth) {
            const auto at = [&](int n) { return smooth.at(n, parity, node_weight, i); };
            result = post::smoothed(own, doubt, pixel::alpha(at(0), at(1), pixel::gray(rgb)));
        }
        if (edge.line) {
            const auto at = [&](int n) { return line.at(n, parity, cell_weight, i); };
            result = post::refined(result, doubt, rgb, pixel::Vec3<Floats>{at(0), at(1), at(2)}, at(3), at(4));
        }
        return result;
    }

    VCAM_HD pixel::Vec3<Floats> foreground(const pixel::Vec3<Floats>& own, Floats alpha, Floats doubt,
                                           const pixel::Vec3<Floats>& rgb, int parity, int i) const {
        if (!edge.room) return own;
        const auto at = [&](int n) { return room.at(n, parity, cell_weight, i); };
        const Floats mixture = post::mixture(alpha), weight = at(3);
        return {post::despilled(own.x, doubt, mixture, rgb.x, at(0), weight),
                post::despilled(own.y, doubt, mixture, rgb.y, at(1), weight),
                post::despilled(own.z, doubt, mixture, rgb.z, at(2), weight)};
    }
};

}  // namespace vcam::VCAM_ISA
