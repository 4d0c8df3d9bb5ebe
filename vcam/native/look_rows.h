// The person's look of look.h along one tile of compose.
#pragma once

#include "look.h"
#include "matte.h"

template <>
struct vcam::look::Curve<vcam::VCAM_ISA::Floats> {
    using T = vcam::VCAM_ISA::Floats;
    static VCAM_HD T at(const float* table, T x) {
        const T place = x * static_cast<float>(kCurve - 1) + 0.5f;
        return vcam::VCAM_ISA::gather(table, __builtin_convertvector(place, vcam::VCAM_ISA::Ints));
    }
};

namespace vcam::VCAM_ISA {

// A coarse picture over the view, interpolated as Expanded does.
struct WashTile {
    LowPlane planes[3];
    Columns columns;
    Expanded<3> cells;
    float scale_y;
    int rows;
    float weight;  // of the current row

    void place(const Wash& wash, const Picture& picture, int first) {
        const ptrdiff_t plane = static_cast<ptrdiff_t>(wash.columns) * wash.rows;
        for (int c = 0; c < 3; ++c) planes[c] = {wash.rgb + c * plane, 1.0f, 0.0f};
        columns.place(first, picture.width, wash.scale_x, 0.0f, wash.columns);
        scale_y = wash.scale_y;
        rows = wash.rows;
        cells.forget();
    }

    void seek(int y, int begin, int end) {
        const pixel::Tap tap = pixel::tap(y, scale_y, 0.0f, rows);
        weight = tap.weight;
        cells.seek(planes, columns, tap.first, tap.second, begin, end);
    }

    VCAM_HD pixel::Vec3<Floats> at(int parity, int i) const {
        return {cells.at(0, parity, weight, i), cells.at(1, parity, weight, i), cells.at(2, parity, weight, i)};
    }
};

struct LookTile {
    const look::Look* look;
    look::RowLook row;
    bool lit, blurred;
    WashTile light, blur;

    // For a tile that begins at pixel `first` of the picture.
    void place(const Compose& job, int first) {
        look = job.look;
        lit = job.light.rgb != nullptr;
        blurred = job.blurred.rgb != nullptr;
        if (lit) light.place(job.light, job.source, first);
        if (blurred) blur.place(job.blurred, job.source, first);
    }

    // Go to row y of the picture, for chunks [begin, end).
    void seek(int y, int begin, int end) {
        row = look::row_look(*look, y);
        if (lit) light.seek(y, begin, end);
        if (blurred) blur.seek(y, begin, end);
    }

    VCAM_HD pixel::Vec3<Floats> colour(const pixel::Vec3<Floats>& foreground, int parity, int i) const {
        const pixel::Vec3<Floats> own = blurred ? blur.at(parity, i) : foreground;
        const pixel::Vec3<Floats> graded = look::graded(*look, own);
        return look::shown(*look, row, lit ? look::lit(*look, graded, light.at(parity, i)) : graded);
    }
};

}  // namespace vcam::VCAM_ISA
